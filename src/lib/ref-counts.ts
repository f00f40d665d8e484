// Counts how many users each key has. A key is in the map exactly as long as it has users.

export class RefCounts<K> {
  readonly #counts = new Map<K, number>();

  /** True for the first user. */
  acquire(key: K): boolean {
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    return count === 0;
  }

  /** True for the last user. Releasing what nobody holds is a mistake of the caller and throws. */
  release(key: K): boolean {
    const count = this.#counts.get(key);
    if (count === undefined) throw new Error(`released more often than acquired: ${String(key)}`);
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
    return count === 1;
  }

  has(key: K): boolean {
    return this.#counts.has(key);
  }
}
