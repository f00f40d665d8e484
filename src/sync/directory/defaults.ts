// What kubectl and the API server fill in when they take an object: here nobody else does it.

import { namespaces } from '../resources/namespace.ts';
import { identityOf } from '../resources/object-meta.ts';
import type { AnyResource } from '../resources/resource.ts';
import { type Fields, fieldsOf, isAbsent } from '../resources/wire.ts';

/** The object with its defaults; whatever is malformed is left for validation. Never changes the original: YAML aliases share parts. */
export function withDefaults(resource: AnyResource, object: Fields): Fields {
  const metadata = fieldsOf(object['metadata']);
  if (metadata === undefined) return object;
  if (resource.namespaced && isAbsent(metadata['namespace'])) return { ...object, metadata: { ...metadata, namespace: 'default' } };
  return resource === namespaces ? namespaceWithName(object, metadata) : object;
}

/** The API server gives each Namespace a label with its name (KEP-2161), whatever the manifest says. */
function namespaceWithName(object: Fields, metadata: Fields): Fields {
  const identity = identityOf(object, false);
  const labels = isAbsent(metadata['labels']) ? {} : fieldsOf(metadata['labels']);
  if (identity === undefined || labels === undefined) return object;
  return { ...object, metadata: { ...metadata, labels: { ...labels, 'kubernetes.io/metadata.name': identity.name } } };
}
