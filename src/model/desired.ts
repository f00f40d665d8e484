// The contract between calc and the dataplane: all that calc may tell the dataplane, as one change set per batch.
//
//  - Nothing comes before in-sync; the first change set then holds everything, and comes even if that is nothing.
//  - To be taken in the order of the fields: sets, policies, profiles, endpoints, then removals in reverse. So nothing refers to
//    what was not yet sent, and nothing is removed while something refers to it.
//  - An upsert carries the whole object, except that an existing set changes by deltas only. A set removed and added again in
//    one batch comes as a delta, or not at all.
//  - Only what local endpoints need is ever sent.

import type { Origin } from './origin.ts';
import type { PortRange } from './net/port.ts';
import type { IcmpMatch, RuleAction } from './rule.ts';

/**
 * What more members do to the traffic that is allowed: with "allow" it can only grow (a positive match of an Allow rule, a
 * negated one of a Deny), with "deny" only shrink (the reverse), with "pass" either (matches of Pass rules). A selector that is
 * needed in several ways is several sets, so that one order of writing is right for all members of each.
 */
export type SetUse = 'allow' | 'deny' | 'pass';

/** net: addresses and CIDRs (hash:net). ip-port: "address,protocol:port" (hash:ip,port). */
export type SetType = 'net' | 'ip-port';

/** Name of a set without the kernel's family prefix: [A-Za-z0-9:_-]{1,25}, unique per definition and use. */
export type SetId = string;

/** Canonical text: "10.0.0.1", "10.0.0.0/8", "fd00::1", "10.0.0.1,tcp:80". Both families share one list. */
export type Member = string;

export interface DesiredSet {
  readonly id: SetId;
  readonly type: SetType;
  readonly use: SetUse;
  /** What it stands for, for people: the selector, or the named port and its selector. */
  readonly description: string;
  readonly members: readonly Member[];
}

export interface SetDelta {
  readonly id: SetId;
  /** Disjoint, never empty both; added were absent before, removed were present. */
  readonly added: readonly Member[];
  readonly removed: readonly Member[];
}

/**
 * One end of a rule. Lists of nets are ORed; every set in `sets` must match (AND); `portSets` are named ports (ip-port sets
 * matched on this end's address and port) and are ORed with `ports`. In the negated lists nothing may match.
 */
export interface ActiveEntity {
  readonly nets: readonly string[];
  readonly notNets: readonly string[];
  readonly sets: readonly SetId[];
  readonly notSets: readonly SetId[];
  readonly ports: readonly PortRange[];
  readonly notPorts: readonly PortRange[];
  readonly portSets: readonly SetId[];
  readonly notPortSets: readonly SetId[];
  /** ip-port sets of services: each must match this end's address, protocol and port (AND). */
  readonly serviceSets: readonly SetId[];
}

export interface ActiveRule {
  readonly action: RuleAction;
  readonly ipVersion?: 4 | 6;
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source: ActiveEntity;
  readonly destination: ActiveEntity;
  /** Index of the rule in the wire object. */
  readonly index: number;
  readonly comments?: readonly string[];
}

/** A policy that selects at least one local endpoint. */
export interface ActivePolicy {
  /** policyKey(), e.g. "knp/default/web". */
  readonly key: string;
  readonly origin: Origin;
  readonly tier: string;
  readonly ingress: readonly ActiveRule[];
  readonly egress: readonly ActiveRule[];
}

/** A profile that a local endpoint names; one that does not exist denies everything. */
export interface ActiveProfile {
  readonly name: string;
  readonly origin: Origin;
  readonly ingress: readonly ActiveRule[];
  readonly egress: readonly ActiveRule[];
}

/** A tier as one endpoint sees it: only policies that apply to it, in order. */
export interface EndpointTier {
  readonly name: string;
  readonly defaultAction: 'deny' | 'pass';
  /** policyKey()s. A direction without any is not policed by this tier. */
  readonly ingress: readonly string[];
  readonly egress: readonly string[];
}

/** An endpoint of this node. */
export interface ActiveEndpoint {
  /** "namespace/pod". */
  readonly key: string;
  readonly origin: Origin;
  readonly interfaceName: string;
  readonly addresses: readonly string[];
  /** In order; tiers in which nothing applies are left out. */
  readonly tiers: readonly EndpointTier[];
  readonly profiles: readonly string[];
}

/**
 * A host endpoint of this node. Which of its interfaces it stands for is the dataplane's to find out. Profiles hold where no tier of
 * `normal` applies.
 */
export interface ActiveHostEndpoint {
  /** Its name. */
  readonly key: string;
  readonly origin: Origin;
  readonly interfaceName: string;
  readonly expectedAddresses: readonly string[];
  /** Traffic that begins or ends at the host. */
  readonly normal: readonly EndpointTier[];
  /** Traffic that is forwarded: policies with applyOnForward. */
  readonly forward: readonly EndpointTier[];
  readonly untracked: readonly EndpointTier[];
  /** Ingress only. */
  readonly preDnat: readonly EndpointTier[];
  readonly profiles: readonly string[];
}

export interface Desired {
  readonly addedSets: readonly DesiredSet[];
  readonly setDeltas: readonly SetDelta[];
  readonly policies: readonly ActivePolicy[];
  readonly profiles: readonly ActiveProfile[];
  readonly endpoints: readonly ActiveEndpoint[];
  readonly hostEndpoints: readonly ActiveHostEndpoint[];
  /** Keys, names and ids. */
  readonly removedHostEndpoints: readonly string[];
  readonly removedEndpoints: readonly string[];
  readonly removedProfiles: readonly string[];
  readonly removedPolicies: readonly string[];
  readonly removedSets: readonly SetId[];
  /** The batch's receivedAt. */
  readonly receivedAt: number;
}
