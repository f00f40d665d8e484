// A map from a key to one or more distinct values. Most keys have one value, which is then stored bare: a Set for each would cost
// some 200 bytes. Values must not be Sets themselves.

export class MultiMap<K, V> {
  readonly #values = new Map<K, V | Set<V>>();

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  /** Number of values of a key. */
  count(key: K): number {
    const held = this.#values.get(key);
    if (held === undefined) return 0;
    return held instanceof Set ? held.size : 1;
  }

  add(key: K, value: V): void {
    const held = this.#values.get(key);
    if (held === undefined) this.#values.set(key, value);
    else if (held instanceof Set) held.add(value);
    else if (held !== value) this.#values.set(key, new Set([held, value]));
  }

  delete(key: K, value: V): void {
    const held = this.#values.get(key);
    if (held === value) this.#values.delete(key);
    else if (held instanceof Set) {
      held.delete(value);
      if (held.size === 0) this.#values.delete(key);
    }
  }

  /** Calls back for each value of a key. */
  each(key: K, visit: (value: V) => void): void {
    const held = this.#values.get(key);
    if (held === undefined) return;
    if (held instanceof Set) held.forEach(visit);
    else visit(held);
  }
}
