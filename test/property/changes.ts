// Random histories of a world: what a watch would report, batch after batch.
//
// A step is drawn without knowing the world (an object to put, or small numbers that pick one) and then taken against the world
// as it is by then; so histories shrink. What always holds: a history's changes, applied in order, lead from world to world.

import * as fc from 'fast-check';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { networkPolicy } from './network-policies.ts';
import { namespaceLabels, podLabels } from './vocabulary.ts';
import { identity, namespaceObject, podObject, serviceAccountObject } from './worlds.ts';

export type Change = { readonly op: 'put'; readonly object: WireObject } | { readonly op: 'remove'; readonly object: WireObject };

const which = fc.nat(0xffff);

/** Steps that put Kubernetes' own objects, and such as `more` draws. */
function stepOf(more: readonly fc.WeightedArbitrary<WireObject>[] = []) {
  const others =
    more.length === 0
      ? []
      : [
          { weight: 12, arbitrary: fc.record({ kind: fc.constant('put' as const), object: fc.oneof(...more) }) },
          { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewrite-slice' as const), which }) },
        ];
  return fc.oneof(
    // Names are few: putting an object often replaces one, with other labels, another node, another address, another spec.
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), object: podObject }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('put' as const), object: fc.oneof(namespaceObject, serviceAccountObject) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), object: networkPolicy }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), which }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('relabel-pod' as const), which, labels: podLabels }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart-pod' as const), which, object: podObject, part: fc.constantFrom('spec', 'status') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('relabel-namespace' as const), which, labels: namespaceLabels }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('re-use-address' as const), which, object: podObject, newFirst: fc.boolean(), oldFinishes: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('finish' as const), which }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('touch' as const), which }) },
    ...others,
  );
}
export type Step = ReturnType<typeof stepOf> extends fc.Arbitrary<infer T> ? T : never;

/** Several batches of a few steps each. */
export function historyOf(more: readonly fc.WeightedArbitrary<WireObject>[] = []) {
  return fc.array(fc.array(stepOf(more), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
}

/** With Kubernetes' own objects only. */
export const step = stepOf();
export const history = historyOf();

/** The changes of one batch, and the world after it. */
export function take(world: World, steps: readonly Step[]): { readonly changes: readonly Change[]; readonly world: World } {
  let next = world;
  const changes: Change[] = [];
  for (const drawn of steps) {
    for (const change of changesOf(next, drawn)) {
      changes.push(change);
      next = apply(next, change);
    }
  }
  return { changes, world: next };
}

export function apply(world: World, change: Change): World {
  const id = identity(change.object);
  const others = world.objects.filter((object) => identity(object) !== id);
  return { ...world, objects: change.op === 'put' ? [...others, change.object] : others };
}

function changesOf(world: World, drawn: Step): readonly Change[] {
  switch (drawn.kind) {
    case 'put':
      return [put(drawn.object)];
    case 'remove':
      return pick(world, drawn.which).map((object) => ({ op: 'remove', object }));
    case 'relabel-pod':
      return pick(world, drawn.which, 'Pod').map((pod) => put({ ...pod, metadata: { ...pod.metadata, labels: drawn.labels } }));
    case 'restart-pod':
      // Other ports, or another address; the rest is as it was.
      return pick(world, drawn.which, 'Pod').map((pod) => put({ ...pod, [drawn.part]: withNodeOf(pod, drawn.object)[drawn.part] }));
    case 'relabel-namespace':
      return pick(world, drawn.which, 'Namespace').map((object) => put({ ...object, metadata: { ...object.metadata, labels: drawn.labels } }));
    case 'finish':
      return pick(world, drawn.which, 'Pod').map((pod) => put(finished(pod)));
    case 'touch':
      return pick(world, drawn.which).map((object) => put({ ...object, metadata: { ...object.metadata, resourceVersion: String(drawn.which) } }));
    case 're-use-address':
      return pick(world, drawn.which, 'Pod').flatMap((old) => {
        if (identity(old) === identity(drawn.object)) return [];
        const gone: Change = drawn.oldFinishes ? put(finished(old)) : { op: 'remove', object: old };
        const come = put({ ...drawn.object, status: { ...(old['status'] as object), phase: 'Running' } });
        return drawn.newFirst ? [come, gone] : [gone, come];
      });
    case 'rewrite-slice':
      // The same endpoints are in two slices for a while.
      return pick(world, drawn.which, 'EndpointSlice').flatMap((old) => {
        const { name } = old.metadata;
        const other = name.endsWith('1') ? name.replace(/1$/, '2') : name.replace(/2$/, '1');
        return [put({ ...old, metadata: { ...old.metadata, name: other } }), { op: 'remove', object: old }];
      });
  }
}

function put(object: WireObject): Change {
  return { op: 'put', object };
}

function finished(pod: WireObject): WireObject {
  return { ...pod, status: { ...(pod['status'] as object), phase: 'Failed' } };
}

function withNodeOf(pod: WireObject, other: WireObject): WireObject {
  return { ...other, spec: { ...(other['spec'] as object), nodeName: (pod['spec'] as { nodeName?: string }).nodeName } };
}

/** Nothing when there is none of the kind. */
function pick(world: World, number: number, kind?: string): readonly WireObject[] {
  const candidates = world.objects.filter((object) => kind === undefined || object.kind === kind);
  const object = candidates[number % Math.max(candidates.length, 1)];
  return object === undefined ? [] : [object];
}
