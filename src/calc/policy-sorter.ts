// The order in which policies are tried.
//
//   tiers ──▶ ┌───────────────┐
//             │ policy sorter │ ◀──▶ policies of one endpoint, sorted into tiers
//             └───────────────┘
//
// Tiers by order, then by name; policies of a tier by order (none is last), then by the text "name/namespace/kind". Source: felix
// calc/policy_sorter.go. A tier that policies name but nobody defines comes after all others and ends in deny: a policy that is
// known is never skipped. The tiers of Kubernetes' own kinds of policy always exist.

import type { EndpointTier } from '../model/desired.ts';
import type { Policy, PolicyKind } from '../model/policy.ts';
import type { Tier } from '../model/tier.ts';
import { defaultTierName, defaultTierOrder } from '../model/tier.ts';
import { isolates } from './subject.ts';

export interface KeyedPolicy {
  readonly key: string;
  readonly policy: Policy;
}

type Rank = Pick<Tier, 'name' | 'order' | 'defaultAction'>;

/** Tiers that hold without a Tier object, and as long as none of that name says otherwise. */
const builtInTiers: ReadonlyMap<string, Rank> = new Map(
  (
    [
      [defaultTierName, defaultTierOrder, 'deny'],
      ['kube-admin', 1_000, 'pass'],
      ['kube-baseline', 10_000_000, 'pass'],
      ['adminnetworkpolicy', 1_000, 'pass'],
      ['baselineadminnetworkpolicy', 10_000_000, 'pass'],
    ] as const
  ).map(([name, order, defaultAction]) => [name, { name, order, defaultAction }]),
);

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

  /** The policies as one endpoint sees them: in tiers, in order, each in the directions in which it isolates (one at least). */
  sort(policies: Iterable<KeyedPolicy>): readonly EndpointTier[] {
    const byTier = new Map<string, Sortable[]>();
    for (const { key, policy } of policies) {
      const sortable = { key, types: isolates(policy), order: policy.order ?? Infinity, tie: tieBreak(policy) };
      const others = byTier.get(policy.tier);
      if (others === undefined) byTier.set(policy.tier, [sortable]);
      else others.push(sortable);
    }
    const ranks = [...byTier.keys()].map((name) => this.#rank(name)).sort((a, b) => byNumber(a.order, b.order) || byText(a.name, b.name));
    return ranks.map(({ name, defaultAction }) => {
      const sorted = (byTier.get(name) ?? []).sort((a, b) => byNumber(a.order, b.order) || byText(a.tie, b.tie) || byText(a.key, b.key));
      return {
        name,
        defaultAction,
        ingress: sorted.filter(({ types }) => types.ingress).map(({ key }) => key),
        egress: sorted.filter(({ types }) => types.egress).map(({ key }) => key),
      };
    });
  }

  #rank(name: string): Rank {
    return this.#tiers.get(name) ?? builtInTiers.get(name) ?? { name, order: Infinity, defaultAction: 'deny' };
  }
}

interface Sortable {
  readonly key: string;
  readonly types: Policy['types'];
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
