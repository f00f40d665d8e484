// The kinds that are read, by every source.

import { adminNetworkPolicies, baselineAdminNetworkPolicies } from './admin-network-policy.ts';
import { calicoNetworkPolicies } from './calico-network-policy.ts';
import { clusterNetworkPolicies } from './cluster-network-policy.ts';
import { bgpConfigurations, clusterInformations, felixConfigurations, ipPools, nodes } from './cluster-settings.ts';
import { endpointSlices } from './endpoint-slice.ts';
import { globalNetworkPolicies } from './global-network-policy.ts';
import { hostEndpoints } from './host-endpoint.ts';
import { namespaces } from './namespace.ts';
import { networkPolicies } from './network-policy.ts';
import { globalNetworkSets, networkSets } from './network-set.ts';
import { pods } from './pod.ts';
import type { AnyResource } from './resource.ts';
import { serviceAccounts } from './service-account.ts';
import { stagedGlobalNetworkPolicies, stagedKubernetesNetworkPolicies, stagedNetworkPolicies } from './staged-policies.ts';
import { tiers } from './tier.ts';

/** What every API server serves and policy cannot do without. */
export const coreKinds: readonly AnyResource[] = Object.freeze([namespaces, serviceAccounts, networkPolicies, pods]);

export const kinds: readonly AnyResource[] = Object.freeze([
  ...coreKinds,
  endpointSlices,
  nodes,
  clusterNetworkPolicies,
  adminNetworkPolicies,
  baselineAdminNetworkPolicies,
  tiers,
  globalNetworkPolicies,
  calicoNetworkPolicies,
  globalNetworkSets,
  networkSets,
  hostEndpoints,
  stagedGlobalNetworkPolicies,
  stagedNetworkPolicies,
  stagedKubernetesNetworkPolicies,
  ipPools,
  felixConfigurations,
  clusterInformations,
  bgpConfigurations,
]);
