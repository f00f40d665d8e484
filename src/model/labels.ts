// Label sets in the smallest form that V8 offers: a flat array [key, value, key, value, …], sorted by key. A cluster has
// hundreds of thousands of them; a Map costs five times as much. Equal sets may be shared, but nothing depends on it.

export type Labels = readonly string[];

export const noLabels: Labels = Object.freeze([]);

/** Builds a label set; later duplicates win. */
export function labelsOf(entries: Iterable<readonly [string, string]>): Labels {
  const byKey = new Map(entries);
  const keys = [...byKey.keys()].sort();
  // The copy has no spare capacity; flatMap() leaves some, and labels are kept for long.
  return keys.flatMap((key) => [key, byKey.get(key) as string]).slice();
}

/** From which length on it is faster to halve than to go through. */
const longList = 64;

/** The value of a label, or undefined when the key is absent (a present label may be ""). */
export function labelValue(labels: Labels, key: string): string | undefined {
  if (labels.length > longList) return searched(labels, key);
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === key) return labels[i + 1];
  return undefined;
}

export function sameLabels(a: Labels, b: Labels): boolean {
  return a === b || (a.length === b.length && a.every((text, i) => text === b[i]));
}

/** By halves: one object may have tens of thousands of labels. */
function searched(labels: Labels, key: string): string | undefined {
  let low = 0;
  let high = labels.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = labels[2 * middle] as string;
    if (found === key) return labels[2 * middle + 1];
    if (found < key) low = middle + 1;
    else high = middle;
  }
  return undefined;
}
