// A policy of any kind, as the walk over tiers sees it. Each kind has a module that reads the wire object into this.

import type { Packet } from '../model/packet.ts';
import type { Address } from './cidr.ts';
import type { Cluster, Endpoint } from './cluster.ts';
import type { HostEndpoint } from './host-endpoint.ts';

export type Direction = 'ingress' | 'egress';

/** A packet on its way through one endpoint's policies. */
export interface Traffic {
  /** As the endpoint sees it: ingress is what it receives. */
  readonly direction: Direction;
  /** Whose policies are asked. */
  readonly endpoint: Endpoint | HostEndpoint;
  readonly packet: Packet;
  readonly source: Address;
  readonly destination: Address;
  readonly cluster: Cluster;
}

export interface Rule {
  /** Position in the wire object's own list. */
  readonly index: number;
  readonly action: 'allow' | 'deny' | 'pass';
  matches(traffic: Traffic): boolean;
}

export interface Policy {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly tier: string;
  /** Ascending within the tier. */
  readonly order: number;
  /** Decides between equal orders: compared as text. */
  readonly tieBreak: string;
  /** Where it is asked: untracked and pre-DNAT policies are about hosts only, and never asked with the normal ones. */
  readonly stage: Stage;
  /** Of a normal policy: whether it is asked about what a host forwards, too. */
  readonly appliesOnForward: boolean;
  selects(endpoint: Endpoint | HostEndpoint): boolean;
  /** The directions in which the selected endpoints are isolated, with the rules of each. */
  readonly rules: { readonly [D in Direction]?: readonly Rule[] };
}

export type Stage = 'normal' | 'untracked' | 'pre-dnat';

export interface Tier {
  readonly name: string;
  /** Ascending; ties by name. */
  readonly order: number;
  /** For traffic of a selected endpoint that no rule of the tier matched. */
  readonly defaultAction: 'deny' | 'pass';
}
