// Sharing of equal values: a cluster's pods have few different label sets, node names and port lists. In: a text that identifies
// the value, and how to make it. Out: one value per text, for as long as it is asked for often enough.
//
// Bounded: after `limit` new texts the ones not asked for since are forgotten. Nothing depends on the sharing.

export class Interner<T> {
  readonly #limit: number;
  #recent = new Map<string, T>();
  #older = new Map<string, T>();

  constructor(limit = 50_000) {
    this.#limit = limit;
  }

  get(text: string, make: (text: string) => T): T {
    const known = this.#recent.get(text);
    if (known !== undefined) return known;
    const value = this.#older.get(text) ?? make(text);
    if (this.#recent.size >= this.#limit) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(text, value);
    return value;
  }
}
