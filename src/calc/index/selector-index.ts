// Selectors, found by the labels of one item: an item that changes is held against those that it may match, not against all. In:
// selectors with their owners. Out: the candidates for an item, then match() for the truth.
//
// Each selector is filed under one of the terms that it demands: the one whose drawer is emptiest. So ten thousand selectors
// "app == 'web' && namespace == x" spread over the namespaces, and ten thousand of one namespace over their apps.

import { MultiMap } from '../../lib/multi-map.ts';
import type { Labels } from '../../model/labels.ts';
import type { Selector } from '../../model/selector/ast.ts';
import type { Lookup, Matcher } from '../../model/selector/match.ts';
import type { Term } from './term.ts';
import { matcherOf, mentionedLabelsOf, requiredTermsOf } from './worked-out.ts';

export interface Filed<T> {
  readonly owner: T;
  readonly selector: Selector;
}

/** One label's drawers. */
interface Cabinet<T> {
  readonly byValue: MultiMap<string, Entry<T>>;
  /** Selectors that demand the label with no particular value. */
  readonly present: Set<Entry<T>>;
}

class Entry<T> implements Filed<T> {
  readonly owner: T;
  readonly selector: Selector;
  /** Made when first needed: most policies of a cluster are never held against a local pod. */
  matcher: Matcher | undefined;
  /** The enumeration in which it was last seen. */
  seen = 0;

  constructor(owner: T, selector: Selector) {
    this.owner = owner;
    this.selector = selector;
    this.matcher = undefined;
  }
}

/** From this many values on a selector is filed under the presence of their label: it would be in as many drawers. */
const manyValues = 64;

export class SelectorIndex<T> {
  readonly #cabinets = new Map<string, Cabinet<T>>();
  readonly #unfiled = new Set<Entry<T>>();
  /** How many selectors look at a label at all. */
  readonly #mentions = new Map<string, number>();
  #enumeration = 0;

  add(owner: T, selector: Selector): Filed<T> {
    const entry = new Entry(owner, selector);
    const term = this.#emptiest(drawersOf(selector));
    if (term === undefined) this.#unfiled.add(entry);
    else this.#file(entry, term);
    for (const label of mentionedLabelsOf(selector)) this.#mentions.set(label, (this.#mentions.get(label) ?? 0) + 1);
    return entry;
  }

  /** Takes what add() returned. */
  remove(filed: Filed<T>): void {
    const entry = filed as Entry<T>;
    // Which of its terms it was filed under is not written down: it is looked for.
    if (!this.#unfiled.delete(entry)) for (const term of drawersOf(entry.selector)) this.#unfile(entry, term);
    for (const label of mentionedLabelsOf(entry.selector)) {
      const count = this.#mentions.get(label) ?? 0;
      if (count > 1) this.#mentions.set(label, count - 1);
      else this.#mentions.delete(label);
    }
  }

  /** Whether any selector looks at the label. */
  mentions(label: string): boolean {
    return this.#mentions.has(label);
  }

  /** Owners' selectors that an item with these labels (its own, then those of its profiles) may match, each once. */
  candidates(own: Labels, inherited: Iterable<Labels>): readonly Filed<T>[] {
    this.#enumeration += 1;
    const found: Entry<T>[] = [];
    for (const entry of this.#unfiled) found.push(entry);
    if (this.#cabinets.size > 0) {
      this.#collect(own, found);
      for (const labels of inherited) this.#collect(labels, found);
    }
    return found;
  }

  match(filed: Filed<T>, lookup: Lookup): boolean {
    const entry = filed as Entry<T>;
    entry.matcher ??= matcherOf(entry.selector);
    return entry.matcher(lookup);
  }

  #collect(labels: Labels, into: Entry<T>[]): void {
    const collect = (entry: Entry<T>): void => {
      if (entry.seen === this.#enumeration) return;
      entry.seen = this.#enumeration;
      into.push(entry);
    };
    for (let i = 0; i < labels.length; i += 2) {
      const cabinet = this.#cabinets.get(labels[i] as string);
      if (cabinet === undefined) continue;
      cabinet.byValue.each(labels[i + 1] as string, collect);
      cabinet.present.forEach(collect);
    }
  }

  /** The cheapest term to file under: each item that has the label looks into the drawer, with a value only those that have that. */
  #emptiest(terms: readonly Term[]): Term | undefined {
    let best: Term | undefined;
    let lowest = Infinity;
    for (const term of terms) {
      const cabinet = this.#cabinets.get(term.label);
      // A drawer for mere presence is opened by more items than one for a value, so it counts more.
      let cost = 0;
      if (term.values === undefined) cost = 2 + 4 * (cabinet?.present.size ?? 0);
      else for (const value of term.values) cost = Math.max(cost, cabinet?.byValue.count(value) ?? 0);
      if (cost >= lowest) continue;
      best = term;
      lowest = cost;
    }
    return best;
  }

  #file(entry: Entry<T>, term: Term): void {
    let cabinet = this.#cabinets.get(term.label);
    if (cabinet === undefined) {
      cabinet = { byValue: new MultiMap(), present: new Set() };
      this.#cabinets.set(term.label, cabinet);
    }
    if (term.values === undefined) cabinet.present.add(entry);
    else for (const value of term.values) cabinet.byValue.add(value, entry);
  }

  #unfile(entry: Entry<T>, term: Term): void {
    const cabinet = this.#cabinets.get(term.label);
    if (cabinet === undefined) return;
    if (term.values === undefined) cabinet.present.delete(entry);
    else for (const value of term.values) cabinet.byValue.delete(value, entry);
    if (cabinet.byValue.isEmpty && cabinet.present.size === 0) this.#cabinets.delete(term.label);
  }
}

/** The terms that a selector may be filed under. */
function drawersOf(selector: Selector): readonly Term[] {
  return requiredTermsOf(selector).map((term) => ((term.values?.length ?? 0) < manyValues ? term : { label: term.label }));
}
