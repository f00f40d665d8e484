// What kubectl and the API server fill in when they take an object: here nobody else does it. Only what makes a difference; decoders
// read what is absent as the default that the schema of its kind would fill in.

import { calicoNetworkPolicies } from '../resources/calico-network-policy.ts';
import { globalNetworkPolicies } from '../resources/global-network-policy.ts';
import { namespaces } from '../resources/namespace.ts';
import { identityOf } from '../resources/object-meta.ts';
import { pods } from '../resources/pod.ts';
import type { AnyResource } from '../resources/resource.ts';
import { type Fields, fieldsOf, isAbsent } from '../resources/wire.ts';

/** The object with its defaults; whatever is malformed is left for validation. Never changes the original: YAML aliases share parts. */
export function withDefaults(resource: AnyResource, object: Fields): Fields {
  const metadata = fieldsOf(object['metadata']);
  if (metadata === undefined) return object;
  if (resource === namespaces) return namespaceWithName(object, metadata);
  const placed = resource.namespaced && isAbsent(metadata['namespace']) ? { ...object, metadata: { ...metadata, namespace: 'default' } } : object;
  if (resource === pods) return podWithAccount(placed);
  const isPolicy = resource === calicoNetworkPolicies || resource === globalNetworkPolicies;
  return isPolicy && object['apiVersion'] === 'projectcalico.org/v3' ? policyWithTypes(placed) : placed;
}

/**
 * Calico's API fills in the directions of which a policy has rules, or Ingress. Its store, crd.projectcalico.org/v1, fills in nothing:
 * there, none given means both.
 */
function policyWithTypes(object: Fields): Fields {
  const spec = isAbsent(object['spec']) ? {} : fieldsOf(object['spec']);
  if (spec === undefined || !(isAbsent(spec['types']) || (Array.isArray(spec['types']) && spec['types'].length === 0))) return object;
  const has = (direction: unknown): boolean => Array.isArray(direction) && direction.length > 0;
  const types = [...(has(spec['ingress']) || !has(spec['egress']) ? ['Ingress'] : []), ...(has(spec['egress']) ? ['Egress'] : [])];
  return { ...object, spec: { ...spec, types } };
}

/** A pod without an account has the one that each namespace has. The field had another name once, which counts where it stands alone. */
function podWithAccount(object: Fields): Fields {
  const spec = fieldsOf(object['spec']);
  if (spec === undefined) return object;
  const isGiven = (name: unknown): boolean => !isAbsent(name) && name !== '';
  const { serviceAccountName, serviceAccount } = spec;
  if (isGiven(serviceAccountName)) return object;
  return { ...object, spec: { ...spec, serviceAccountName: isGiven(serviceAccount) ? serviceAccount : 'default' } };
}

/** The API server gives each Namespace a label with its name (KEP-2161), whatever the manifest says. */
function namespaceWithName(object: Fields, metadata: Fields): Fields {
  const identity = identityOf(object, false);
  const labels = isAbsent(metadata['labels']) ? {} : fieldsOf(metadata['labels']);
  if (identity === undefined || labels === undefined) return object;
  return { ...object, metadata: { ...metadata, labels: { ...labels, 'kubernetes.io/metadata.name': identity.name } } };
}
