// policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy → Policy. Its tier is one of two, before and after all others.

import { deepEqual } from '../../lib/deep-equal.ts';
import { policyKey } from '../../model/policy.ts';
import { type AdminPolicyForm, decodeAdminPolicy, readPriority } from './admin-policy.ts';
import { readProtocols } from './admin-ports.ts';
import type { Resource } from './resource.ts';
import { shown } from './wire.ts';

export const clusterNetworkPolicies: Resource<'policy'> = {
  kind: 'ClusterNetworkPolicy',
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  isOptional: true,
  plural: 'clusternetworkpolicies',
  namespaced: false,
  valueKind: 'policy',
  key: ({ name }) => policyKey('kcnp', '', name),
  decode: (object) => decodeAdminPolicy(object, clusterNetworkPolicies, form),
  same: deepEqual,
};

const form: AdminPolicyForm = {
  policyKind: 'kcnp',
  actions: new Map([['Accept', 'allow'], ['Deny', 'deny'], ['Pass', 'pass']]),
  rules: 25,
  peers: 25,
  needsNamespaceSelector: false,
  fields: ['tier', 'priority'],
  portsField: 'protocols',
  readPorts: readProtocols,
  takesNamesOfNetworks: true,
  placeOf: ({ tier, priority }, _, report) => {
    // In a tier that nobody knows it is in the first one: behind none that allows what it denies.
    if (tier !== 'Admin' && tier !== 'Baseline') report('spec.tier', `${shown(tier)} is no tier`, 'use Admin or Baseline');
    return { tier: tier === 'Baseline' ? 'kube-baseline' : 'kube-admin', order: readPriority(priority, report) };
  },
};
