// One rule of a policy or a profile, as it leaves the sync edge: every kind of policy is translated into this, and there is
// no other representation of a rule before the renderer's. A match that is absent (undefined, or an empty list) matches all.
//
// Fail closed: whatever could not be parsed never becomes an absent match; the sync edge converts the rule instead
// (architecture, "What holds for broken input").

import type { Port } from './net/port.ts';
import type { Selector } from './selector/ast.ts';

export type RuleAction = 'allow' | 'deny' | 'pass' | 'log';

export interface IcmpMatch {
  readonly type: number;
  readonly code?: number;
}

/** One end of a rule. The parts are ANDed; the entries of a list are ORed (and a negated list means none of them). */
export interface EntityMatch {
  /** Canonical CIDRs (see net/cidr.ts), host bits cleared; both families may be mixed. */
  readonly nets: readonly string[];
  readonly notNets: readonly string[];
  /** Labelled things whose addresses match. */
  readonly selector?: Selector;
  readonly notSelector?: Selector;
  readonly ports: readonly Port[];
  readonly notPorts: readonly Port[];
  /** Whose ports have the names; absent: what the selectors match, or everything that has ports. It restricts nothing else. */
  readonly portNamesOf?: Selector;
  /**
   * "namespace/name" of a Service: all addresses of its endpoints, ready or not; as a destination their ports and protocols too.
   * Never together with nets, selectors or (as a destination) ports.
   */
  readonly service?: string;
}

export interface Rule {
  readonly action: RuleAction;
  readonly ipVersion?: 4 | 6;
  /** IANA numbers. */
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source: EntityMatch;
  readonly destination: EntityMatch;
  /** Index of the wire object's rule from which this one was made. */
  readonly index: number;
  /** "key=value" annotations of the rule, shown beside it in the kernel; canonical text is the renderer's business. */
  readonly comments?: readonly string[];
}

export const anyEntity: EntityMatch = Object.freeze({ nets: [], notNets: [], ports: [], notPorts: [] });

