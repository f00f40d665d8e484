// A pod with its own network interface: what policies select, and whose addresses are members of sets. Host-network pods,
// finished pods and pods without an address are none.

import type { Labels } from './labels.ts';
import type { EndpointPort } from './net/port.ts';
import type { Origin } from './origin.ts';

export interface WorkloadEndpoint {
  readonly origin: Origin;
  /** Name of the node it runs on. */
  readonly node: string;
  /** Interface on the host's side; present on endpoints of this node only. */
  readonly interfaceName?: string;
  /** Canonical addresses of either family, at least one. */
  readonly addresses: readonly string[];
  /** Its own labels (spoofed ones removed, projectcalico.org/{namespace,orchestrator,serviceaccount} added). */
  readonly labels: Labels;
  /** Names of the profiles that apply, in order; labels not its own are inherited from them. */
  readonly profiles: readonly string[];
  readonly ports: readonly EndpointPort[];
}
