// Sets under our names that nobody wants. They are destroyed when no rule of ours in the kernel names them; the kernel may still
// refuse (for some milliseconds after the rule is gone, or for good where a foreign rule uses the set), so each waits a while
// before it is tried again.

import type { TrackedSet } from './tracked-set.ts';

const firstDelay = 20;
const longestDelay = 60_000;
/** A destroy costs the kernel a grace period: not too many at a time. */
const batch = 100;

export class Leftovers {
  readonly #sets = new Map<TrackedSet, { notBefore: number; delay: number }>();
  readonly #usesOf: (name: string) => number;

  constructor(usesOf: (name: string) => number) {
    this.#usesOf = usesOf;
  }

  get size(): number {
    return this.#sets.size;
  }

  add(set: TrackedSet): void {
    if (!this.#sets.has(set)) this.#sets.set(set, { notBefore: 0, delay: firstDelay });
  }

  delete(set: TrackedSet): void {
    this.#sets.delete(set);
  }

  /** Those that may be tried now. */
  due(now: number): TrackedSet[] {
    const due: TrackedSet[] = [];
    for (const [set, { notBefore }] of this.#sets) {
      if (due.length === batch) break;
      if (notBefore <= now && this.#usesOf(set.name) === 0) due.push(set);
    }
    return due;
  }

  /** When the next one may be tried; undefined when there is none, or rules must go first. */
  nextAt(): number | undefined {
    let next: number | undefined;
    for (const [set, { notBefore }] of this.#sets) {
      if (this.#usesOf(set.name) === 0 && (next === undefined || notBefore < next)) next = notBefore;
    }
    return next;
  }

  refused(set: TrackedSet, now: number): void {
    const entry = this.#sets.get(set);
    if (entry === undefined) return;
    entry.notBefore = now + entry.delay;
    entry.delay = Math.min(entry.delay * 2, longestDelay);
  }
}
