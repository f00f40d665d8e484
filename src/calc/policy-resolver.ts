// What each endpoint of this node is policed by: its tiers and policies in order, and its profiles.
//
//   endpoints that changed ──▶ ┌─────────────────┐
//   tiers that changed     ──▶ │ policy resolver │ ──▶ active endpoints, active host endpoints
//                              └─────────────────┘
//
// Only what is named is resolved; nothing is remembered but which tiers an endpoint sees, so that a tier that changes finds its
// endpoints. It does not know which policies select an endpoint (active policies) nor what was sent (change sequencer).
//
// Pods of one kind have the same policies: within a flush the same list is sorted once, and the result shared.
//
// A workload endpoint has one list of tiers. A host endpoint has four, for the places in the kernel where its policies act: a policy is
// untracked, or pre-DNAT, or normal, and a normal one may apply to forwarded traffic besides.

import { Relation } from '../lib/relation.ts';
import type { ActiveEndpoint, ActiveHostEndpoint, EndpointTier } from '../model/desired.ts';
import type { HostEndpoint } from '../model/host-endpoint.ts';
import type { Tier } from '../model/tier.ts';
import type { ActivePolicies } from './active-policies.ts';
import type { KeyedPolicy, PolicySorter } from './policy-sorter.ts';
import type { SubjectKey } from './subject.ts';
import { hostName, isForHostsOnly, isHost } from './subject.ts';

export interface Resolved {
  readonly endpoints: ReadonlyMap<string, ActiveEndpoint | undefined>;
  /** By name. */
  readonly hostEndpoints: ReadonlyMap<string, ActiveHostEndpoint | undefined>;
}

export class PolicyResolver {
  readonly #active: ActivePolicies;
  readonly #sorter: PolicySorter;
  /** Keys of endpoints to names of the tiers that police them. */
  readonly #tiers = new Relation<SubjectKey, string>();
  readonly #unresolved = new Set<SubjectKey>();

  constructor(active: ActivePolicies, sorter: PolicySorter) {
    this.#active = active;
    this.#sorter = sorter;
  }

  setTier(name: string, tier: Tier | undefined): void {
    this.#sorter.setTier(name, tier);
    for (const endpoint of this.#tiers.lefts(name)) this.#unresolved.add(endpoint);
  }

  /** The named endpoints, and those that a tier's change concerns; undefined for those that are no longer. */
  flush(changed: Iterable<SubjectKey>): Resolved {
    for (const key of changed) this.#unresolved.add(key);
    const endpoints = new Map<string, ActiveEndpoint | undefined>();
    const hostEndpoints = new Map<string, ActiveHostEndpoint | undefined>();
    const sorted = new SortedLists((keys) => this.#sorter.sort(this.#policies(keys)));
    for (const key of this.#unresolved) {
      const name = hostName(key);
      const policies = [...this.#active.policiesOf(key)];
      if (name === undefined) {
        const tiers = sorted.of(policies);
        this.#rememberTiers(key, tiers);
        endpoints.set(key, this.#workload(key, tiers));
      } else {
        const host = this.#host(key, name, this.#policies(policies));
        this.#rememberTiers(key, host === undefined ? [] : [...host.normal, ...host.untracked, ...host.preDnat]);
        hostEndpoints.set(name, host);
      }
    }
    this.#unresolved.clear();
    return { endpoints, hostEndpoints };
  }

  #workload(key: SubjectKey, tiers: readonly EndpointTier[]): ActiveEndpoint | undefined {
    const endpoint = this.#active.endpoint(key);
    if (endpoint === undefined || isHost(endpoint) || endpoint.interfaceName === undefined) return undefined;
    const { origin, interfaceName, addresses, profiles } = endpoint;
    return { key, origin, interfaceName, addresses, tiers, profiles };
  }

  #host(key: SubjectKey, name: string, policies: readonly KeyedPolicy[]): ActiveHostEndpoint | undefined {
    const endpoint = this.#active.endpoint(key) as HostEndpoint | undefined;
    if (endpoint === undefined) return undefined;
    const { origin, interfaceName, expectedAddresses, profiles } = endpoint;
    const normal = policies.filter(({ policy }) => !isForHostsOnly(policy));
    return {
      key: name,
      origin,
      interfaceName,
      expectedAddresses,
      normal: this.#sorter.sort(normal),
      forward: this.#sorter.sort(normal.filter(({ policy }) => policy.applies?.applyOnForward === true)),
      untracked: this.#sorter.sort(policies.filter(({ policy }) => policy.applies?.doNotTrack === true)),
      preDnat: this.#sorter.sort(policies.filter(({ policy }) => policy.applies?.preDnat === true)),
      profiles,
    };
  }

  #rememberTiers(key: SubjectKey, tiers: readonly EndpointTier[]): void {
    const names = new Set(tiers.map(({ name }) => name));
    for (const name of this.#tiers.rights(key)) if (!names.has(name)) this.#tiers.unlink(key, name);
    for (const name of names) this.#tiers.link(key, name);
  }

  #policies(keys: readonly string[]): readonly KeyedPolicy[] {
    return keys.flatMap((key) => {
      const policy = this.#active.policy(key);
      return policy === undefined ? [] : [{ key, policy }];
    });
  }
}

/** Sorts each list once. */
class SortedLists {
  readonly #sort: (keys: readonly string[]) => readonly EndpointTier[];
  /** Lists of one length that begin and end the same are compared in full. */
  readonly #known = new Map<string, { readonly keys: readonly string[]; readonly tiers: readonly EndpointTier[] }[]>();

  constructor(sort: (keys: readonly string[]) => readonly EndpointTier[]) {
    this.#sort = sort;
  }

  of(keys: readonly string[]): readonly EndpointTier[] {
    const outline = `${keys.length} ${keys[0] ?? ''} ${keys.at(-1) ?? ''}`;
    const alike = this.#known.get(outline) ?? [];
    const same = alike.find((known) => known.keys.every((key, i) => key === keys[i]));
    if (same !== undefined) return same.tiers;
    const tiers = this.#sort(keys);
    this.#known.set(outline, [...alike, { keys, tiers }]);
    return tiers;
  }
}
