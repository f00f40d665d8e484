// Structural equality of plain data: primitives, arrays and objects of the same. A property that is undefined is not the same as
// one that is absent.
//
// Long lists that are met again beside each other are not compared again: the rules of a policy share those that they have in common,
// and ten thousand rules with a list of ten thousand ports would keep the process busy for seconds.

export function deepEqual(a: unknown, b: unknown): boolean {
  return isEqual(a, b, { partners: undefined });
}

interface Comparison {
  /** Long lists to those that were found equal to them. */
  partners: Map<unknown, unknown> | undefined;
}

const long = 32;

function isEqual(a: unknown, b: unknown, comparison: Comparison): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && isEqualList(a, b, comparison);
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key as keyof typeof a], b[key as keyof typeof b], comparison));
}

function isEqualList(a: readonly unknown[], b: readonly unknown[], comparison: Comparison): boolean {
  if (a.length !== b.length) return false;
  const isLong = a.length >= long;
  if (isLong && comparison.partners?.get(a) === b) return true;
  if (!a.every((item, i) => isEqual(item, b[i], comparison))) return false;
  if (isLong) (comparison.partners ??= new Map()).set(a, b);
  return true;
}
