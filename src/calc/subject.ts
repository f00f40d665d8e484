// What policies select on this node, and what is told to the dataplane with its tiers: workload endpoints and host endpoints. Both
// live in the same indexes, under keys of their own.

import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { HostEndpoint } from '../model/host-endpoint.ts';
import type { Policy } from '../model/policy.ts';

export type Subject = WorkloadEndpoint | HostEndpoint;

/** "namespace/pod", or hostKey(). */
export type SubjectKey = string;

const hostPrefix = 'host ';

/** No name of an object has a space. */
export function hostKey(name: string): SubjectKey {
  return `${hostPrefix}${name}`;
}

/** The host endpoint's name; undefined for a workload endpoint. */
export function hostName(key: SubjectKey): string | undefined {
  return key.startsWith(hostPrefix) ? key.slice(hostPrefix.length) : undefined;
}

export function isHost(subject: Subject): subject is HostEndpoint {
  return 'expectedAddresses' in subject;
}

/** Untracked and pre-DNAT policies are for host endpoints alone. */
export function isForHostsOnly({ applies }: Policy): boolean {
  return applies?.doNotTrack === true || applies?.preDnat === true;
}

/** The directions in which a policy isolates; a pre-DNAT policy sees what comes in only. */
export function isolates({ types, applies }: Policy): Policy['types'] {
  return types.egress && applies?.preDnat === true ? { ingress: types.ingress, egress: false } : types;
}
