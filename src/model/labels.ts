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

/** The value of a label, or undefined when the key is absent (a present label may be ""). */
export function labelValue(labels: Labels, key: string): string | undefined {
  for (let i = 0; i < labels.length; i += 2) if (labels[i] === key) return labels[i + 1];
  return undefined;
}

export function sameLabels(a: Labels, b: Labels): boolean {
  return a === b || (a.length === b.length && a.every((text, i) => text === b[i]));
}
