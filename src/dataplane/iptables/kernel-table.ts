// What one table of the kernel holds of ours, as far as we know: as it was read last, changed by what was committed since.
// Always holds: `usesOf(set)` is the number of rules in our chains that name the set.

import type { PlacedRule } from './placed-rule.ts';
import type { SavedTable } from './save-parser.ts';

export class KernelTable {
  #chains = new Map<string, readonly PlacedRule[]>();
  #hooks = new Map<string, readonly (PlacedRule | null)[]>();
  #strays: SavedTable['strays'] = [];
  #pinned: ReadonlySet<string> = new Set();
  readonly #setUses = new Map<string, number>();
  #ruleCount = 0;

  get chainCount(): number {
    return this.#chains.size;
  }

  get ruleCount(): number {
    return this.#ruleCount;
  }

  get strays(): SavedTable['strays'] {
    return this.#strays;
  }

  chain(name: string): readonly PlacedRule[] | undefined {
    return this.#chains.get(name);
  }

  chainNames(): IterableIterator<string> {
    return this.#chains.keys();
  }

  /** A chain of the kernel's own; null stands for a foreign rule. */
  hookChain(name: string): readonly (PlacedRule | null)[] {
    return this.#hooks.get(name) ?? [];
  }

  hookNames(): IterableIterator<string> {
    return this.#hooks.keys();
  }

  usesOf(set: string): number {
    return this.#setUses.get(set) ?? 0;
  }

  /** Whether a foreign rule leads to the chain, so that it cannot be deleted. */
  isPinned(chain: string): boolean {
    return this.#pinned.has(chain);
  }

  replaceAll(saved: SavedTable): void {
    for (const name of [...this.#chains.keys()]) this.deleteChain(name);
    for (const [name, rules] of saved.own) this.setChain(name, rules);
    this.#hooks = new Map(saved.kernel);
    this.#strays = saved.strays;
    this.#pinned = saved.pinned;
  }

  /** Of `saved` only the chains that it lists; all else stays as it is known. */
  replaceListed(saved: SavedTable): void {
    for (const [name, rules] of saved.own) this.setChain(name, rules);
    for (const [name, rules] of saved.kernel) this.setHookChain(name, rules);
  }

  setChain(name: string, rules: readonly PlacedRule[]): void {
    const before = this.#chains.get(name) ?? [];
    this.#chains.set(name, rules);
    this.#count(rules, 1);
    this.#count(before, -1);
  }

  deleteChain(name: string): void {
    this.#count(this.#chains.get(name) ?? [], -1);
    this.#chains.delete(name);
  }

  setHookChain(name: string, rules: readonly (PlacedRule | null)[]): void {
    this.#hooks.set(name, rules);
  }

  forgetStrays(): void {
    this.#strays = [];
  }

  #count(rules: readonly PlacedRule[], sign: 1 | -1): void {
    this.#ruleCount += sign * rules.length;
    for (const { sets } of rules) {
      for (const set of sets) {
        const uses = (this.#setUses.get(set) ?? 0) + sign;
        if (uses === 0) this.#setUses.delete(set);
        else this.#setUses.set(set, uses);
      }
    }
  }
}
