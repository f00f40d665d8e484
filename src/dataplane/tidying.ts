// Removes what nothing leads to and nobody wants: chains in bulk, then the sets that they used. It harms nobody that these are still
// there, and removing them makes the next write of iptables-nft wait for 16 ms: so it is done when nothing was written for a while.

import type { Clock } from '../lib/clock.ts';
import { runSets, writeTransaction } from './apply.ts';
import type { ApplyParts, Outcome } from './apply.ts';
import { BackOff } from './back-off.ts';
import type { Job } from './schedule.ts';

export interface TidyingParts {
  readonly apply: ApplyParts;
  readonly clock: Clock;
  readonly random: () => number;
  /** Undefined: nothing may be removed yet. */
  readonly lastApplyAt: () => number | undefined;
  /** Nobody knows which of the sets were destroyed. */
  readonly setsInDoubt: () => void;
}

const idleDelay = 100;
/** Where writes never pause, it is done all the same after this. */
const patience = 5_000;

export class Tidying {
  readonly jobs: readonly Job[];
  readonly #parts: TidyingParts;
  readonly #backOff: BackOff;
  #garbageSince: number | undefined;

  constructor(parts: TidyingParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(parts.clock, parts.random);
    this.jobs = [
      { name: 'remove chains', reads: false, dueAt: () => this.#chainsDue(), run: () => this.#removeChains() },
      { name: 'remove sets', reads: false, dueAt: () => this.#setsDue(), run: () => this.#destroySets() },
    ];
  }

  #chainsDue(): number | undefined {
    const { apply, clock } = this.#parts;
    const lastApplyAt = this.#parts.lastApplyAt();
    const isPending = apply.planes.some(({ table }) => table.isDirty);
    if (lastApplyAt === undefined || isPending || !apply.planes.some(({ table }) => table.hasGarbage)) {
      if (!isPending) this.#garbageSince = undefined;
      return undefined;
    }
    this.#garbageSince ??= clock.now();
    return Math.max(Math.min(lastApplyAt + idleDelay, this.#garbageSince + patience), this.#backOff.notBefore);
  }

  async #removeChains(): Promise<void> {
    const { apply } = this.#parts;
    for (const plane of apply.planes) {
      const transaction = plane.table.planCleanup();
      if (transaction === undefined) continue;
      const outcome: Outcome = await writeTransaction(apply, plane, transaction);
      if (outcome === 'done') this.#backOff.succeeded();
      else this.#backOff.failed();
    }
    this.#garbageSince = undefined;
    await apply.onStep?.('destroy');
  }

  #setsDue(): number | undefined {
    const { apply } = this.#parts;
    const lastApplyAt = this.#parts.lastApplyAt();
    if (lastApplyAt === undefined) return undefined;
    const times = apply.planes.map((plane) => plane.sets.leftovers.nextAt()).filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.max(lastApplyAt + idleDelay, Math.min(...times));
  }

  async #destroySets(): Promise<void> {
    const { apply, clock, setsInDoubt } = this.#parts;
    const now = clock.now();
    if ((await runSets(apply, (plane) => plane.sets.planDestroy(now))) === 'unknown') setsInDoubt();
    await apply.onStep?.('destroy');
  }
}
