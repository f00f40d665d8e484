// A folder of YAML and JSON manifests as the source of all objects: for trying, testing, and hosts without a cluster.
//
//   folder ──files──▶ manifests ──▶ the set of all objects ──▶ one Batch per change
//
// In: a directory (its files *.yaml, *.yml, *.json; no subdirectories). Out: one batch with everything, then one per change.
// Always: a file is taken whole or not at all. While it can't be read or parsed its last good content holds; a file that never
// was good withholds in-sync.

import { type Clock, systemClock } from '../../lib/clock.ts';
import type { HealthReporter } from '../../lib/health.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { SourceOptionsInvalid } from '../errors.ts';
import { DecodeContext, type NodeIdentity } from '../resources/decode-context.ts';
import { InvalidObjects } from '../resources/invalid-objects.ts';
import { kinds } from '../resources/kinds.ts';
import { resourceCache } from '../resources/resource-cache.ts';
import type { Sink, Source } from '../source.ts';
import { type ManifestError, type ManifestObject, readManifest } from './manifest.ts';
import { ManifestFolder, type TakenFile } from './manifest-folder.ts';
import { ManifestSet } from './manifest-set.ts';

export interface DirectorySourceOptions extends NodeIdentity {
  readonly path: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthReporter;
  readonly clock?: Clock;
  /** How long a file that is written in place must be quiet, in milliseconds. */
  readonly quietTime?: number;
  /** How often the directory is looked through without a ring, in milliseconds. */
  readonly lookAroundInterval?: number;
}

export interface BadFile {
  readonly file: string;
  readonly errors: readonly ManifestError[];
  /** False where no earlier content of it is in force. */
  readonly wasGood: boolean;
}

/** One line must stay readable. */
const shownErrors = 3;

export class DirectorySource implements Source {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #health: HealthReporter;
  readonly #clock: Clock;
  readonly #folder: ManifestFolder;
  readonly #set: ManifestSet;
  readonly #goodFiles = new Set<string>();
  readonly #badFiles = new Map<string, BadFile>();
  readonly #ignoredKinds = new Set<string>();
  #trouble = '';
  #sink: Sink = () => {};
  #inSync = false;

  constructor(options: DirectorySourceOptions) {
    this.#path = options.path;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#health = options.health;
    this.#clock = options.clock ?? systemClock;
    const context = new DecodeContext(options);
    const invalid = new InvalidObjects(options.logger, options.metrics);
    this.#set = new ManifestSet(new Map(kinds.map((kind) => [kind, resourceCache(kind, context, invalid)])), options.logger);
    this.#folder = new ManifestFolder({
      path: options.path,
      clock: this.#clock,
      quietTime: options.quietTime ?? 10,
      lookAroundInterval: options.lookAroundInterval ?? 30_000,
      parse: (text) => readManifest(text, context),
      onTaken: (files) => this.#take(files),
      onTrouble: (cause) => this.#setTrouble(cause),
    });
  }

  get badFiles(): readonly BadFile[] {
    return [...this.#badFiles.values()];
  }

  /** Resolves when every file was read once. Rejects with SourceOptionsInvalid where there is no directory to read. */
  async start(sink: Sink): Promise<void> {
    this.#sink = sink;
    this.#report();
    try {
      await this.#folder.open();
    } catch (cause) {
      await this.#folder.close();
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SourceOptionsInvalid(`the manifest directory ${this.#path} can't be read (${reason})`, 'create it, or name another one with --path', { cause });
    }
    this.#logger.info({ path: this.#path, files: this.#goodFiles.size, objects: this.#set.size }, `reading manifests from ${this.#path}`);
  }

  async stop(): Promise<void> {
    await this.#folder.close();
  }

  #take(files: readonly TakenFile[]): void {
    const contents = new Map<string, readonly ManifestObject[]>();
    for (const { file, result } of files) {
      if (result !== 'gone' && 'errors' in result) {
        this.#refuse(file, result.errors);
        continue;
      }
      if (this.#badFiles.delete(file) && result !== 'gone') this.#logger.info({ file }, `${file} is good again and in force`);
      if (result === 'gone') this.#goodFiles.delete(file);
      else this.#goodFiles.add(file);
      if (result !== 'gone') this.#nameIgnored(file, result.manifest.ignored);
      contents.set(file, result === 'gone' ? [] : result.manifest.objects);
    }
    const updates = this.#set.replace(contents);
    const comesInSync = !this.#inSync && this.#folder.pending.length === 0 && this.badFiles.every((bad) => bad.wasGood);
    this.#inSync ||= comesInSync;
    const receivedAt = Math.min(this.#clock.now(), ...files.map((file) => file.receivedAt));
    this.#report();
    if (updates.length === 0 && !comesInSync) return;
    this.#sink({ resource: 'Manifest', updates, receivedAt, ...(comesInSync ? { inSync: true } : {}) });
  }

  #refuse(file: string, errors: readonly ManifestError[]): void {
    const wasGood = this.#goodFiles.has(file);
    const known = this.#badFiles.get(file);
    this.#badFiles.set(file, { file, errors, wasGood });
    if (known !== undefined && errorsText(known) === errorsText({ file, errors })) return;
    const then = wasGood ? 'its last good content holds' : 'none of its objects is in force';
    this.#logger.warn({ file, errors: errors.slice(0, shownErrors) }, `${errorsText({ file, errors })}; until it is corrected ${then}`);
  }

  #nameIgnored(file: string, ignored: readonly string[]): void {
    for (const kind of ignored) {
      if (this.#ignoredKinds.has(kind)) continue;
      this.#ignoredKinds.add(kind);
      this.#logger.info({ file, kind }, `${kind} objects are not read (first one in ${file})`);
    }
  }

  #setTrouble(cause: Error | undefined): void {
    if (cause === undefined) this.#logger.info({ path: this.#path }, `the manifest directory ${this.#path} is back`);
    else if (this.#trouble !== cause.message) {
      const then = 'what was read holds; create the directory again, it is found by itself';
      this.#logger.error({ path: this.#path, cause: cause.message }, `the manifest directory ${this.#path} can't be read (${cause.message}): ${then}`);
    }
    this.#trouble = cause?.message ?? '';
    this.#report();
  }

  #report(): void {
    this.#metrics.set('caracal_sync_bad_files', this.#badFiles.size);
    this.#metrics.set('caracal_sync_in_sync', this.#inSync ? 1 : 0);
    const bad = this.badFiles.filter((file) => this.#inSync || !file.wasGood).map(errorsText);
    const state = this.#inSync ? `${this.#set.size} objects in ${this.#goodFiles.size} files of ${this.#path}` : `reading ${this.#path}`;
    const trouble = this.#trouble === '' ? [] : [`${this.#path} can't be read: ${this.#trouble}`];
    this.#health.report('Sync', { live: true, ready: this.#inSync && trouble.length === 0, detail: [state, ...trouble, ...bad].join('; ') });
  }
}

function errorsText({ file, errors }: Pick<BadFile, 'file' | 'errors'>): string {
  const texts = errors.slice(0, shownErrors).map(({ line, reason }) => `${file}:${line} ${reason}`);
  const more = errors.length - texts.length;
  return `${texts.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
