// Random changes of a cluster as manifests: the worlds and histories of the property tests, of which only those are kept that the
// API server would accept (the others would make a bad file). In: a seed. Out: objects to begin with, and changes one by one, each
// with the world after it.

import * as fc from 'fast-check';
import { stringify } from 'yaml';
import type { WireObject, World } from '../../../src/model/verdict.ts';
import { readManifest } from '../../../src/sync/directory/manifest.ts';
import { DecodeContext } from '../../../src/sync/resources/decode-context.ts';
import { apply, step, take } from '../../property/changes.ts';
import type { Change } from '../../property/changes.ts';
import { drawWorlds } from '../../property/worlds.ts';
import { NODE_NAME } from './objects.ts';

export interface RandomHistory {
  readonly initial: readonly WireObject[];
  readonly changes: readonly Change[];
  /** The world after all of them. */
  readonly final: World;
}

export function randomHistory(seed: number, length: number): RandomHistory {
  const [drawn] = drawWorlds(seed, 1);
  const initial = (drawn?.objects ?? []).filter(isAccepted).map(asStored);
  let world: World = {
    node: NODE_NAME,
    objects: initial,
    options: { interfacePrefixes: ['cali'], defaultEndpointToHostAction: 'DROP' },
  };
  const changes: Change[] = [];
  for (const each of fc.sample(step, { seed, numRuns: 2 * length })) {
    for (const change of take(world, [each]).changes) {
      if (changes.length === length || !isAccepted(change.object)) continue;
      const stored: Change = { ...change, object: asStored(change.object) };
      changes.push(stored);
      world = apply(world, stored);
    }
  }
  return { initial, changes, final: world };
}

function isAccepted(object: WireObject): boolean {
  return 'manifest' in readManifest(stringify(object), new DecodeContext({ node: NODE_NAME, interfacePrefix: 'cali' }));
}

/** The API server gives each Namespace a label with its name. */
function asStored(object: WireObject): WireObject {
  if (object.kind !== 'Namespace') return object;
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name } } };
}
