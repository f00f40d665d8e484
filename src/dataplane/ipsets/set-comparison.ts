// The periodic comparison of all sets. In: what `ipset save` printed, and the revisions that the sets had when it began. Out: drift, a
// slice at a time. Between two slices the driver writes: what was written since the read began is not compared (the text is older than
// the write), and its turn comes with the next read.

import type { Drift } from '../iptables/drift.ts';
import type { FamilySets } from './family-sets.ts';
import { savedSets } from './save-parser.ts';

/** Lines of `ipset save` in a slice: some milliseconds. */
const sliceLines = 4_000;

export class SetComparison {
  /** By name: those that were not met yet. */
  readonly #expected: Map<string, { readonly sets: FamilySets; readonly revision: number }>;
  #found: ReturnType<typeof savedSets> | undefined;

  /** Before the read begins. */
  constructor(families: readonly FamilySets[]) {
    this.#expected = new Map(families.flatMap((sets) => [...sets.revisions].map(([name, revision]) => [name, { sets, revision }] as const)));
  }

  /** There is nothing that a read could be compared with. */
  get isEmpty(): boolean {
    return this.#expected.size === 0;
  }

  /** What was read. */
  begin(text: string): void {
    this.#found = savedSets(text, (name) => this.#expected.has(name), sliceLines);
  }

  /** Compares the next slice; `done` with the last one. */
  next(): { readonly drift: readonly Drift[]; readonly done: boolean } {
    const drift: Drift[] = [];
    for (let each = this.#found?.next(); each?.done === false; each = this.#found?.next()) {
      if (each.value === undefined) return { drift, done: false };
      const { name } = each.value;
      const expected = this.#expected.get(name);
      this.#expected.delete(name);
      if (expected !== undefined) drift.push(...expected.sets.adoptUnchanged(name, expected.revision, each.value));
    }
    for (const [name, { sets, revision }] of this.#expected) drift.push(...sets.adoptUnchanged(name, revision, undefined));
    return { drift, done: true };
  }
}
