// Rules and chains as the renderer makes them: text for iptables-restore, plus what the table needs to know about it without
// reading it again. Pure data and constructors. Spelled as iptables-save prints it where that is possible.

import type { Origin } from '../../model/origin.ts';
import { encodeComment } from '../encoding.ts';

/** One condition of a rule. */
export interface Match {
  readonly text: string;
  /** The kernel set it looks into. */
  readonly set?: string;
}

/** What a rule does. */
export interface Target {
  readonly text: string;
  /** The chain it jumps or goes to. */
  readonly chain?: string;
}

export interface Rule {
  /** What follows "-A <chain> " and the hash comment. */
  readonly text: string;
  readonly chain?: string;
  readonly sets: readonly string[];
}

/**
 * Ordered: the order of rules matters. Keyed: any order of `rules` is right, and `tail` follows them.
 */
export type Chain =
  | { readonly kind: 'ordered'; readonly name: string; readonly rules: readonly Rule[]; readonly origin?: Origin }
  | { readonly kind: 'keyed'; readonly name: string; readonly rules: readonly Rule[]; readonly tail: readonly Rule[]; readonly origin?: Origin };

export function rule(matches: readonly Match[], target: Target, comment?: string): Rule {
  const parts = comment === undefined ? [] : [`-m comment --comment "${encodeComment(comment)}"`];
  for (const match of matches) parts.push(match.text);
  parts.push(target.text);
  const sets = matches.flatMap((match) => (match.set === undefined ? [] : [match.set]));
  return target.chain === undefined ? { text: parts.join(' '), sets } : { text: parts.join(' '), chain: target.chain, sets };
}

export function jump(chain: string): Target {
  return { text: `-j ${chain}`, chain };
}

/** Does not come back: the chain's end returns to where this chain was called. */
export function goto(chain: string): Target {
  return { text: `-g ${chain}`, chain };
}

export function builtin(name: 'ACCEPT' | 'DROP' | 'REJECT' | 'RETURN'): Target {
  return { text: `-j ${name}` };
}

export function setMark(bits: number): Target {
  return { text: `-j MARK --set-xmark ${hex(bits)}/${hex(bits)}` };
}

export function clearMark(bits: number): Target {
  return { text: `-j MARK --set-xmark 0x0/${hex(bits)}` };
}

/** Sets `bits` and clears the others of `mask`. */
export function assignMark(bits: number, mask: number): Target {
  return { text: `-j MARK --set-xmark ${hex(bits)}/${hex(mask)}` };
}

export function hex(bits: number): string {
  return `0x${bits.toString(16)}`;
}
