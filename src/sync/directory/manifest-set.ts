// The objects of all files together. In: each file's objects, whenever they change. Out: the updates that they mean.
//
// Always: an object that is defined more than once is taken from the file whose name sorts first, and there from its first
// definition, whatever the order in which the files were read.

import type { Logger } from '../../lib/logger.ts';
import type { Update } from '../../model/update.ts';
import { namespaces } from '../resources/namespace.ts';
import { identityText } from '../resources/object-meta.ts';
import { pods } from '../resources/pod.ts';
import { type AnyResource, titleOf } from '../resources/resource.ts';
import type { ResourceCache } from '../resources/resource-cache.ts';
import type { ManifestObject } from './manifest.ts';

interface Claim {
  readonly file: string;
  readonly object: ManifestObject;
}

export class ManifestSet {
  readonly #caches: ReadonlyMap<AnyResource, ResourceCache>;
  readonly #logger: Logger;
  readonly #files = new Map<string, readonly ManifestObject[]>();
  /** Sorted by file, then line; the first one counts. */
  readonly #claims = new Map<string, readonly Claim[]>();
  readonly #podsByNamespace = new Map<string, number>();
  readonly #warnedNamespaces = new Set<string>();

  constructor(caches: ReadonlyMap<AnyResource, ResourceCache>, logger: Logger) {
    this.#caches = caches;
    this.#logger = logger;
  }

  /** Number of objects, each counted once. */
  get size(): number {
    return this.#claims.size;
  }

  /** Takes the new contents of some files (none: the file is gone) as one change. */
  replace(files: ReadonlyMap<string, readonly ManifestObject[]>): Update[] {
    const touched = new Map<string, ManifestObject>();
    const before = new Map<string, Claim | undefined>();
    const touch = (object: ManifestObject): string => {
      const key = keyOf(object);
      if (!touched.has(key)) before.set(key, this.#claims.get(key)?.[0]);
      touched.set(key, object);
      return key;
    };
    for (const [file, objects] of files) {
      for (const key of new Set((this.#files.get(file) ?? []).map(touch))) {
        this.#setClaims(key, (this.#claims.get(key) ?? []).filter((claim) => claim.file !== file));
      }
      for (const object of objects) {
        const key = touch(object);
        this.#setClaims(key, [...(this.#claims.get(key) ?? []), { file, object }].sort(byFileAndLine));
      }
      if (objects.length === 0) this.#files.delete(file);
      else this.#files.set(file, objects);
    }
    const updates = [...touched].map(([key, object]) => this.#resolve(key, object, before.get(key)));
    for (const { identity } of touched.values()) this.#checkNamespace(identity.namespace === '' ? identity.name : identity.namespace);
    return updates.filter((update) => update !== undefined);
  }

  #resolve(key: string, { resource, identity }: ManifestObject, before: Claim | undefined): Update | undefined {
    const cache = this.#caches.get(resource);
    const [winner, second] = this.#claims.get(key) ?? [];
    if (resource === pods) this.#countPod(identity.namespace, (winner === undefined ? 0 : 1) - (before === undefined ? 0 : 1));
    if (winner === undefined) return cache?.remove(identity);
    if (second !== undefined) {
      const at = ({ file, object }: Claim): string => `${file}:${object.line}`;
      const name = `${titleOf(resource)} ${identityText(identity)}`;
      this.#logger.warn({ object: name, used: at(winner), ignored: at(second) }, `${name} is defined twice: ${at(winner)} is used, ${at(second)} is not; remove one of them`);
    }
    return cache?.upsert(winner.object.object);
  }

  #setClaims(key: string, claims: readonly Claim[]): void {
    if (claims.length === 0) this.#claims.delete(key);
    else this.#claims.set(key, claims);
  }

  #countPod(namespace: string, by: number): void {
    const count = (this.#podsByNamespace.get(namespace) ?? 0) + by;
    if (count === 0) this.#podsByNamespace.delete(namespace);
    else this.#podsByNamespace.set(namespace, count);
  }

  /** An API server would not have taken a pod of a namespace that does not exist; a folder can hold one. */
  #checkNamespace(namespace: string): void {
    const missing = this.#podsByNamespace.has(namespace) && !this.#claims.has(`${namespaces.kind} ${namespace}`);
    if (!missing) this.#warnedNamespaces.delete(namespace);
    if (!missing || this.#warnedNamespaces.has(namespace)) return;
    this.#warnedNamespaces.add(namespace);
    this.#logger.warn(
      { namespace },
      `namespace ${namespace} has pods but no Namespace manifest: they match no namespaceSelector, and are denied where no policy applies; add a Namespace manifest`,
    );
  }
}

function keyOf({ resource, identity }: ManifestObject): string {
  return `${titleOf(resource)} ${identityText(identity)}`;
}

function byFileAndLine(a: Claim, b: Claim): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.object.line - b.object.line;
}
