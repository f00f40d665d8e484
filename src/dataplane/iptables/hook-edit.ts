// The difference between a chain of the kernel (INPUT, FORWARD, OUTPUT) and our hooks in it, as lines for iptables-restore.
// Foreign rules (null) are opaque: counted, never touched. Ours must stand at the very top and the very end; whatever else of ours
// is found there is deleted, by value and by the text in which it was found.

import type { PlacedRule } from './placed-rule.ts';

export interface PlacedHook {
  readonly chain: string;
  readonly inserted: readonly PlacedRule[];
  readonly appended: readonly PlacedRule[];
}

export interface HookEdit {
  readonly lines: readonly string[];
  readonly result: readonly (PlacedRule | null)[];
}

export function editHook(hook: PlacedHook, now: readonly (PlacedRule | null)[]): HookEdit | undefined {
  const { chain, inserted, appended } = hook;
  const topRight = isAt(now, 0, inserted);
  const endRight = isAt(now, now.length - appended.length, appended);
  const wanted = new Set([...(topRight ? inserted : []), ...(endRight ? appended : [])].map((rule) => rule.hash));
  const surplus = now.filter((rule) => rule !== null && !wanted.has(rule.hash)) as PlacedRule[];
  if (topRight && endRight && surplus.length === 0) return undefined;

  const lines = surplus.map((rule) => `-D ${chain} ${rule.spec}`);
  if (!topRight) for (const rule of inserted.toReversed()) lines.push(`-I ${chain} ${rule.spec}`);
  if (!endRight) for (const rule of appended) lines.push(`-A ${chain} ${rule.spec}`);
  const foreign = now.filter((rule) => rule === null);
  return { lines, result: [...inserted, ...foreign, ...appended] };
}

/** Whether the rules stand there, and nowhere else. */
function isAt(now: readonly (PlacedRule | null)[], start: number, rules: readonly PlacedRule[]): boolean {
  if (start < 0) return false;
  return rules.every(({ hash }, i) => now[start + i]?.hash === hash && now.filter((rule) => rule?.hash === hash).length === 1);
}
