// Calico's staged policies: drafts. They are checked as what they would become, counted, and never enforced. One that would delete a
// policy says nothing but which.

import { calicoNetworkPolicies, decodeNamespacedPolicy } from './calico-network-policy.ts';
import { calicoVersions } from './calico-metadata.ts';
import { commonFields } from './calico-policy.ts';
import { decodeGlobalPolicy, globalFields } from './global-network-policy.ts';
import { identityOf } from './object-meta.ts';
import { networkPolicies } from './network-policy.ts';
import { type Decoded, ProblemList } from './problem.ts';
import type { CountedResource } from './resource.ts';
import { type Fields, fieldsOf, isAbsent, shown } from './wire.ts';

const common = { ...calicoVersions, gating: 'none' } as const;

export const stagedGlobalNetworkPolicies: CountedResource = {
  kind: 'StagedGlobalNetworkPolicy',
  ...common,
  plural: 'stagedglobalnetworkpolicies',
  namespaced: false,
  decode: (object, context) => decodeStaged(object, stagedGlobalNetworkPolicies, (draft) => decodeGlobalPolicy(draft, stagedGlobalNetworkPolicies, globalFields, context)),
};

export const stagedNetworkPolicies: CountedResource = {
  kind: 'StagedNetworkPolicy',
  ...common,
  plural: 'stagednetworkpolicies',
  namespaced: calicoNetworkPolicies.namespaced,
  decode: (object, context) => decodeStaged(object, stagedNetworkPolicies, (draft) => decodeNamespacedPolicy(draft, stagedNetworkPolicies, commonFields, context)),
};

export const stagedKubernetesNetworkPolicies: CountedResource = {
  kind: 'StagedKubernetesNetworkPolicy',
  ...common,
  plural: 'stagedkubernetesnetworkpolicies',
  namespaced: networkPolicies.namespaced,
  decode: (object, context) => decodeStaged(object, stagedKubernetesNetworkPolicies, (draft) => networkPolicies.decode(draft, context)),
};

const actions = ['Set', 'Delete', 'Learn', 'Ignore'];

function decodeStaged(object: unknown, { namespaced }: CountedResource, decode: (draft: unknown) => Decoded<unknown>): Decoded<true> {
  const { problems, report } = new ProblemList();
  const { draft, stagedAction = 'Set', others } = withoutAction(object);
  if (typeof stagedAction !== 'string' || !actions.includes(stagedAction)) report('spec.stagedAction', `${shown(stagedAction)} is no action`, `use one of ${actions.join(', ')}`);
  if (stagedAction === 'Delete') for (const name of others) report(`spec.${name}`, 'stands beside stagedAction Delete', 'remove the field');
  // What the draft could not do here is not asked of it.
  else problems.push(...decode(draft).problems.filter(({ isOurs }) => isOurs !== true));
  const value = identityOf(object, namespaced) === undefined ? undefined : true;
  return problems.length === 0 ? { value, problems } : { value, problems, consequence: 'it is not enforced, as any staged policy' };
}

/** `others`: the fields of the spec that say something, but for the tier. */
function withoutAction(object: unknown): { readonly draft: unknown; readonly stagedAction?: unknown; readonly others: readonly string[] } {
  const fields: Fields = fieldsOf(object) ?? {};
  const spec = fieldsOf(fields['spec']);
  if (spec === undefined) return { draft: object, others: [] };
  const { stagedAction, ...rest } = spec;
  const others = Object.keys(rest).filter((name) => name !== 'tier' && !isZero(rest[name]));
  return { draft: { ...fields, spec: rest }, others, ...(isAbsent(stagedAction) || stagedAction === '' ? {} : { stagedAction }) };
}

function isZero(value: unknown): boolean {
  return isAbsent(value) || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}
