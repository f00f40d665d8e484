// What each endpoint of this node is policed by: its tiers and policies in order, and its profiles.
//
//   endpoints that changed ──▶ ┌─────────────────┐
//   tiers that changed     ──▶ │ policy resolver │ ──▶ active endpoints
//                              └─────────────────┘
//
// Only what is named is resolved; nothing is remembered but which tiers an endpoint sees, so that a tier that changes finds its
// endpoints. It does not know which policies select an endpoint (active policies) nor what was sent (change sequencer).

import { Relation } from '../lib/relation.ts';
import type { ActiveEndpoint } from '../model/desired.ts';
import type { Tier } from '../model/tier.ts';
import type { ActivePolicies } from './active-policies.ts';
import type { KeyedPolicy, PolicySorter } from './policy-sorter.ts';

export class PolicyResolver {
  readonly #active: ActivePolicies;
  readonly #sorter: PolicySorter;
  /** Keys of endpoints to names of the tiers that police them. */
  readonly #tiers = new Relation<string, string>();
  readonly #unresolved = new Set<string>();

  constructor(active: ActivePolicies, sorter: PolicySorter) {
    this.#active = active;
    this.#sorter = sorter;
  }

  setTier(name: string, tier: Tier | undefined): void {
    this.#sorter.setTier(name, tier);
    for (const endpoint of this.#tiers.lefts(name)) this.#unresolved.add(endpoint);
  }

  /** The named endpoints, and those that a tier's change concerns; undefined for those that are no longer. */
  *flush(changed: Iterable<string>): Generator<readonly [key: string, endpoint: ActiveEndpoint | undefined]> {
    for (const key of changed) this.#unresolved.add(key);
    for (const key of this.#unresolved) yield [key, this.#resolve(key)];
    this.#unresolved.clear();
  }

  #resolve(key: string): ActiveEndpoint | undefined {
    const endpoint = this.#active.endpoint(key);
    const tiers = endpoint === undefined ? [] : this.#sorter.sort(this.#policies(key));
    const names = new Set(tiers.map(({ name }) => name));
    for (const name of this.#tiers.rights(key)) if (!names.has(name)) this.#tiers.unlink(key, name);
    for (const name of names) this.#tiers.link(key, name);
    if (endpoint?.interfaceName === undefined) return undefined;
    const { origin, interfaceName, addresses, profiles } = endpoint;
    return { key, origin, interfaceName, addresses, tiers, profiles };
  }

  *#policies(endpoint: string): Generator<KeyedPolicy> {
    for (const key of this.#active.policiesOf(endpoint)) {
      const policy = this.#active.policy(key);
      if (policy !== undefined) yield { key, policy };
    }
  }
}
