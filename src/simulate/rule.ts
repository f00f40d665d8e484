// A rule of iptables, parsed: what it looks at and what it does. Whatever is not known here is kept as text under the kind
// "unknown", so that foreign rules are carried along without being understood.

import type { PortRange } from '../model/net/port.ts';
import type { Prefix } from './address.ts';

export interface Negatable<T> {
  readonly negated: boolean;
  readonly value: T;
}

export type SetFlag = 'src' | 'dst';

/** Bits of the conntrack state, in the order in which iptables prints them. */
export const connectionStates = Object.freeze(['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const);
export type ConnectionState = (typeof connectionStates)[number];

export type Match =
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'mark'; readonly negated: boolean; readonly value: number; readonly mask: number }
  | { readonly kind: 'set'; readonly negated: boolean; readonly set: string; readonly flags: readonly SetFlag[] }
  | { readonly kind: 'multiport'; readonly negated: boolean; readonly end: 'source' | 'destination' | 'either'; readonly ports: readonly PortRange[] }
  /** -m tcp, udp, sctp or dccp with ports only. */
  | {
      readonly kind: 'ports';
      readonly protocol: 'tcp' | 'udp' | 'sctp' | 'dccp';
      readonly source?: Negatable<PortRange>;
      readonly destination?: Negatable<PortRange>;
    }
  /** `module` is how it is spelled: "conntrack" or the older "state". */
  | { readonly kind: 'conntrack'; readonly module: 'conntrack' | 'state'; readonly negated: boolean; readonly states: readonly ConnectionState[] }
  /** `type` undefined: any (IPv4 only). */
  | { readonly kind: 'icmp'; readonly module: 'icmp' | 'icmp6'; readonly negated: boolean; readonly type?: number; readonly code?: number }
  | { readonly kind: 'limit'; readonly rate: string; readonly burst: number }
  | { readonly kind: 'addrtype'; readonly source?: Negatable<'LOCAL'>; readonly destination?: Negatable<'LOCAL'> }
  | { readonly kind: 'rpfilter'; readonly invert: boolean; readonly options: readonly string[] }
  | { readonly kind: 'unknown'; readonly module: string; readonly text: string; readonly problem: string };

export type Target =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  | { readonly kind: 'reject'; readonly with?: string }
  /** mark = (mark & ~mask) ^ value. */
  | { readonly kind: 'mark'; readonly value: number; readonly mask: number }
  | { readonly kind: 'log'; readonly prefix?: string; readonly level: number; readonly flags: readonly string[] }
  | { readonly kind: 'nflog'; readonly prefix?: string; readonly group: number; readonly size?: number; readonly threshold?: number }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** -j with a name that is neither a known target nor (where chains are known) a chain. */
  | { readonly kind: 'unknown'; readonly name: string; readonly text: string; readonly problem: string };

/** The part of a rule after "-A chain". An absent match matches all; without a target the packet goes on. */
export interface RuleSpec {
  readonly source?: Negatable<Prefix>;
  readonly destination?: Negatable<Prefix>;
  /** A trailing "+" matches any rest. */
  readonly inInterface?: Negatable<string>;
  readonly outInterface?: Negatable<string>;
  /** IANA number. */
  readonly protocol?: Negatable<number>;
  readonly matches: readonly Match[];
  readonly target?: Target;
}

export interface Rule extends RuleSpec {
  readonly chain: string;
  /** 1-based, as iptables numbers the rules of a chain. */
  readonly number: number;
  /** The line as it was printed, without counters. */
  readonly text: string;
  /** Present where the text was saved with counters (-c). */
  readonly counters?: { readonly packets: number; readonly bytes: number };
}
