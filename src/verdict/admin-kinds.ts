// In which words the kinds of the network policy API differ: their actions, their tiers and orders, and how they write ports.

import type { AdminKind, AdminPlace } from './admin-policy.ts';
import type { Fields, Report } from './wire.ts';

/** By "apiVersion kind". */
export const adminKinds: ReadonlyMap<string, AdminKind> = new Map<string, AdminKind>([
  [
    'policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy',
    {
      calicoKind: 'KubernetesClusterNetworkPolicy',
      actions: { Accept: 'allow', Deny: 'deny', Pass: 'pass' },
      ports: 'protocols',
      maxEntries: 25,
      specFields: ['tier', 'priority', 'subject', 'ingress', 'egress'],
      place: clusterPlace,
      isSingleton: false,
    },
  ],
  [
    'policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy',
    {
      calicoKind: 'KubernetesAdminNetworkPolicy',
      actions: { Allow: 'allow', Deny: 'deny', Pass: 'pass' },
      ports: 'ports',
      maxEntries: 100,
      specFields: ['priority', 'subject', 'ingress', 'egress'],
      place: (spec, report) => placeIn('adminnetworkpolicy', spec, report),
      isSingleton: false,
    },
  ],
  [
    'policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy',
    {
      calicoKind: 'KubernetesBaselineAdminNetworkPolicy',
      actions: { Allow: 'allow', Deny: 'deny' },
      ports: 'ports',
      maxEntries: 100,
      specFields: ['subject', 'ingress', 'egress'],
      place: () => ({ isReadable: true, tier: 'baselineadminnetworkpolicy', order: 0 }),
      isSingleton: true,
    },
  ],
]);

/** A tier that cannot be read could be the first one, where denials close most. */
function clusterPlace(spec: Fields, report: Report): AdminPlace {
  const { tier } = spec;
  if (tier === 'Baseline') return placeIn('kube-baseline', spec, report);
  const place = placeIn('kube-admin', spec, report);
  if (tier === 'Admin') return place;
  report('spec.tier', 'must be Admin or Baseline');
  return { ...place, isReadable: false };
}

/** A priority that is none comes first, for the same reason. */
function placeIn(tier: string, { priority }: Fields, report: Report): AdminPlace {
  const isReadable = Number.isInteger(priority) && Number(priority) >= 0 && Number(priority) <= 1000;
  if (!isReadable) report('spec.priority', 'must be a whole number from 0 to 1000');
  return { isReadable, tier, order: isReadable ? Number(priority) : -Infinity };
}
