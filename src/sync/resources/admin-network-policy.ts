// policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy and BaselineAdminNetworkPolicy → Policy: what ClusterNetworkPolicy was before.
// Clusters that have them also have agents' roles that do not grant them: refused, they are a warning.

import { deepEqual } from '../../lib/deep-equal.ts';
import { policyKey } from '../../model/policy.ts';
import { type AdminPolicyForm, decodeAdminPolicy, readPriority } from './admin-policy.ts';
import { readPorts } from './admin-ports.ts';
import type { Resource } from './resource.ts';
import { shown } from './wire.ts';

const common = { apiVersion: 'policy.networking.k8s.io/v1alpha1', isOptional: true, gating: 'unless-refused', namespaced: false } as const;

export const adminNetworkPolicies: Resource<'policy'> = {
  kind: 'AdminNetworkPolicy',
  ...common,
  plural: 'adminnetworkpolicies',
  valueKind: 'policy',
  key: ({ name }) => policyKey('kanp', '', name),
  decode: (object) => decodeAdminPolicy(object, adminNetworkPolicies, adminForm),
  same: deepEqual,
};

export const baselineAdminNetworkPolicies: Resource<'policy'> = {
  kind: 'BaselineAdminNetworkPolicy',
  ...common,
  plural: 'baselineadminnetworkpolicies',
  valueKind: 'policy',
  key: ({ name }) => policyKey('kbanp', '', name),
  decode: (object) => decodeAdminPolicy(object, baselineAdminNetworkPolicies, baselineForm),
  same: deepEqual,
};

const limits = { rules: 100, peers: 100, needsNamespaceSelector: true, portsField: 'ports', readPorts, takesNamesOfNetworks: false };

const adminForm: AdminPolicyForm = {
  ...limits,
  policyKind: 'kanp',
  actions: new Map([['Allow', 'allow'], ['Deny', 'deny'], ['Pass', 'pass']]),
  fields: ['priority'],
  placeOf: ({ priority }, _, report) => ({ tier: 'adminnetworkpolicy', order: readPriority(priority, report) }),
};

const baselineForm: AdminPolicyForm = {
  ...limits,
  policyKind: 'kbanp',
  actions: new Map([['Allow', 'allow'], ['Deny', 'deny']]),
  fields: [],
  placeOf: (_, name, report) => {
    if (name !== 'default') report('metadata.name', `${shown(name)} is not the one there may be`, 'call it default');
    return { tier: 'baselineadminnetworkpolicy' };
  },
};
