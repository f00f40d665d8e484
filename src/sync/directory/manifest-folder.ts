// Watches a folder and says what its files contain, as soon as that is certain. In: a path, and a parser. Out: files, parsed or
// bad or gone, each with the moment of its first ring; all that are certain at one moment come together.
//
//   ring ──▶ look at the file ──read, parse──▶ certain? ──yes──▶ taken
//                  ▲                              │ no: somebody may be writing it
//                  └────── after a quiet time ────┘
//
// Certain is what came by a rename and parses. All else (written in place, does not parse, gone) is certain when nothing rang for
// a quiet time: half a file may parse too, and an editor may be between removing the old and creating the new one.

import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

import type { Clock, Timer } from '../../lib/clock.ts';
import { Doorbell, type Ring } from './doorbell.ts';
import { fileSignature, isManifestName, readManifestFile } from './file-reader.ts';
import type { ManifestResult } from './manifest.ts';

export interface ManifestFolderOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly quietTime: number;
  /** How often the folder is looked through without a ring, in milliseconds. */
  readonly lookAroundInterval: number;
  readonly parse: (text: string) => ManifestResult;
  readonly onTaken: (files: readonly TakenFile[]) => void;
  /** The folder can't be read or watched any more, and why; undefined when it is back. */
  readonly onTrouble: (cause: Error | undefined) => void;
}

export interface TakenFile {
  readonly file: string;
  readonly result: ManifestResult | 'gone';
  /** When it first rang, by the clock. */
  readonly receivedAt: number;
}

/** While the folder can't be read nothing rings when it comes back. */
const troubleInterval = 1000;

interface Look {
  readonly firstRing: number;
  lastRing: number;
  inPlace: boolean;
}

export class ManifestFolder {
  readonly #options: ManifestFolderOptions;
  /** Of the contents last taken, good or bad. */
  readonly #signatures = new Map<string, string>();
  readonly #looks = new Map<string, Look>();
  #doorbell: Doorbell | undefined;
  /** Device and inode of the folder that the doorbell belongs to. */
  #watched = '';
  #lookAroundTimer: Timer | undefined;
  /** When something rang that names no file. */
  #lookAround: number | undefined;
  #trouble = false;
  #work: Promise<void> | undefined;
  #wake = (): void => {};
  #stopped = false;

  constructor(options: ManifestFolderOptions) {
    this.#options = options;
  }

  /** Resolves when all files have been taken once, together. Rejects where the folder can't be read. */
  async open(): Promise<void> {
    await this.#watchPresent();
    await readdir(this.#options.path);
    this.#lookAround = this.#options.clock.now();
    const first = new Map<string, TakenFile>();
    const giveUpAt = this.#options.clock.now() + 100 * this.#options.quietTime;
    do {
      for (const taken of await this.#pass()) first.set(taken.file, taken);
    } while (this.#looks.size > 0 && this.#options.clock.now() < giveUpAt && !this.#stopped);
    if (this.#stopped) return;
    this.#options.onTaken([...first.values()]);
    this.#armLookAround();
    this.#begin();
  }

  /** Nothing is reported after it resolved. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#doorbell?.close();
    this.#lookAroundTimer?.cancel();
    this.#wake();
    await this.#work;
  }

  /** Names of files that are there and not taken yet. */
  get pending(): readonly string[] {
    return [...this.#looks.keys()];
  }

  #openDoorbell(): void {
    this.#doorbell?.close();
    const failed = (cause: Error): void => this.#setTrouble(cause);
    this.#doorbell = new Doorbell(this.#options.path, (ring) => this.#ring(ring), failed);
  }

  #ring({ file, inPlace }: Ring): void {
    const now = this.#options.clock.now();
    if (file !== undefined && isManifestName(file)) this.#lookAt(file, now, inPlace);
    // A link through which the files are reached, as in a mounted ConfigMap, or the folder itself.
    else if (file === undefined || file === '..data' || file === path.basename(this.#options.path)) this.#lookAround ??= now;
    else return;
    this.#begin();
  }

  #lookAt(file: string, now: number, inPlace: boolean): void {
    const look = this.#looks.get(file);
    if (look === undefined) {
      this.#looks.set(file, { firstRing: now, lastRing: now, inPlace });
      return;
    }
    look.lastRing = now;
    look.inPlace ||= inPlace;
  }

  #armLookAround(): void {
    this.#lookAroundTimer?.cancel();
    const { clock, lookAroundInterval } = this.#options;
    const interval = this.#trouble ? Math.min(troubleInterval, lookAroundInterval) : lookAroundInterval;
    this.#lookAroundTimer = clock.after(interval, () => {
      this.#lookAround ??= this.#options.clock.now();
      this.#begin();
      this.#armLookAround();
    });
  }

  get #hasWork(): boolean {
    return this.#looks.size > 0 || this.#lookAround !== undefined;
  }

  /** Idle: begins at once. Busy: what rings meanwhile is next. */
  #begin(): void {
    // Before the timer is armed, open() does the work.
    if (this.#work !== undefined || this.#lookAroundTimer === undefined) return;
    this.#work = this.#drain().finally(() => {
      this.#work = undefined;
    });
  }

  async #drain(): Promise<void> {
    while (this.#hasWork && !this.#stopped) {
      const taken = await this.#pass();
      if (taken.length > 0 && !this.#stopped) this.#options.onTaken(taken);
    }
  }

  async #pass(): Promise<TakenFile[]> {
    const since = this.#lookAround;
    this.#lookAround = undefined;
    if (since !== undefined) await this.#lookAtAll(since);
    const taken = await this.#take();
    if (taken.length === 0 && this.#looks.size > 0) await this.#pause();
    return taken;
  }

  /** Looks at each file that is not as it was when it was last taken. */
  async #lookAtAll(now: number): Promise<void> {
    const { path: folder } = this.#options;
    try {
      await this.#watchPresent();
      const names = (await readdir(folder)).filter(isManifestName);
      this.#setTrouble(undefined);
      for (const file of new Set([...names, ...this.#signatures.keys()])) {
        if ((await fileSignature(path.join(folder, file))) !== this.#signatures.get(file)) this.#lookAt(file, now, true);
      }
    } catch (cause) {
      this.#setTrouble(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }

  /** Under the path may lie another folder by now than the one that is watched. */
  async #watchPresent(): Promise<void> {
    const { dev, ino } = await stat(this.#options.path);
    const identity = `${dev}/${ino}`;
    if (identity === this.#watched && !this.#trouble) return;
    this.#openDoorbell();
    this.#watched = identity;
  }

  async #take(): Promise<TakenFile[]> {
    const { clock, quietTime, path: folder, parse } = this.#options;
    // The files of a folder that is gone count as not gone; when it is back they are looked at again.
    if (this.#trouble) this.#looks.clear();
    const taken: TakenFile[] = [];
    for (const [file, look] of [...this.#looks].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { lastRing } = look;
      const quiet = clock.now() - lastRing >= quietTime;
      if (look.inPlace && !quiet) continue;
      const content = await readManifestFile(path.join(folder, file));
      // It rang while it was read.
      if (look.lastRing !== lastRing) continue;
      const result = content.kind === 'text' ? parse(content.text) : content.kind === 'gone' ? 'gone' : { errors: [{ line: 1, reason: content.reason }] };
      if (!quiet && (result === 'gone' || 'errors' in result)) {
        look.inPlace = true;
        continue;
      }
      this.#looks.delete(file);
      if (content.kind === 'gone') this.#signatures.delete(file);
      else this.#signatures.set(file, content.signature);
      taken.push({ file, result, receivedAt: look.firstRing });
    }
    return taken;
  }

  /** Until the first of the files that rang has been quiet for long enough. */
  async #pause(): Promise<void> {
    const { clock, quietTime } = this.#options;
    const lastRings = [...this.#looks.values()].map((look) => look.lastRing);
    const left = Math.min(...lastRings) + quietTime - clock.now();
    await new Promise<void>((resolve) => {
      const timer = clock.after(Math.max(1, Math.ceil(left)), resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#stopped) this.#wake();
    });
  }

  #setTrouble(cause: Error | undefined): void {
    if (cause === undefined && !this.#trouble) return;
    this.#trouble = cause !== undefined;
    this.#options.onTrouble(cause);
    if (this.#lookAroundTimer !== undefined && !this.#stopped) this.#armLookAround();
  }
}
