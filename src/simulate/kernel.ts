// The kernel's rules and sets, read back and linked: names of chains and sets resolved, conditions compiled. Made once per reading
// and then asked about many packets (simulate.ts).
//
// Rules of our own chains (cali-…) must be understood completely: one that is not makes loadKernel throw, whether a packet could
// reach it or not. Foreign rules are opaque until a packet reaches them.

import type { Family, Hook } from '../model/packet.ts';
import { compileCondition, problemOf } from './condition.ts';
import type { Condition, Scope } from './condition.ts';
import { SimulationError } from './errors.ts';
import { parseRules } from './parse-rules.ts';
import { parseSets } from './parse-sets.ts';
import type { KernelSet } from './kernel-set.ts';
import type { Rule } from './rule.ts';

/** Text as the tools print it; the tables of a family may be in one text or several. */
export interface KernelText {
  /** iptables-save. Without it, IPv4 packets cannot be judged. */
  readonly ipv4?: string;
  /** ip6tables-save. */
  readonly ipv6?: string;
  /** ipset save. */
  readonly sets: string;
}

export type Effect =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: LinkedChain }
  | { readonly kind: 'mark'; readonly keep: number; readonly flip: number }
  | { readonly kind: 'unknown'; readonly problem: string };

export interface LinkedRule {
  readonly rule: Rule;
  /** Undefined: matches every packet. */
  readonly condition: Condition | undefined;
  readonly effect: Effect;
}

export interface LinkedChain {
  readonly name: string;
  readonly policy?: 'ACCEPT' | 'DROP';
  readonly rules: readonly LinkedRule[];
}

/** The filter table of one family. */
export interface LinkedTable {
  readonly hooks: Readonly<Record<Hook, LinkedChain>>;
  readonly chainCount: number;
}

export interface Kernel {
  readonly tables: ReadonlyMap<Family, LinkedTable>;
  readonly sets: ReadonlyMap<string, KernelSet>;
}

/** Throws UnreadableState for text that is not understood, SimulationError for rules of ours that cannot be judged. */
export function loadKernel(text: KernelText): Kernel {
  const sets = parseSets(text.sets);
  const tables = new Map<Family, LinkedTable>();
  if (text.ipv4 !== undefined) tables.set(4, link(text.ipv4, { family: 4, sets }));
  if (text.ipv6 !== undefined) tables.set(6, link(text.ipv6, { family: 6, sets }));
  return { tables, sets };
}

function link(text: string, scope: Scope): LinkedTable {
  const filter = parseRules(text).get('filter');
  if (filter === undefined) throw new SimulationError(`no filter table was read for IPv${scope.family}`);
  const linked = new Map<string, LinkedChain & { readonly rules: LinkedRule[] }>();
  for (const chain of filter.chains.values()) {
    linked.set(chain.name, { name: chain.name, rules: [], ...(chain.policy && { policy: chain.policy }) });
  }
  for (const chain of filter.chains.values()) {
    for (const rule of chain.rules) {
      const effect = effectOf(rule, linked);
      if (chain.name.startsWith('cali-')) requireUnderstood(rule, effect, scope);
      linked.get(chain.name)?.rules.push({ rule, condition: compileCondition(rule, scope), effect });
    }
  }
  const hook = (name: Hook): LinkedChain => {
    const chain = linked.get(name);
    if (chain?.policy === undefined) throw new SimulationError(`the filter table has no built-in chain ${name}`);
    return chain;
  };
  return { hooks: { INPUT: hook('INPUT'), FORWARD: hook('FORWARD'), OUTPUT: hook('OUTPUT') }, chainCount: linked.size };
}

function requireUnderstood(rule: Rule, effect: Effect, scope: Scope): void {
  const problem = problemOf(rule, scope) ?? (effect.kind === 'unknown' ? effect.problem : undefined);
  if (problem !== undefined) throw new SimulationError(problem, rule.text);
}

function effectOf(rule: Rule, chains: ReadonlyMap<string, LinkedChain>): Effect {
  const { target } = rule;
  switch (target?.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return { kind: target.kind };
    case 'reject':
      return { kind: 'drop' };
    case 'mark':
      return { kind: 'mark', keep: ~target.mask, flip: target.value };
    case 'jump':
    case 'goto': {
      const chain = chains.get(target.chain);
      if (chain === undefined) return { kind: 'unknown', problem: `chain ${target.chain} does not exist` };
      return { kind: target.kind, chain };
    }
    case 'unknown':
      return { kind: 'unknown', problem: target.problem };
    default:
      return { kind: 'continue' };
  }
}
