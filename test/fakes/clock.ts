// Time that moves only when a test says so.

import type { Clock, Timer } from '../../src/lib/clock.ts';

interface Pending {
  readonly due: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now: number;
  readonly #pending = new Set<Pending>();

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): Timer {
    const pending = { due: this.#now + milliseconds, callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Lets time pass; what falls due is called in order, also what is set on the way. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#pending].filter((each) => each.due <= end).toSorted((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
    }
    this.#now = end;
  }
}
