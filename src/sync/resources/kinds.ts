// The kinds that are read, by every source.

import { calicoNetworkPolicies } from './calico-network-policy.ts';
import { globalNetworkPolicies } from './global-network-policy.ts';
import { namespaces } from './namespace.ts';
import { networkPolicies } from './network-policy.ts';
import { globalNetworkSets, networkSets } from './network-set.ts';
import { pods } from './pod.ts';
import type { AnyResource } from './resource.ts';
import { serviceAccounts } from './service-account.ts';
import { tiers } from './tier.ts';

/** What every API server serves and policy cannot do without. */
export const coreKinds: readonly AnyResource[] = Object.freeze([namespaces, serviceAccounts, networkPolicies, pods]);

export const kinds: readonly AnyResource[] = Object.freeze([
  ...coreKinds,
  tiers,
  globalNetworkPolicies,
  calicoNetworkPolicies,
  globalNetworkSets,
  networkSets,
]);
