// A many-to-many relation that is read from both ends. Both ends always agree; an end without links takes no space.

export class Relation<L, R> {
  readonly #rights = new Map<L, Set<R>>();
  readonly #lefts = new Map<R, Set<L>>();

  /** False when the link was there already. */
  link(left: L, right: R): boolean {
    const rights = this.#rights.get(left);
    if (rights?.has(right) === true) return false;
    if (rights === undefined) this.#rights.set(left, new Set([right]));
    else rights.add(right);
    const lefts = this.#lefts.get(right);
    if (lefts === undefined) this.#lefts.set(right, new Set([left]));
    else lefts.add(left);
    return true;
  }

  /** False when there was no link. */
  unlink(left: L, right: R): boolean {
    return remove(this.#rights, left, right) && remove(this.#lefts, right, left);
  }

  /** What is linked to a left end; not to be kept across changes. */
  rights(left: L): ReadonlySet<R> {
    return this.#rights.get(left) ?? none;
  }

  /** What is linked to a right end; not to be kept across changes. */
  lefts(right: R): ReadonlySet<L> {
    return this.#lefts.get(right) ?? none;
  }
}

const none: ReadonlySet<never> = new Set<never>();

function remove<K, V>(map: Map<K, Set<V>>, key: K, value: V): boolean {
  const values = map.get(key);
  if (values === undefined || !values.delete(value)) return false;
  if (values.size === 0) map.delete(key);
  return true;
}
