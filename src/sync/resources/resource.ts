// A kind of object that is read: what it is called on the wire, what it becomes in the model, and how. One constant per kind, in
// the file of that kind.

import type { ValueKind, Values } from '../../model/update.ts';
import type { DecodeContext } from './decode-context.ts';
import type { Identity } from './object-meta.ts';
import type { Decoded } from './problem.ts';

export interface Resource<K extends ValueKind = ValueKind> {
  /** As in the wire object, e.g. "Pod". */
  readonly kind: string;
  /** "v1", or group and version. */
  readonly apiVersion: string;
  /** As in the path and in RBAC rules, e.g. "pods". */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly valueKind: K;
  /** The key of its updates. */
  key(identity: Identity): string;
  /** Takes anything, never throws. Keeps no reference to the object, which is large. */
  decode(object: unknown, context: DecodeContext): Decoded<Values[K]>;
  /** Whether two values are the same to everything that follows. */
  same(a: Values[K], b: Values[K]): boolean;
}

export type AnyResource = { readonly [K in ValueKind]: Resource<K> }[ValueKind];

/** Path of the collection, all namespaces. */
export function collectionPath(resource: Pick<Resource, 'apiVersion' | 'plural'>): string {
  return `${resource.apiVersion.includes('/') ? '/apis' : '/api'}/${resource.apiVersion}/${resource.plural}`;
}
