// The order in which policies are tried.
//
//   tiers ──▶ ┌───────────────┐
//             │ policy sorter │ ◀──▶ policies of one endpoint, sorted into tiers
//             └───────────────┘
//
// Tiers by order, then by name; policies of a tier by order (none is last), then by the text "name/namespace/kind". Source: felix
// calc/policy_sorter.go. A tier that policies name but nobody defines comes after all others and ends in deny: a policy that is
// known is never skipped. The tier "default" always exists.

import type { EndpointTier } from '../model/desired.ts';
import type { Policy, PolicyKind } from '../model/policy.ts';
import type { Tier } from '../model/tier.ts';
import { defaultTierName, defaultTierOrder } from '../model/tier.ts';

export interface KeyedPolicy {
  readonly key: string;
  readonly policy: Policy;
}

type Rank = Pick<Tier, 'name' | 'order' | 'defaultAction'>;

const defaultTier: Rank = { name: defaultTierName, order: defaultTierOrder, defaultAction: 'deny' };

/** Calico's names of the kinds, which break the last ties. */
const kindNames: Readonly<Record<PolicyKind, string>> = {
  knp: 'KubernetesNetworkPolicy',
  np: 'NetworkPolicy',
  gnp: 'GlobalNetworkPolicy',
  kcnp: 'KubernetesClusterNetworkPolicy',
  kanp: 'KubernetesAdminNetworkPolicy',
  kbanp: 'KubernetesBaselineAdminNetworkPolicy',
};

export class PolicySorter {
  readonly #tiers = new Map<string, Tier>();

  setTier(name: string, tier: Tier | undefined): void {
    if (tier === undefined) this.#tiers.delete(name);
    else this.#tiers.set(name, tier);
  }

  /** The policies as one endpoint sees them: in tiers, in order, each in the directions in which it isolates. */
  sort(policies: Iterable<KeyedPolicy>): readonly EndpointTier[] {
    const byTier = new Map<string, Sortable[]>();
    for (const { key, policy } of policies) {
      const sortable = { key, policy, order: policy.order ?? Infinity, tie: tieBreak(policy) };
      const others = byTier.get(policy.tier);
      if (others === undefined) byTier.set(policy.tier, [sortable]);
      else others.push(sortable);
    }
    const ranks = [...byTier.keys()].map((name) => this.#rank(name)).sort((a, b) => byNumber(a.order, b.order) || byText(a.name, b.name));
    return ranks.map(({ name, defaultAction }) => {
      const sorted = (byTier.get(name) ?? []).sort((a, b) => byNumber(a.order, b.order) || byText(a.tie, b.tie));
      return {
        name,
        defaultAction,
        ingress: sorted.filter(({ policy }) => policy.types.ingress).map(({ key }) => key),
        egress: sorted.filter(({ policy }) => policy.types.egress).map(({ key }) => key),
      };
    });
  }

  #rank(name: string): Rank {
    const known = this.#tiers.get(name) ?? (name === defaultTierName ? defaultTier : undefined);
    return known ?? { name, order: Infinity, defaultAction: 'deny' };
  }
}

interface Sortable extends KeyedPolicy {
  readonly order: number;
  readonly tie: string;
}

function tieBreak({ origin, kind }: Policy): string {
  return `${origin.name}/${origin.namespace}/${kindNames[kind]}`;
}

/** Unlike a subtraction right for two infinities. */
function byNumber(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
