// A policy of any kind, in Calico's model.

import type { Origin } from './origin.ts';
import type { Rule } from './rule.ts';
import type { Selector } from './selector/ast.ts';

/**
 * Short kinds as Felix writes them in chain names: knp is Kubernetes' own NetworkPolicy, kcnp its ClusterNetworkPolicy, kanp and
 * kbanp the AdminNetworkPolicy and BaselineAdminNetworkPolicy that came before that, gnp and np Calico's own. Staged kinds never
 * get here.
 */
export type PolicyKind = 'knp' | 'np' | 'gnp' | 'kcnp' | 'kanp' | 'kbanp';

export interface Policy {
  readonly origin: Origin;
  readonly kind: PolicyKind;
  readonly tier: string;
  /** Ascending within the tier; absent means last. Ties are broken by "name/namespace/kind". */
  readonly order?: number;
  readonly selector: Selector;
  /** Directions in which the selected endpoints are isolated by this policy. */
  readonly types: { readonly ingress: boolean; readonly egress: boolean };
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
  /** How it applies; absent: to workload endpoints, and to traffic of host endpoints that ends at the host. */
  readonly applies?: PolicyApplication;
  /** performanceHints AssumeNeededOnEveryNode: rendered although it selects nothing here. */
  readonly isNeededEverywhere?: true;
}

/** Where else, or where instead, a global policy applies. Untracked and pre-DNAT policies never apply to workload endpoints. */
export interface PolicyApplication {
  readonly doNotTrack: boolean;
  readonly preDnat: boolean;
  readonly applyOnForward: boolean;
}

/** Identity of a policy on this node, e.g. "knp/default/web"; also the readable part of its chain names. */
export function policyKey(kind: PolicyKind, namespace: string, name: string): string {
  // Joined, which gives a flat string: a concatenated one would keep its parts alive.
  return (namespace === '' ? [kind, name] : [kind, namespace, name]).join('/');
}
