// The calculation is a function of the current state of the cluster: whatever came before, in whatever order and batches, the
// desired state is that of a calculation from scratch. Inputs are wire objects through the real decoders.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createGraph } from '../../src/calc/graph.ts';
import type { Graph } from '../../src/calc/graph.ts';
import type { Update } from '../../src/model/update.ts';
import type { World } from '../../src/model/verdict.ts';
import { history as narrowHistory, take } from './changes.ts';
import { DesiredState } from './desired-state.ts';
import { batchOf, Feed } from './feed.ts';
import { runsOf, seedOf } from './seed.ts';
import { cut, shuffled } from './shuffle.ts';
import { wideHistory, wideWorld } from './wide-worlds.ts';
import { world as narrowWorld } from './worlds.ts';

const seed = seedOf();
const orders = fc.record({ order: fc.nat(0xffff), longest: fc.integer({ min: 1, max: 40 }) });

/** A calculation that has got all of the world at once. */
function fromScratch(current: World): DesiredState {
  const state = new DesiredState();
  feed(createGraph({ node: current.node }), state, [new Feed(current).list(current.objects)]);
  return state;
}

/** The last batch says that all is there. */
function feed(graph: Graph, state: DesiredState, batches: readonly (readonly Update[])[]): void {
  for (const [index, updates] of batches.entries()) {
    const desired = graph.update(batchOf(updates, index === batches.length - 1 ? true : undefined));
    if (desired !== undefined) state.take(desired);
  }
}

function updates(graph: Graph, state: DesiredState, list: readonly Update[]): void {
  const desired = graph.update(batchOf(list));
  if (desired !== undefined) state.take(desired);
}

test('the batch that completes the first lists gives a change set even in an empty cluster: the dataplane waits for it', () => {
  assert.ok(createGraph({ node: 'node-1' }).update(batchOf([], true)));
});

const kindsOfWorlds = [
  { of: 'with Kubernetes’ own policies', world: narrowWorld, history: narrowHistory, share: 1 },
  { of: 'with every kind of policy', world: wideWorld, history: wideHistory, share: 0.75 },
] as const;

for (const { of, world, history, share } of kindsOfWorlds) {
  const runs = (usual: number): number => runsOf(usual * share);

  test(`any order and any batching of the first lists gives the same desired state, ${of} (seed ${seed})`, () => {
    fc.assert(
      fc.property(world, orders, (drawn, { order, longest }) => {
        const state = new DesiredState();
        const parts = cut(shuffled(new Feed(drawn).list(shuffled(drawn.objects, order)), order), longest, order);
        feed(createGraph({ node: drawn.node }), state, parts.length === 0 ? [[]] : parts);
        assert.deepEqual(state.snapshot(), fromScratch(drawn).snapshot());
      }),
      { numRuns: runs(400), seed },
    );
  });

  test(`after every batch of a history the desired state is that of a calculation from scratch, ${of} (seed ${seed})`, () => {
    fc.assert(
      fc.property(world, history, (drawn, batches) => {
        const source = new Feed(drawn);
        const graph = createGraph({ node: drawn.node });
        const state = new DesiredState();
        feed(graph, state, [source.list(drawn.objects)]);
        let current = drawn;
        for (const steps of batches) {
          const { changes, world: next } = take(current, steps);
          updates(graph, state, changes.flatMap((change) => source.change(change)));
          current = next;
          assert.deepEqual(state.snapshot(), fromScratch(current).snapshot());
        }
      }),
      { numRuns: runs(400), seed },
    );
  });

  test(`the updates of a history in other batches, and a relist instead of them, end in the same desired state, ${of} (seed ${seed})`, () => {
    fc.assert(
      fc.property(world, history, orders, (drawn, batches, { order, longest }) => {
        const source = new Feed(drawn);
        const rebatched = { graph: createGraph({ node: drawn.node }), state: new DesiredState() };
        feed(rebatched.graph, rebatched.state, [source.list(drawn.objects)]);
        const { changes, world: final } = take(drawn, batches.flat());
        const all = changes.flatMap((change) => source.change(change));
        for (const part of cut(all, longest, order)) updates(rebatched.graph, rebatched.state, part);

        const relisting = new Feed(drawn);
        const relisted = { graph: createGraph({ node: drawn.node }), state: new DesiredState() };
        feed(relisted.graph, relisted.state, [relisting.list(drawn.objects)]);
        updates(relisted.graph, relisted.state, shuffled(relisting.list(final.objects), order));

        const expected = fromScratch(final).snapshot();
        assert.deepEqual(rebatched.state.snapshot(), expected);
        assert.deepEqual(relisted.state.snapshot(), expected);
      }),
      { numRuns: runs(400), seed },
    );
  });

  test(`there and back again ends where it began, ${of} (seed ${seed})`, () => {
    fc.assert(
      fc.property(world, world, fc.nat(0xffff), (drawn, other, order) => {
        const source = new Feed(drawn);
        const graph = createGraph({ node: drawn.node });
        const state = new DesiredState();
        feed(graph, state, [source.list(drawn.objects)]);
        const before = state.snapshot();
        updates(graph, state, shuffled(source.list(other.objects), order));
        updates(graph, state, shuffled(source.list([]), order));
        assert.deepEqual(state.snapshot(), { sets: [], policies: [], profiles: [], endpoints: [], hostEndpoints: [] });
        updates(graph, state, shuffled(source.list(drawn.objects), order));
        assert.deepEqual(state.snapshot(), before);
      }),
      { numRuns: runs(300), seed },
    );
  });
}
