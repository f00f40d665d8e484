// When to try again what failed: at once after the first failure if the caller likes, then after 1 s, doubling to 30 s, spread by
// up to a quarter so that many nodes do not try together.

import type { Clock } from '../lib/clock.ts';

const first = 1_000;
const longest = 30_000;

export class BackOff {
  readonly #clock: Clock;
  readonly #random: () => number;
  /** Failures for which the next attempt may come at once. */
  readonly #free: number;
  #failures = 0;
  #lastAt = 0;
  #notBefore = 0;

  constructor(clock: Clock, random: () => number, free = 0) {
    this.#clock = clock;
    this.#random = random;
    this.#free = free;
  }

  get failures(): number {
    return this.#failures;
  }

  get notBefore(): number {
    return this.#notBefore;
  }

  get isDue(): boolean {
    return this.#clock.now() >= this.#notBefore;
  }

  failed(): void {
    this.#lastAt = this.#clock.now();
    const doublings = this.#failures - this.#free;
    const delay = doublings < 0 ? 0 : Math.min(first * 2 ** Math.min(doublings, 20), longest) * (1 + this.#random() / 4);
    this.#failures += 1;
    this.#notBefore = this.#lastAt + delay;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBefore = 0;
  }

  /** There is new input: do not wait longer than this, by default the shortest delay. */
  hurry(delay = first): void {
    this.#notBefore = Math.min(this.#notBefore, this.#lastAt + delay);
  }
}
