// From wire objects to batches, by the real decoders: what a source does, without its input and output.

import { noMetrics } from '../../src/lib/metrics.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Judge, WireObject, World } from '../../src/model/verdict.ts';
import type { Batch, Update } from '../../src/model/update.ts';
import { DecodeContext } from '../../src/sync/resources/decode-context.ts';
import { InvalidObjects } from '../../src/sync/resources/invalid-objects.ts';
import { kinds } from '../../src/sync/resources/kinds.ts';
import { resourceCache } from '../../src/sync/resources/resource-cache.ts';
import type { ResourceCache } from '../../src/sync/resources/resource-cache.ts';
import type { Change } from './changes.ts';

export class Feed {
  readonly invalid = new InvalidObjects(silentLogger, noMetrics);
  readonly #caches: readonly ResourceCache[];

  constructor({ node, options }: Pick<World, 'node' | 'options'>) {
    const context = new DecodeContext({ node, interfacePrefix: options.interfacePrefixes[0] ?? '', httpIsEnforcedElsewhere: options.httpRules === 'Ignore' });
    this.#caches = kinds.map((resource) => resourceCache(resource, context, this.invalid));
  }

  /** A complete list of every kind: the difference to what was known before. */
  list(objects: readonly WireObject[]): readonly Update[] {
    return this.#caches.flatMap((cache) => {
      const replacement = cache.replace();
      for (const object of objects) if (isOf(cache, object)) replacement.add(object);
      return replacement.finish();
    });
  }

  /** "Pod default/web", sorted. Staged policies have problems too, but they are nobody's. */
  invalidNames(): readonly string[] {
    const enforced = this.invalid.list().filter(({ kind }) => !kind.startsWith('Staged'));
    return [...new Set(enforced.map(({ kind, name }) => `${kind.split('.')[0]} ${name}`))].sort();
  }

  change(change: Change): readonly Update[] {
    const { metadata } = change.object;
    const identity = { namespace: metadata.namespace ?? '', name: metadata.name };
    return this.#caches.flatMap((cache) => {
      if (!isOf(cache, change.object)) return [];
      return (change.op === 'put' ? cache.upsert(change.object) : cache.remove(identity)) ?? [];
    });
  }
}

/** As the policies' own reading finds them. */
export function invalidNames({ invalid }: Judge): readonly string[] {
  return [...new Set(invalid.map(({ kind, namespace, name }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`))].sort();
}

export function batchOf(updates: readonly Update[], inSync?: true): Batch {
  return { resource: 'any', updates, receivedAt: 0, ...(inSync === undefined ? {} : { inSync }) };
}

function isOf({ resource }: ResourceCache, object: WireObject): boolean {
  return object.kind === resource.kind && object.apiVersion === resource.apiVersion;
}
