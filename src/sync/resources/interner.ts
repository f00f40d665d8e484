// Sharing of equal values: a cluster's pods have few different label sets, node names and port lists. In: a key that equal values
// have in common, how to recognise the value, and how to make it. Out: one value for all that are equal, for as long as it is asked for
// often enough.
//
// A key may be a number made of the value (hashTexts): it costs less memory than a text, and two values that happen to have the same
// only take turns. Bounded: after `limit` new keys the ones not asked for since are forgotten. Nothing depends on the sharing.

export class Interner<K extends string | number, T> {
  readonly #limit: number;
  #recent = new Map<K, T>();
  #older = new Map<K, T>();

  constructor(limit = 50_000) {
    this.#limit = limit;
  }

  get(key: K, isEqual: (known: T) => boolean, make: () => T): T {
    const recent = this.#recent.get(key);
    if (recent !== undefined && isEqual(recent)) return recent;
    const older = this.#older.get(key);
    const value = older !== undefined && isEqual(older) ? older : make();
    if (this.#recent.size >= this.#limit) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
    return value;
  }
}

/** FNV-1a over all characters; a small integer. */
export function hashTexts(texts: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const text of texts) {
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    // No text contains a NUL.
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 2;
}
