// The difference between a chain in the kernel and the chain as it should be, as lines for iptables-restore.
//
// Out: undefined when there is none; else the lines and the chain's rules afterwards. Either the chain is replaced whole
// (`replace`: the caller declares it, which flushes it), or it is edited: deletions by value, because a foreign insert would shift
// a number, and insertions. A chain with a rule that is not ours, or twice the same, is never edited but replaced.

import { sameRules } from './placed-rule.ts';
import type { PlacedRule } from './placed-rule.ts';

export interface ChainEdit {
  readonly replace: boolean;
  readonly lines: readonly string[];
  readonly result: readonly PlacedRule[];
}

/** Ordered chains up to this length are replaced whole. */
const wholeLimit = 64;
/**
 * Longer ones are edited by this many lines at most. For each line iptables-nft walks through the whole chain: beyond it the chain is
 * written faster whole, at any length (8,000 rules: 0.2 s whole, 11 s by 4,000 lines).
 */
const editLimit = 20;

export function editOrdered(name: string, now: readonly PlacedRule[] | undefined, wanted: readonly PlacedRule[], wholeOnly: boolean): ChainEdit | undefined {
  if (now === undefined) return replaceWith(name, wanted);
  if (sameRules(now, wanted)) return undefined;
  if (wholeOnly || Math.max(now.length, wanted.length) <= wholeLimit || !editable(now)) return replaceWith(name, wanted);

  const positions = new Map(now.map((rule, i) => [rule.hash, i]));
  const kept = longestAscending(wanted.map((rule) => positions.get(rule.hash)));
  const lines: string[] = [];
  for (const [i, rule] of now.entries()) if (!kept.has(i)) lines.push(`-D ${name} ${rule.spec}`);
  // Everything before a rule that is inserted is in place already, so its number is its final one.
  for (const [i, rule] of wanted.entries()) {
    const at = positions.get(rule.hash);
    if (at === undefined || !kept.has(at)) lines.push(`-I ${name} ${i + 1} ${rule.spec}`);
  }
  return lines.length <= editLimit ? { replace: false, lines, result: wanted } : replaceWith(name, wanted);
}

export function editKeyed(
  name: string,
  now: readonly PlacedRule[] | undefined,
  wanted: ReadonlyMap<string, PlacedRule>,
  tail: readonly PlacedRule[],
  wholeOnly: boolean,
): ChainEdit | undefined {
  const whole = (): ChainEdit => replaceWith(name, [...wanted.values(), ...tail]);
  if (now === undefined) return whole();
  const entries = now.slice(0, Math.max(0, now.length - tail.length));
  if (!sameRules(now.slice(entries.length), tail) || !editable(now)) return whole();
  const removed = entries.filter((rule) => !wanted.has(rule.hash));
  const present = new Set(entries.map((rule) => rule.hash));
  const added = [...wanted.values()].filter((rule) => !present.has(rule.hash));
  if (removed.length === 0 && added.length === 0) return undefined;
  if (wholeOnly || removed.length + added.length > wanted.size + tail.length) return whole();
  const lines = [...removed.map((rule) => `-D ${name} ${rule.spec}`), ...added.map((rule) => `-I ${name} ${rule.spec}`)];
  const gone = new Set(removed);
  return { replace: false, lines, result: [...added.toReversed(), ...entries.filter((rule) => !gone.has(rule)), ...tail] };
}

function replaceWith(name: string, wanted: readonly PlacedRule[]): ChainEdit {
  return { replace: true, lines: wanted.map((rule) => `-A ${name} ${rule.spec}`), result: wanted };
}

/** Whether each rule can be named by its value. */
function editable(rules: readonly PlacedRule[]): boolean {
  const hashes = new Set<string>();
  for (const rule of rules) {
    if (rule.hash === '' || hashes.has(rule.hash)) return false;
    hashes.add(rule.hash);
  }
  return true;
}

/** The values of a longest ascending subsequence; what moves least stays (patience sorting, O(n log n)). */
function longestAscending(values: readonly (number | undefined)[]): Set<number> {
  const tops: number[] = [];
  const before = new Map<number, number | undefined>();
  for (const value of values) {
    if (value === undefined) continue;
    let low = 0;
    let high = tops.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((tops[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    before.set(value, low === 0 ? undefined : tops[low - 1]);
    tops[low] = value;
  }
  const kept = new Set<number>();
  for (let value = tops.at(-1); value !== undefined; value = before.get(value)) kept.add(value);
  return kept;
}
