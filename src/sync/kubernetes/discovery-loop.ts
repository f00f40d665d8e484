// When discovery is asked: at the start until it has answered; then about once a minute as long as some kind is not installed,
// sooner when a kind answers 404 or seems to be gone; else hardly ever.
//
// In: what discovery says, and rings of those who found something amiss. Out: each answer.

import type { Clock } from '../../lib/clock.ts';
import { isRequestFailure, type RequestFailure, RequestRefused } from '../errors.ts';
import { JitteredBackoff } from './backoff.ts';
import type { Discovery, ServedApis } from './discovery.ts';
import { Pause } from './pause.ts';
import { type Failure, longestWait } from './reflector.ts';

/** Milliseconds. */
export interface DiscoverySchedule {
  /** While some kind is not installed; spread by up to a fifth, so that nodes do not ask all at once. */
  readonly poll: number;
  /** From a first answer that lacks what was served to the next, which is believed. */
  readonly confirmation: number;
  /** Between an answer and one that a ring asks for. */
  readonly spacing: number;
}

/** Picked up within a minute of being installed; an answer that has not changed costs some hundred bytes. */
export const defaultSchedule: DiscoverySchedule = Object.freeze({ poll: 55_000, confirmation: 20_000, spacing: 5_000 });

/** When everything is installed and nobody rings. */
const seldom = 3_600_000;

export interface DiscoveryLoopOptions {
  readonly discovery: Pick<Discovery, 'read'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly schedule: DiscoverySchedule;
  readonly onServed: (served: ServedApis, now: number) => void;
  /** Called when the failure below came, changed or went. */
  readonly onStatus: () => void;
  readonly onRefused: (failure: RequestFailure) => void;
  /** What the answers so far mean for the next question: of some kind nobody can tell, it seems to be gone, or is not installed. */
  readonly outlook: () => 'complete' | 'lacking' | 'doubtful' | 'unknown';
}

export class DiscoveryLoop {
  readonly #options: DiscoveryLoopOptions;
  readonly #backoff: JitteredBackoff;
  readonly #pause: Pause;
  readonly #stop = new AbortController();
  #failure: Failure | undefined;
  #lastRead = Number.NEGATIVE_INFINITY;
  #due = Number.NEGATIVE_INFINITY;
  #rung = false;
  #running: Promise<void> | undefined;

  constructor(options: DiscoveryLoopOptions) {
    this.#options = options;
    this.#backoff = new JitteredBackoff(options.random);
    this.#pause = new Pause(options.clock);
  }

  /** The last question's, until one is answered. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** A fault of this program is not caught: it is an unhandled rejection, which ends the process. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Nothing is told after it resolved. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#pause.end();
    await this.#running;
  }

  /** A kind that should be there was not: asked soon. */
  ring(): void {
    if (this.#failure !== undefined) return;
    this.#rung = true;
    this.#advance(this.#lastRead + this.#options.schedule.spacing);
  }

  /** The server answers others again: a wait for it ends now. */
  hurry(): void {
    if (this.#failure?.refused === false) this.#advance(Number.NEGATIVE_INFINITY);
  }

  #advance(due: number): void {
    this.#due = Math.min(this.#due, due);
    this.#pause.end();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      this.#rung = false;
      const delay = await this.#read();
      this.#lastRead = clock.now();
      this.#due = this.#lastRead + delay;
      if (this.#rung) this.ring();
      while (!this.#stop.signal.aborted && clock.now() < this.#due) await this.#pause.wait(this.#due - clock.now());
    }
  }

  /** Milliseconds to wait before the next question. */
  async #read(): Promise<number> {
    const { clock, discovery, random, schedule, outlook, onServed } = this.#options;
    try {
      const served = await discovery.read(this.#stop.signal);
      if (this.#stop.signal.aborted) return 0;
      this.#setFailure(undefined);
      onServed(served, clock.now());
    } catch (error) {
      if (!isRequestFailure(error)) throw error;
      return this.#stop.signal.aborted ? 0 : this.#recover(error);
    }
    const state = outlook();
    if (state === 'unknown') return this.#backoff.delay(clock.now());
    if (state === 'doubtful') return schedule.confirmation;
    return state === 'lacking' ? schedule.poll * (1 - random() / 5) : seldom;
  }

  #recover(error: RequestFailure): number {
    const now = this.#options.clock.now();
    const status = error instanceof RequestRefused ? error.status : 0;
    this.#options.onRefused(error);
    this.#setFailure({ verb: 'get', message: error.message, refused: status === 401 || status === 403 || status === 404, missing: false, status, since: this.#failure?.since ?? now });
    const asked = error instanceof RequestRefused ? Math.min(error.retryAfter, longestWait) : 0;
    return Math.max(this.#backoff.delay(now), asked);
  }

  #setFailure(failure: Failure | undefined): void {
    if (this.#failure === undefined && failure === undefined) return;
    this.#failure = failure;
    this.#options.onStatus();
  }
}
