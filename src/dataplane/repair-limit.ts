// Keeps two programs that undo each other's work from doing so as fast as they can. In: what was found undone, each time. Out:
// when it may be repaired: at once the first times, then after a delay that doubles while the same object is undone again soon.

import type { Clock } from '../lib/clock.ts';
import type { Drift } from './iptables/drift.ts';

/** Undone again within this time after a repair counts as a fight. */
const window = 5_000;
const freeRepairs = 3;
const firstDelay = 1_000;
const longestDelay = 30_000;

export interface RepairVerdict {
  readonly notBefore: number;
  /** Objects for which waiting begins with this repair. */
  readonly contested: readonly string[];
}

export class RepairLimit {
  readonly #clock: Clock;
  readonly #undone = new Map<string, { times: number; repairedAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  found(drift: readonly Drift[]): RepairVerdict {
    const now = this.#clock.now();
    for (const [object, { repairedAt }] of this.#undone) if (now > repairedAt + window) this.#undone.delete(object);
    let notBefore = now;
    const contested: string[] = [];
    for (const { object } of drift) {
      const times = (this.#undone.get(object)?.times ?? 0) + 1;
      const delay = times <= freeRepairs ? 0 : Math.min(firstDelay * 2 ** (times - freeRepairs - 1), longestDelay);
      if (times === freeRepairs + 1) contested.push(object);
      this.#undone.set(object, { times, repairedAt: now + delay });
      notBefore = Math.max(notBefore, now + delay);
    }
    return { notBefore, contested };
  }
}
