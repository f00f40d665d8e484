// Things with labels, found by what a selector demands. In: items by key. Out: the ids of those that may match; whoever asks
// evaluates the selector itself. An item's own labels win over those of its profiles, and those of an earlier profile over those
// of a later one.

import type { Labels } from '../../model/labels.ts';
import { labelValue, noLabels } from '../../model/labels.ts';
import type { Lookup } from '../../model/selector/match.ts';
import { IdLists } from './id-lists.ts';
import { LabelPostings } from './label-postings.ts';
import type { Profiles } from './profiles.ts';
import type { Term } from './term.ts';

export interface Labelled {
  readonly labels: Labels;
  /** Names of the profiles from which it inherits labels. */
  readonly profiles: readonly string[];
}

export class LabelledItems<T extends Labelled> {
  readonly #profiles: Profiles;
  readonly #ids = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #items: (T | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #postings = new LabelPostings((id) => this.#items[id]?.labels ?? noLabels);
  /** Profile name to the list of items that name it. */
  readonly #children = new Map<string, number>();
  readonly #lists = new IdLists();
  /** The enumeration in which an id was last seen: one enumeration yields each id once. */
  #seen = new Uint32Array(256);
  #enumeration = 0;
  #looked: T | undefined;

  constructor(profiles: Profiles) {
    this.#profiles = profiles;
  }

  get size(): number {
    return this.#ids.size;
  }

  id(key: string): number | undefined {
    return this.#ids.get(key);
  }

  get(id: number): T | undefined {
    return this.#items[id];
  }

  key(id: number): string {
    return this.#keys[id] as string;
  }

  /** Adds, replaces or removes an item. An id stays with its key until the item is removed, then it may be given to another. */
  set(key: string, item: T | undefined): void {
    let id = this.#ids.get(key);
    if (id === undefined) {
      if (item === undefined) return;
      id = this.#free.pop() ?? this.#items.length;
      this.#ids.set(key, id);
      this.#keys[id] = key;
    }
    const before = this.#items[id];
    this.#items[id] = item;
    this.#postings.replace(id, before?.labels ?? noLabels, item?.labels ?? noLabels);
    this.#replaceProfiles(id, before?.profiles ?? [], item?.profiles ?? []);
    if (item === undefined) {
      this.#ids.delete(key);
      this.#keys[id] = '';
      this.#free.push(id);
    }
  }

  /** Reads one item's labels, inherited ones included. One function for all items: it is good until the next call. */
  lookup(item: T): Lookup {
    this.#looked = item;
    return this.#lookup;
  }

  readonly #lookup: Lookup = (label) => {
    const item = this.#looked as T;
    const own = labelValue(item.labels, label);
    if (own !== undefined) return own;
    for (const name of item.profiles) {
      const inherited = labelValue(this.#profiles.labels(name), label);
      if (inherited !== undefined) return inherited;
    }
    return undefined;
  };

  /** Ids of the items that name the profile, each once. */
  children(profile: string): readonly number[] {
    const found: number[] = [];
    this.#startEnumeration();
    this.#collectChildren(profile, found);
    return found;
  }

  /** Ids of all items that satisfy all the terms, and of more, each once: those of the term that fewest satisfy. */
  candidates(terms: readonly Term[]): readonly number[] {
    let best: Term | undefined;
    let lowest = this.#ids.size;
    for (const term of terms) {
      const count = this.#count(term, lowest);
      if (count >= lowest) continue;
      best = term;
      lowest = count;
    }
    if (best === undefined) return [...this.#ids.values()];
    const found: number[] = [];
    this.#startEnumeration();
    this.#postings.each(best, (id) => this.#collect(id, found));
    this.#eachProfile(best, (name) => this.#collectChildren(name, found));
    return found;
  }

  /** How many candidates a term has; stops counting at the limit. */
  #count(term: Term, limit: number): number {
    let count = this.#postings.count(term);
    if (count >= limit) return count;
    this.#eachProfile(term, (name) => {
      const list = this.#children.get(name);
      if (list !== undefined) count += this.#lists.length(list);
    });
    return count;
  }

  /** Profiles that may satisfy the term and have children here, from whichever side is shorter. */
  #eachProfile(term: Term, visit: (name: string) => void): void {
    if (this.#children.size < this.#profiles.count(term)) for (const name of this.#children.keys()) visit(name);
    else this.#profiles.eachWith(term, visit);
  }

  #replaceProfiles(id: number, before: readonly string[], after: readonly string[]): void {
    if (before === after) return;
    for (const name of before) {
      const list = after.includes(name) ? undefined : this.#children.get(name);
      if (list === undefined) continue;
      if (this.#lists.drop(list, (other) => this.#items[other]?.profiles.includes(name) === true)) this.#children.delete(name);
    }
    for (const name of after) {
      if (before.includes(name)) continue;
      const list = this.#children.get(name);
      if (list === undefined) this.#children.set(name, this.#lists.create(id));
      else this.#lists.add(list, id);
    }
  }

  #collectChildren(profile: string, into: number[]): void {
    const list = this.#children.get(profile);
    if (list === undefined) return;
    this.#lists.each(list, (id) => {
      if (this.#items[id]?.profiles.includes(profile) === true) this.#collect(id, into);
    });
  }

  #collect(id: number, into: number[]): void {
    if (this.#items[id] === undefined || this.#seen[id] === this.#enumeration) return;
    this.#seen[id] = this.#enumeration;
    into.push(id);
  }

  #startEnumeration(): void {
    this.#enumeration = (this.#enumeration + 1) >>> 0;
    if (this.#seen.length < this.#items.length) this.#seen = new Uint32Array(Math.ceil(this.#items.length * 1.5));
    // The count has been all round: marks of old enumerations would be taken for new ones.
    if (this.#enumeration === 0) {
      this.#seen.fill(0);
      this.#enumeration = 1;
    }
  }
}
