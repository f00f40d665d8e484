// A policy of any kind, as the walk over tiers sees it. Each kind has a module that reads the wire object into this.

import type { Packet } from '../model/packet.ts';
import type { Address } from './cidr.ts';
import type { Cluster, Endpoint } from './cluster.ts';

export type Direction = 'ingress' | 'egress';

/** A packet on its way through one endpoint's policies. */
export interface Traffic {
  /** As the endpoint sees it: ingress is what it receives. */
  readonly direction: Direction;
  /** Whose policies are asked. */
  readonly endpoint: Endpoint;
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
  selects(endpoint: Endpoint): boolean;
  /** The directions in which the selected endpoints are isolated, with the rules of each. */
  readonly rules: { readonly [D in Direction]?: readonly Rule[] };
}

export interface Tier {
  readonly name: string;
  /** Ascending; ties by name. */
  readonly order: number;
  /** For traffic of a selected endpoint that no rule of the tier matched. */
  readonly defaultAction: 'deny' | 'pass';
}

export const defaultTier: Tier = Object.freeze({ name: 'default', order: 1_000_000, defaultAction: 'deny' });
