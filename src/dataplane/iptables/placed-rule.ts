// A rule at its place in a chain, identified by the hash in its comment. Two chains are equal when their hashes are: the text that
// iptables-save prints is never compared, because the tools rewrite it.

import { hash } from 'node:crypto';
import type { Rule } from '../render/rule.ts';

export interface PlacedRule {
  /** 16 characters; empty for a rule of somebody else. */
  readonly hash: string;
  /** All that follows "-A <chain> ", the hash comment included. */
  readonly spec: string;
  /** The chain it jumps or goes to. */
  readonly chain?: string;
  readonly sets: readonly string[];
}

const hashLength = 16;

/**
 * The hash covers the chain, the rule's text and which occurrence of that text in the chain it is; not what stands before it, so
 * that a rule keeps its hash while others come and go, and no two rules of a chain share one.
 */
export function placeRules(chain: string, rules: readonly Rule[]): PlacedRule[] {
  const seen = new Map<string, number>();
  return rules.map((rule) => {
    const occurrence = seen.get(rule.text) ?? 0;
    seen.set(rule.text, occurrence + 1);
    return placeRule(chain, rule, occurrence);
  });
}

export function placeRule(chain: string, rule: Rule, occurrence = 0): PlacedRule {
  const digest = hash('sha256', `${chain}\n${rule.text}\n${occurrence}`, 'base64url').slice(0, hashLength);
  const spec = `-m comment --comment "cali:${digest}" ${rule.text}`;
  return rule.chain === undefined ? { hash: digest, spec, sets: rule.sets } : { hash: digest, spec, chain: rule.chain, sets: rule.sets };
}

export function sameRules(a: readonly PlacedRule[], b: readonly PlacedRule[]): boolean {
  return a === b || (a.length === b.length && a.every((rule, i) => rule.hash !== '' && rule.hash === b[i]?.hash));
}
