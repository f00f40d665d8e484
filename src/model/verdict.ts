// What must happen to a packet, and why. Shared by verdict (from the wire objects), simulate (from the kernel's rules) and
// everything that compares the two.

import type { Packet } from './packet.ts';

export type Action = 'allow' | 'deny';

/** Why one side of a packet's way was allowed or denied. */
export type Reason =
  /** A policy's rule. */
  | 'rule'
  /** Policies of the tier select the endpoint in this direction and none of their rules matched. */
  | 'end-of-tier'
  /** No policy selects the endpoint in this direction: its namespace's profile allows. */
  | 'profile'
  /** No policy and no profile: denied. */
  | 'no-profile'
  /** The source address is not one of the endpoint's own. */
  | 'spoofed'
  /** An interface of the workload prefix that belongs to no known endpoint. */
  | 'unknown-interface'
  /** Tunnel packets (VXLAN, IPIP) sent by a workload. */
  | 'tunnel'
  /** Conntrack knows the connection (allow) or calls the packet invalid (deny). */
  | 'conntrack'
  /** A port that host endpoints never close. */
  | 'failsafe'
  /** The action for traffic from a workload to its own host. */
  | 'endpoint-to-host'
  /** The host may always talk to its own workloads; traffic that touches no workload is not policed. */
  | 'not-policed';

/** One endpoint's (or the host's) decision; a packet between two local pods has two. */
export interface Decision {
  readonly direction: 'ingress' | 'egress';
  readonly action: Action;
  readonly reason: Reason;
  /** "namespace/name" of the pod, or name of the host endpoint, where one decides. */
  readonly endpoint?: string;
  readonly tier?: string;
  /** As the API names it: kind, namespace (if any) and name. */
  readonly policy?: { readonly kind: string; readonly namespace?: string; readonly name: string };
  /** Index of the rule in the wire object's own list (spec.ingress[i] / spec.egress[i]). */
  readonly rule?: number;
}

export interface Verdict {
  readonly action: Action;
  /** In the order in which they are taken; the last one is decisive. */
  readonly decisions: readonly Decision[];
}

/** An object as the API serves it: plain JSON. */
export interface WireObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** Everything a verdict depends on. */
export interface World {
  /** Name of the node on which the packet is judged. */
  readonly node: string;
  readonly objects: readonly WireObject[];
  readonly options: {
    /** Prefixes of workload interfaces; the first one names them. */
    readonly interfacePrefixes: readonly string[];
    readonly defaultEndpointToHostAction: 'ACCEPT' | 'DROP' | 'RETURN';
    /** What an http match makes of an Allow rule: Ignore leaves it out, for others to enforce; Drop leaves out the rule. Absent: Drop. */
    readonly httpRules?: 'Ignore' | 'Drop';
    /** Addresses of the node's own interfaces, by name: where host endpoints that name no interface are. */
    readonly hostInterfaces?: Readonly<Record<string, readonly string[]>>;
    /** Ports of the node that host endpoints never close, and those that it may always reach. Absent: none. */
    readonly failsafeInbound?: readonly FailsafePort[];
    readonly failsafeOutbound?: readonly FailsafePort[];
  };
}

export interface FailsafePort {
  /** IANA number. */
  readonly protocol: number;
  readonly port: number;
  /** CIDR of the peers for which it holds; absent: all. */
  readonly net?: string;
}

/** An object that breaks the API's rules, and what holds instead (architecture: "What holds for broken input"). */
export interface InvalidObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** Path of the field, as in spec.ingress[0].from[1].ipBlock.cidr. */
  readonly field: string;
  readonly problem: string;
}

export interface Judge {
  verdict(packet: Packet): Verdict;
  readonly invalid: readonly InvalidObject[];
}
