// What somebody else did to our rules: the difference between what a table was known to hold and what was read, in words for one
// log line, and as objects by which repeated repairs of the same thing are recognised.

import type { PlacedHook } from './hook-edit.ts';
import type { KernelTable } from './kernel-table.ts';
import { sameRules } from './placed-rule.ts';
import type { PlacedRule } from './placed-rule.ts';
import type { SavedTable } from './save-parser.ts';

export interface Drift {
  /** "cali-FORWARD", "jump in FORWARD", "cali40s:abc". */
  readonly object: string;
  /** "3 of 4 rules gone". */
  readonly what: string;
}

/** `read` is the whole table: what it does not hold is gone. */
export function describeChanges(known: KernelTable, read: SavedTable, hooks: readonly PlacedHook[]): Drift[] {
  const gone = [...known.chainNames()].filter((name) => !read.own.has(name)).map((name) => ({ object: name, what: 'chain gone' }));
  return [...gone, ...chainDrift(known, read), ...hooks.flatMap((hook) => hookDrift(hook, known, read.kernel.get(hook.chain) ?? []))];
}

/** `read` holds some chains: nothing is said of others. */
export function describeListed(known: KernelTable, read: SavedTable, hooks: readonly PlacedHook[]): Drift[] {
  return [...chainDrift(known, read), ...hooks.flatMap((hook) => hookDrift(hook, known, read.kernel.get(hook.chain)))];
}

function chainDrift(known: KernelTable, read: SavedTable): Drift[] {
  const drift: Drift[] = [];
  for (const [name, now] of read.own) {
    const before = known.chain(name);
    if (before === undefined) drift.push({ object: name, what: 'chain appeared' });
    else if (!sameRules(before, now)) drift.push({ object: name, what: ruleChanges(before, now) });
  }
  return drift;
}

function hookDrift({ chain, inserted, appended }: PlacedHook, known: KernelTable, now: readonly (PlacedRule | null)[] | undefined): Drift[] {
  if (now === undefined) return [];
  const drift: Drift[] = [];
  const before = known.hookChain(chain);
  const top = inserted.length > 0 && inserted.every((rule, i) => before[i]?.hash === rule.hash);
  const end = appended.length > 0 && appended.every((rule, i) => before[before.length - appended.length + i]?.hash === rule.hash);
  if (top) {
    const gone = inserted.some((rule) => !now.some((found) => found?.hash === rule.hash));
    const moved = inserted.some((rule, i) => now[i]?.hash !== rule.hash);
    if (gone || moved) drift.push({ object: `top of ${chain}`, what: gone ? 'our jump is gone' : 'our jump is not first any more' });
  }
  if (end) {
    const gone = appended.some((rule) => !now.some((found) => found?.hash === rule.hash));
    const moved = appended.some((rule, i) => now[now.length - appended.length + i]?.hash !== rule.hash);
    if (gone || moved) drift.push({ object: `end of ${chain}`, what: gone ? 'our rule is gone' : 'our rule is not last any more' });
  }
  return drift;
}

function ruleChanges(before: readonly { readonly hash: string }[], now: readonly { readonly hash: string }[]): string {
  const hashesNow = new Set(now.map((rule) => rule.hash));
  const hashesBefore = new Set(before.map((rule) => rule.hash));
  const gone = before.filter((rule) => !hashesNow.has(rule.hash)).length;
  const unknown = now.filter((rule) => !hashesBefore.has(rule.hash)).length;
  const parts: string[] = [];
  if (gone > 0) parts.push(`${gone} of ${before.length} rules gone`);
  if (unknown > 0) parts.push(`${unknown} unknown rules`);
  return parts.length === 0 ? 'rules out of order or repeated' : parts.join(', ');
}
