// Orders and batches from a number, so that they shrink with it.

/** mulberry32: small, fast and good enough to shuffle with. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Seed 0 leaves the order alone. */
export function shuffled<T>(list: readonly T[], seed: number): readonly T[] {
  if (seed === 0) return list;
  const next = randomNumbers(seed);
  return list.map((value) => [next(), value] as const).sort(([a], [b]) => a - b).map(([, value]) => value);
}

/** Cuts a list into runs of one to `longest`. */
export function cut<T>(list: readonly T[], longest: number, seed: number): readonly (readonly T[])[] {
  const next = randomNumbers(seed);
  const parts: T[][] = [];
  for (let start = 0; start < list.length; ) {
    const end = start + 1 + Math.floor(next() * longest);
    parts.push(list.slice(start, end));
    start = end;
  }
  return parts;
}
