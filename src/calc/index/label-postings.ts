// Which ids have a label with a value: the index from which the candidates of a selector are taken.
//
//   label ──▶ value ──▶ list of ids
//
// Reading gives a superset: ids that lost the label not long ago may still be listed, and an id may be listed twice.

import type { Labels } from '../../model/labels.ts';
import { labelValue } from '../../model/labels.ts';
import { IdLists } from './id-lists.ts';
import type { Term } from './term.ts';

interface Values {
  readonly lists: Map<string, number>;
  /** Entries in all lists together. */
  total: number;
}

export class LabelPostings {
  readonly #labelsOf: (id: number) => Labels;
  readonly #byLabel = new Map<string, Values>();
  readonly #lists = new IdLists();

  /** `labelsOf` gives the current labels of an id, none for an id that is not in use. */
  constructor(labelsOf: (id: number) => Labels) {
    this.#labelsOf = labelsOf;
  }

  /** To be called when an id's labels have changed: `labelsOf` already says `after`. Costs only what differs. */
  replace(id: number, before: Labels, after: Labels): void {
    let i = 0;
    let j = 0;
    while (i < before.length || j < after.length) {
      const old = before[i];
      const now = after[j];
      if (now === undefined || (old !== undefined && old < now)) {
        this.#drop(old as string, before[i + 1] as string);
        i += 2;
      } else if (old === undefined || now < old) {
        this.#add(id, now, after[j + 1] as string);
        j += 2;
      } else {
        if (before[i + 1] !== after[j + 1]) {
          this.#drop(old, before[i + 1] as string);
          this.#add(id, now, after[j + 1] as string);
        }
        i += 2;
        j += 2;
      }
    }
  }

  /** How many ids each() would visit. */
  count(term: Term): number {
    const values = this.#byLabel.get(term.label);
    if (values === undefined) return 0;
    if (term.values === undefined) return values.total;
    let count = 0;
    for (const value of term.values) {
      const list = values.lists.get(value);
      if (list !== undefined) count += this.#lists.length(list);
    }
    return count;
  }

  /** Calls back for every id that satisfies the term, and for some that do not, some of them twice. */
  each(term: Term, visit: (id: number) => void): void {
    const values = this.#byLabel.get(term.label);
    if (values === undefined) return;
    if (term.values === undefined) {
      for (const list of values.lists.values()) this.#lists.each(list, visit);
      return;
    }
    for (const value of term.values) {
      const list = values.lists.get(value);
      if (list !== undefined) this.#lists.each(list, visit);
    }
  }

  #add(id: number, label: string, value: string): void {
    let values = this.#byLabel.get(label);
    if (values === undefined) {
      values = { lists: new Map(), total: 0 };
      this.#byLabel.set(label, values);
    }
    const list = values.lists.get(value);
    if (list === undefined) values.lists.set(value, this.#lists.create(id));
    else this.#lists.add(list, id);
    values.total += 1;
  }

  #drop(label: string, value: string): void {
    const values = this.#byLabel.get(label);
    const list = values?.lists.get(value);
    if (values === undefined || list === undefined) return;
    const length = this.#lists.length(list);
    if (this.#lists.drop(list, (id) => labelValue(this.#labelsOf(id), label) === value)) {
      values.lists.delete(value);
      values.total -= length;
      if (values.lists.size === 0) this.#byLabel.delete(label);
    } else {
      values.total -= length - this.#lists.length(list);
    }
  }
}
