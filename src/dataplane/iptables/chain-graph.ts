// The chains as they should be, and which of them are reached. In: chains, and rules of keyed chains one by one. Out: for each
// chain whether a kernel chain leads to it, directly or through others; `onChange` names each chain whose content or reach changed.
// Only chains that are reached are programmed. Chains refer to each other without cycles.

import type { Origin } from '../../model/origin.ts';
import type { Chain, Rule } from '../render/rule.ts';
import { placeRule, placeRules, sameRules } from './placed-rule.ts';
import type { PlacedRule } from './placed-rule.ts';

export type PlacedChain =
  | { readonly kind: 'ordered'; readonly name: string; readonly rules: readonly PlacedRule[]; readonly origin: Origin | undefined }
  | {
      readonly kind: 'keyed';
      readonly name: string;
      /** By hash. */
      readonly rules: Map<string, PlacedRule>;
      readonly tail: readonly PlacedRule[];
      readonly origin: Origin | undefined;
    };

export class ChainGraph {
  readonly #chains = new Map<string, PlacedChain>();
  /** How many rules of reached chains and of kernel chains lead to a chain. */
  readonly #references = new Map<string, number>();
  readonly #onChange: (name: string) => void;

  constructor(onChange: (name: string) => void) {
    this.#onChange = onChange;
  }

  /** The chain if it is defined and reached. */
  reached(name: string): PlacedChain | undefined {
    return this.#references.has(name) ? this.#chains.get(name) : undefined;
  }

  /** Whether anything that is reached leads there. */
  isReferenced(name: string): boolean {
    return this.#references.has(name);
  }

  defined(name: string): PlacedChain | undefined {
    return this.#chains.get(name);
  }

  reachedNames(): string[] {
    return [...this.#references.keys()];
  }

  /** A rule outside our chains leads there. */
  addRoot(name: string): void {
    this.#reference(name);
  }

  set(chain: Chain): void {
    const placed = place(chain);
    const before = this.#chains.get(chain.name);
    if (before !== undefined && sameChain(before, placed)) return;
    this.#chains.set(chain.name, placed);
    this.#onChange(chain.name);
    if (!this.#references.has(chain.name)) return;
    // In this order, so that what both lead to is never let go of.
    for (const target of targetsOf(placed)) this.#reference(target);
    if (before !== undefined) for (const target of targetsOf(before)) this.#release(target);
  }

  delete(name: string): void {
    const before = this.#chains.get(name);
    if (before === undefined) return;
    this.#chains.delete(name);
    this.#onChange(name);
    if (this.#references.has(name)) for (const target of targetsOf(before)) this.#release(target);
  }

  addRule(name: string, rule: Rule): void {
    const { rules } = this.#keyed(name);
    const placed = placeRule(name, rule);
    if (rules.has(placed.hash)) return;
    rules.set(placed.hash, placed);
    this.#onChange(name);
    if (placed.chain !== undefined && this.#references.has(name)) this.#reference(placed.chain);
  }

  deleteRule(name: string, rule: Rule): void {
    const { rules } = this.#keyed(name);
    const placed = placeRule(name, rule);
    if (!rules.delete(placed.hash)) return;
    this.#onChange(name);
    if (placed.chain !== undefined && this.#references.has(name)) this.#release(placed.chain);
  }

  #keyed(name: string): PlacedChain & { kind: 'keyed' } {
    const chain = this.#chains.get(name);
    if (chain?.kind !== 'keyed') throw new TypeError(`${name} is no keyed chain`);
    return chain;
  }

  #reference(name: string): void {
    const count = this.#references.get(name) ?? 0;
    this.#references.set(name, count + 1);
    if (count > 0) return;
    this.#onChange(name);
    const chain = this.#chains.get(name);
    if (chain !== undefined) for (const target of targetsOf(chain)) this.#reference(target);
  }

  #release(name: string): void {
    const count = this.#references.get(name) ?? 0;
    if (count > 1) {
      this.#references.set(name, count - 1);
      return;
    }
    this.#references.delete(name);
    this.#onChange(name);
    const chain = this.#chains.get(name);
    if (chain !== undefined) for (const target of targetsOf(chain)) this.#release(target);
  }
}

export function rulesOf(chain: PlacedChain): readonly PlacedRule[] {
  return chain.kind === 'ordered' ? chain.rules : [...chain.rules.values(), ...chain.tail];
}

function place(chain: Chain): PlacedChain {
  const { name, origin } = chain;
  if (chain.kind === 'ordered') return { kind: 'ordered', name, rules: placeRules(name, chain.rules), origin };
  const rules = new Map(chain.rules.map((rule) => placeRule(name, rule)).map((rule) => [rule.hash, rule]));
  return { kind: 'keyed', name, rules, tail: placeRules(name, chain.tail), origin };
}

function sameChain(a: PlacedChain, b: PlacedChain): boolean {
  return a.kind === 'ordered' && b.kind === 'ordered' && a.origin?.generation === b.origin?.generation && sameRules(a.rules, b.rules);
}

function targetsOf(chain: PlacedChain): string[] {
  return rulesOf(chain).flatMap((rule) => (rule.chain === undefined ? [] : [rule.chain]));
}
