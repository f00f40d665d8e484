// The property above all others: what the dataplane holds in the end is a function of the input state alone. Random worlds, change by
// change, in any batching, with in-sync anywhere; compared with a graph that sees only the end, and with a naive computation.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import type { EndpointTier } from '../../src/model/desired.ts';
import type { Update } from '../../src/model/update.ts';
import { CheckedGraph } from './checked-graph.ts';
import { naiveState } from './naive-state.ts';
import { update, updatesOf, worldAfter } from './worlds.ts';

interface History {
  readonly updates: readonly Update[];
  /** How many updates each batch takes, cycled. */
  readonly cuts: readonly number[];
  /** The batch that is in sync. */
  readonly inSync: number;
}

const history: fc.Arbitrary<History> = fc.record({
  updates: fc.array(update, { minLength: 1, maxLength: 50, size: 'max' }),
  cuts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
  inSync: fc.nat(4),
});

function batches({ updates, cuts }: History): Update[][] {
  const cut: Update[][] = [];
  for (let start = 0, i = 0; start < updates.length; i += 1) {
    const size = cuts[i % cuts.length] ?? 1;
    cut.push(updates.slice(start, start + size));
    start += size;
  }
  return cut;
}

function run(made: History): CheckedGraph {
  const graph = new CheckedGraph();
  const cut = batches(made);
  for (const [i, updates] of cut.entries()) graph.update(updates, i === made.inSync);
  if (made.inSync >= cut.length) graph.update([], true);
  return graph;
}

function scratch(updates: readonly Update[]): CheckedGraph {
  const graph = new CheckedGraph();
  graph.update(updates, true);
  return graph;
}

const runs = { numRuns: 800 };

test('any batching of a history ends in the state that its end gives from scratch', () => {
  fc.assert(
    fc.property(history, (made) => {
      assert.deepEqual(run(made).snapshot(), scratch(updatesOf(worldAfter(made.updates))).snapshot());
    }),
    runs,
  );
});

test('the same objects in any order end in the same state', () => {
  const shuffled = history.chain((made) => {
    const updates = updatesOf(worldAfter(made.updates));
    return fc.record({ made: fc.constant(made), updates: fc.shuffledSubarray(updates, { minLength: updates.length }) });
  });
  fc.assert(
    fc.property(shuffled, ({ made, updates }) => {
      assert.deepEqual(run({ ...made, updates }).snapshot(), scratch(updatesOf(worldAfter(made.updates))).snapshot());
    }),
    runs,
  );
});

test('endpoints, policies, profiles and the members of sets are those of a naive computation', () => {
  fc.assert(
    fc.property(history, (made) => {
      const { state } = run(made);
      const naive = naiveState(worldAfter(made.updates));
      const plain = (tiers: readonly EndpointTier[]): unknown => tiers.map(({ name, defaultAction, ingress, egress }) => [name, defaultAction, ingress, egress]);
      const endpoints = [...state.endpoints.values()].map(({ key, profiles, tiers }) => ({ key, profiles, tiers: plain(tiers) }));
      assert.deepEqual(endpoints.sort((a, b) => (a.key < b.key ? -1 : 1)), naive.endpoints);
      const hostEndpoints = [...state.hostEndpoints.values()].map(({ key, profiles, normal, forward, untracked, preDnat }) => ({
        key,
        profiles,
        normal: plain(normal),
        forward: plain(forward),
        untracked: plain(untracked),
        preDnat: plain(preDnat),
      }));
      assert.deepEqual(hostEndpoints.sort((a, b) => (a.key < b.key ? -1 : 1)), naive.hostEndpoints);
      assert.deepEqual([...state.policies.keys()].sort(), naive.policies);
      assert.deepEqual([...state.profiles.keys()].sort(), naive.profiles);
      const sets = new Map([...state.sets].map(([id, { type, use, members }]) => [id, { type, use, members }]));
      assert.deepEqual(sets, naive.sets);
    }),
    runs,
  );
});

test('taking everything away again leaves nothing', () => {
  fc.assert(
    fc.property(history, (made) => {
      const graph = run(made);
      const world = worldAfter(made.updates);
      const deletions = updatesOf(world).map(({ kind, key }): Update => ({ op: 'delete', kind, key }));
      for (const updates of batches({ ...made, updates: deletions })) graph.update(updates);
      const { sets, policies, profiles, endpoints, hostEndpoints } = graph.state;
      assert.deepEqual([sets.size, policies.size, profiles.size, endpoints.size, hostEndpoints.size], [0, 0, 0, 0, 0]);
    }),
    runs,
  );
});

test('sending the whole world again changes nothing', () => {
  fc.assert(
    fc.property(history, (made) => {
      const graph = run(made);
      assert.equal(graph.update(structuredClone(updatesOf(worldAfter(made.updates)).filter(({ kind }) => kind !== 'policy' && kind !== 'profile'))), undefined);
      assert.equal(graph.update(updatesOf(worldAfter(made.updates))), undefined);
    }),
    runs,
  );
});

test('a long churn of many endpoints ends in the state that its end gives from scratch', () => {
  const spread = fc.tuple(update, fc.nat(99)).map(([made, i]): Update => (made.kind === 'endpoint' ? { ...made, key: `ns/pod-${i}` } : made));
  const churn = fc.record({
    updates: fc.array(spread, { minLength: 1500, maxLength: 1500 }),
    cuts: fc.constant([40, 3, 1, 200, 7]),
    inSync: fc.constant(1),
  });
  fc.assert(
    fc.property(churn, (made) => {
      const world = worldAfter(made.updates);
      const graph = run(made);
      assert.deepEqual(graph.snapshot(), scratch(updatesOf(world)).snapshot());
      const sets = new Map([...graph.state.sets].map(([id, { type, use, members }]) => [id, { type, use, members }]));
      assert.deepEqual(sets, naiveState(world).sets);
    }),
    { numRuns: 5, endOnFailure: true },
  );
});
