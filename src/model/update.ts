// The contract between sync and calc: all that sync may tell calc.
//
//  - An update carries the whole object; a delete only its key. A key says "kind of thing + identity" within its `kind`.
//  - Values are valid (sync validates, and converts what is broken so that it fails closed) and are never changed afterwards.
//  - The first list of a kind, the difference after a relist, and a changed file are one batch each.
//  - Batches of one source arrive in order. Repeating an update, or deleting what is absent, has no effect.

import type { WorkloadEndpoint } from './endpoint.ts';
import type { HostEndpoint } from './host-endpoint.ts';
import type { NetworkSet } from './network-set.ts';
import type { Policy } from './policy.ts';
import type { Profile } from './profile.ts';
import type { ServiceEndpoints } from './service-endpoints.ts';
import type { Tier } from './tier.ts';

export interface Values {
  /** Keyed "namespace/pod". */
  readonly endpoint: WorkloadEndpoint;
  /** Keyed by profile name. */
  readonly profile: Profile;
  /** Keyed by policyKey(). */
  readonly policy: Policy;
  /** Keyed by tier name. */
  readonly tier: Tier;
  /** Keyed "namespace/name"; "/name" for a global one. */
  readonly networkSet: NetworkSet;
  /** Keyed by name. */
  readonly hostEndpoint: HostEndpoint;
  /** Keyed "namespace/slice". */
  readonly serviceEndpoints: ServiceEndpoints;
}

export type ValueKind = keyof Values;

export type Upsert<K extends ValueKind = ValueKind> = {
  [T in K]: { readonly op: 'upsert'; readonly kind: T; readonly key: string; readonly value: Values[T] };
}[K];

export interface Delete {
  readonly op: 'delete';
  readonly kind: ValueKind;
  readonly key: string;
}

export type Update = Upsert | Delete;

export interface Batch {
  /** The resource the batch is about, e.g. "Pod"; for stamps and metrics only. */
  readonly resource: string;
  readonly updates: readonly Update[];
  /** performance.now() of this process when the first byte of the change was seen; calc passes it through unread. */
  readonly receivedAt: number;
  /** Set once per source: with this batch every kind that gates has delivered its first complete list. */
  readonly inSync?: true;
}
