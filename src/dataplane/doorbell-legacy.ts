// The doorbell of the legacy backend: everybody who changes rules opens and closes the xtables lock file, so inotify on that file
// rings. It tells neither what was changed nor by whom, and `iptables -S` and failed commands ring as well (iptables-save does not):
// the answer is to read everything, at most once a second.
//
//   OPEN, CLOSE on the lock file ──▶ more closings than transactions of ours? ──▶ onRing('everything'), now or a second after the last
//
// What always holds: a transaction of ours is exactly one closing and is subtracted. Whatever is uncertain rings: an outcome that is not
// known, a closing of ours that does not come, a lock file that was replaced, a watch that was started again.
//
// inotify makes one event of two identical ones that follow each other unread. That is why openings are watched too: they keep the
// closings of writers that come one after the other apart. Of two writers that wait for each other one can still be missed; the
// refresh interval is the net.

import { open } from 'node:fs/promises';
import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Child, CommandRunner } from './command.ts';
import type { Doorbell, Ring } from './doorbell.ts';
import { ToolMissing } from './errors.ts';
import { readLines } from './line-reader.ts';
import type { WriteObserver, WriteOutcome } from './write-observer.ts';
import { defaultLockFile } from './xtables-lock.ts';

export interface LegacyDoorbellOptions {
  readonly runner: CommandRunner;
  readonly onRing: (ring: Ring) => void;
  /** The xtables lock (default /run/xtables.lock); in a container it must be the host's, mounted. */
  readonly lockFile?: string;
  /** Rings come no closer than this (default 1,000 ms). */
  readonly intervalMs?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** After this long an event that has not come will not come. */
const SETTLE_MS = 500;

export class LegacyDoorbell implements Doorbell {
  readonly observer: WriteObserver = {
    started: () => Promise.resolve(),
    ended: () => {},
    writing: () => this.#writing(),
  };
  readonly #options: Required<LegacyDoorbellOptions>;
  readonly #backoff = new Backoff(100, 10_000);
  #up = Promise.withResolvers<void>();
  #isUp = false;
  #child: Child | undefined;
  #closed = false;
  /** Closings of ours that were not seen yet. */
  #expected = 0;
  #inFlight = 0;
  #settling: Timer | undefined;
  #lastRing = Number.NEGATIVE_INFINITY;
  #pending: Timer | undefined;

  constructor(options: LegacyDoorbellOptions) {
    this.#options = { logger: silentLogger, clock: systemClock, lockFile: defaultLockFile, intervalMs: 1_000, ...options };
    void this.#listen();
  }

  listening(): Promise<void> {
    return this.#up.promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pending?.cancel();
    this.#settling?.cancel();
    this.#child?.kill();
    await this.#child?.exited;
  }

  async #listen(): Promise<void> {
    const { runner, clock, logger, lockFile } = this.#options;
    let complaint: string | undefined;
    for (let first = true; !this.#closed; first = false) {
      const delay = this.#backoff.delay();
      if (delay > 0) await new Promise<void>((resolve) => clock.after(delay, resolve));
      if (this.#closed) return;
      let reason: string;
      try {
        // As iptables itself creates it.
        await (await open(lockFile, 'a', 0o600)).close();
        // The file itself going away matters as well: a new one would not be watched.
        const child = await runner.spawn('stdbuf', ['-oL', 'inotifywait', '--monitor', '--format', '%e',
          '-e', 'open', '-e', 'close', '-e', 'delete_self', '-e', 'move_self', lockFile]);
        this.#child = child;
        reason = await this.#attend(child, first);
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      const wasUp = this.#isUp;
      if (wasUp) this.#up = Promise.withResolvers<void>();
      this.#isUp = false;
      if (this.#closed) return;
      if (wasUp || reason !== complaint) logger.warn({ reason, lockFile }, 'the xtables lock file is not watched; it is tried again, and all rules are read again then');
      complaint = reason;
    }
  }

  async #attend(child: Child, first: boolean): Promise<string> {
    let complaint = '';
    const output = readLines(child.stdout, (line) => this.#read(line, child));
    const errors = readLines(child.stderr, (line) => {
      if (line.startsWith('Watches established')) this.#established(first);
      else complaint = line;
    });
    const [exit] = await Promise.all([child.exited, output.ended, errors.ended]);
    if (exit.exitCode === 127) throw new ToolMissing('inotifywait');
    return complaint === '' ? `status ${exit.exitCode ?? exit.signal ?? 'unknown'}` : complaint;
  }

  #established(first: boolean): void {
    this.#isUp = true;
    this.#expected = 0;
    this.#backoff.succeeded();
    this.#up.resolve();
    // What happened since the last watch ended was not seen.
    if (!first) this.#ring('the xtables lock file is watched again');
  }

  #read(events: string, child: Child): void {
    if (events.startsWith('OPEN')) return;
    if (events.startsWith('CLOSE')) {
      if (this.#expected > 0) this.#expected -= 1;
      else this.#ring('somebody else had the xtables lock');
      return;
    }
    // The file is gone, or the kernel lost events: start over with what is there now.
    child.kill();
  }

  #writing(): (outcome: WriteOutcome) => void {
    this.#inFlight += 1;
    if (this.#isUp) this.#expected += 1;
    return (outcome) => {
      this.#inFlight -= 1;
      // Perhaps it never came to the lock. Rather a ring too many than one swallowed.
      if (outcome === 'unknown') this.#expected = 0;
      this.#settling?.cancel();
      this.#settling = this.#options.clock.after(SETTLE_MS, () => this.#settle());
    };
  }

  /** Some time after our last transaction all its closings have been seen, or an event of ours and one of another's were one. */
  #settle(): void {
    if (this.#expected === 0 || this.#inFlight > 0) return;
    this.#expected = 0;
    this.#ring('the use of the xtables lock cannot be told apart from our own');
  }

  /** Now, or when the interval is over. */
  #ring(reason: string): void {
    const { clock, intervalMs, onRing } = this.#options;
    if (this.#pending !== undefined || this.#closed) return;
    const ring = (): void => {
      this.#pending = undefined;
      this.#lastRing = clock.now();
      onRing({ touched: 'everything', reason });
    };
    const wait = this.#lastRing + intervalMs - clock.now();
    if (wait <= 0) ring();
    else this.#pending = clock.after(wait, ring);
  }
}
