// A kind of object that is read: what it is called on the wire, what it becomes in the model, and how. One constant per kind, in
// the file of that kind.

import type { ValueKind, Values } from '../../model/update.ts';
import type { DecodeContext } from './decode-context.ts';
import type { Identity } from './object-meta.ts';
import type { Decoded } from './problem.ts';
import { fieldsOf } from './wire.ts';

/**
 * What in-sync and readiness ask of a kind that is installed. "strict": its first complete list, and that it is not refused.
 * "unless-refused": its first list, unless the API server forbids it, which is a warning. "none": nothing.
 */
export type Gating = 'strict' | 'unless-refused' | 'none';

/** What a source must know of a kind. */
export interface WireKind {
  /** As in the wire object, e.g. "Pod". */
  readonly kind: string;
  /** What logs, metrics and status call it; absent: the kind. Given where two groups have a kind of that name. */
  readonly title?: string;
  /** "v1", or group and version. */
  readonly apiVersion: string;
  /** Groups and versions that may serve the same objects instead, in the order in which they are looked for after `apiVersion`. */
  readonly otherApiVersions?: readonly string[];
  /** Not every API server serves it: discovery says whether it is installed. */
  readonly isOptional?: true;
  /** Absent: strict. */
  readonly gating?: Gating;
  /** As in the path and in RBAC rules, e.g. "pods". */
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface Resource<K extends ValueKind = ValueKind> extends WireKind {
  readonly valueKind: K;
  /** The key of its updates. */
  key(identity: Identity): string;
  /** Takes anything, never throws. Keeps no reference to the object, which is large. */
  decode(object: unknown, context: DecodeContext): Decoded<Values[K]>;
  /** Whether two values are the same to everything that follows. */
  same(a: Values[K], b: Values[K]): boolean;
}

/** A kind whose objects are checked and counted, and of which calc is not told. */
export interface CountedResource extends WireKind {
  readonly valueKind?: never;
  /** True: an object that counts. */
  decode(object: unknown, context: DecodeContext): Decoded<true>;
}

export type AnyResource = { readonly [K in ValueKind]: Resource<K> }[ValueKind] | CountedResource;

/** Path of the collection, all namespaces. */
export function collectionPath(resource: Pick<WireKind, 'apiVersion' | 'plural'>): string {
  return `${resource.apiVersion.includes('/') ? '/apis' : '/api'}/${resource.apiVersion}/${resource.plural}`;
}

/** Unique among the kinds. */
export function titleOf({ title, kind }: Pick<WireKind, 'title' | 'kind'>): string {
  return title ?? kind;
}

/** Whether objects of this group and version are of the kind. */
export function serves({ apiVersion, otherApiVersions = [] }: WireKind, claimed: unknown): claimed is string {
  return typeof claimed === 'string' && (claimed === apiVersion || otherApiVersions.includes(claimed));
}

/** The group and version of an object of the kind; the kind's first one where it says nothing, as items of lists do. */
export function apiVersionOf(kind: WireKind, object: unknown): string {
  const claimed = fieldsOf(object)?.['apiVersion'];
  return serves(kind, claimed) ? claimed : kind.apiVersion;
}
