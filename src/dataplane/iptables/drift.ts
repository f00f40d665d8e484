// What somebody else did to our rules: the difference between what a table was known to hold and what was read, in words for one
// log line, and as objects by which repeated repairs of the same thing are recognised.

import { isOwnChain } from '../render/names.ts';
import type { PlacedHook } from './hook-edit.ts';
import type { KernelTable } from './kernel-table.ts';
import { sameRules } from './placed-rule.ts';
import type { SavedTable } from './save-parser.ts';

export interface Drift {
  /** "cali-FORWARD", "jump in FORWARD", "cali40s:abc". */
  readonly object: string;
  /** "3 of 4 rules gone". */
  readonly what: string;
}

export function describeChanges(known: KernelTable, read: SavedTable, hooks: readonly PlacedHook[]): Drift[] {
  const drift: Drift[] = [];
  for (const name of known.chainNames()) {
    const before = known.chain(name) ?? [];
    const now = read.own.get(name);
    if (now === undefined) drift.push({ object: name, what: 'chain gone' });
    else if (!sameRules(before, now)) drift.push({ object: name, what: ruleChanges(before, now) });
  }
  for (const name of read.own.keys()) if (known.chain(name) === undefined && isOwnChain(name)) drift.push({ object: name, what: 'chain appeared' });
  for (const { chain, inserted, appended } of hooks) {
    const before = known.hookChain(chain);
    const now = read.kernel.get(chain) ?? [];
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
