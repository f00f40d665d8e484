// States by name, each with what must then hold, written by hand; and every way that leads from one to another and round about.
// Whatever the way: the facts of the state hold, and everything else is as from scratch.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import type { Update } from '../../src/model/update.ts';
import { seedOf } from '../property/seed.ts';
import { cut, shuffled } from '../property/shuffle.ts';
import { CheckedGraph } from './checked-graph.ts';
import { gone } from './objects.ts';
import { memberStates } from './states/members.ts';
import { ruleStates, serviceStates } from './states/rules.ts';
import { observed } from './states/state.ts';
import type { NamedState } from './states/state.ts';
import { hostStates, tierStates } from './states/tiers.ts';
import { trapStates } from './states/traps.ts';

const states = [...memberStates, ...ruleStates, ...serviceStates, ...tierStates, ...hostStates, ...trapStates];
const seed = seedOf();

function scratch({ objects }: NamedState): CheckedGraph {
  const graph = new CheckedGraph();
  graph.update(objects, true);
  return graph;
}

function assertHolds(graph: CheckedGraph, state: NamedState, way: string): void {
  assert.deepEqual(observed(graph.state, state.expected), state.expected, `${state.name}, ${way}`);
  assert.deepEqual(graph.snapshot(), scratch(state).snapshot(), `${state.name}, ${way}`);
}

function identity({ kind, key }: Update): string {
  return `${kind} ${key}`;
}

/** What leads from one state to the next: what is new or differs, and what is gone. */
function difference(from: readonly Update[], to: readonly Update[]): Update[] {
  const before = new Map(from.map((update) => [identity(update), update]));
  const after = new Set(to.map(identity));
  const news = to.filter((update) => !isDeepStrictEqual(before.get(identity(update)), update));
  return [...from.filter((update) => !after.has(identity(update))).map(({ kind, key }) => gone(kind, key)), ...news];
}

/** From state to state, in the order given; `batchesOf` cuts each difference. */
function walk(order: readonly NamedState[], way: string, batchesOf: (updates: Update[], step: number) => readonly (readonly Update[])[]): void {
  const graph = new CheckedGraph();
  graph.update([], true);
  let held: readonly Update[] = [];
  for (const [step, state] of order.entries()) {
    for (const batch of batchesOf(difference(held, state.objects), step)) graph.update(batch);
    held = state.objects;
    assertHolds(graph, state, `${way}, step ${step}`);
  }
}

const whole = (updates: Update[]): Update[][] => [updates];
const single = (updates: Update[]): Update[][] => updates.map((update) => [update]);

describe('the states', () => {
  it('are at least sixty, each with a name of its own and facts', () => {
    assert.ok(states.length >= 60, `${states.length}`);
    assert.equal(new Set(states.map(({ name }) => name)).size, states.length);
    for (const { name, expected } of states) assert.ok(Object.keys(expected).length > 0, name);
  });
});

describe('each state from scratch', () => {
  for (const state of states) it(state.name, () => void assertHolds(scratch(state), state, 'from scratch'));
});

describe('from state to state', () => {
  it('forward, each difference as one batch', () => void walk(states, 'forward', whole));
  it('backward, each difference as one batch', () => void walk(states.toReversed(), 'backward', whole));
  it('forward, an object at a time', () => void walk(states, 'forward by ones', single));
  it('backward, an object at a time', () => void walk(states.toReversed(), 'backward by ones', single));

  it(`in random order, shuffled and cut at random (seed ${seed})`, () => {
    for (let turn = 1; turn <= 12; turn += 1) {
      const start = seed + 1000 * turn;
      walk(shuffled(states, start), `turn ${turn}`, (updates, step) => cut(shuffled(updates, start + step + 1), 1 + (turn % 4), start + step));
    }
  });

  it('with every difference said twice', () => void walk(states, 'said twice', (updates) => [updates, updates.filter(({ op }) => op === 'delete'), updates]));
});

describe('within a state', () => {
  it('objects come in any order and any batching, before and after in-sync', () => {
    for (const [i, state] of states.entries()) {
      for (let turn = 1; turn <= 4; turn += 1) {
        const batches = cut(shuffled(state.objects, seed + 31 * i + turn), turn, seed + i);
        const inSync = (seed + turn + i) % (batches.length + 1);
        const graph = new CheckedGraph();
        for (const [place, batch] of batches.entries()) graph.update(batch, place === inSync);
        if (inSync >= batches.length) graph.update([], true);
        assertHolds(graph, state, `seed ${seed}, turn ${turn}`);
      }
    }
  });

  it('each object goes and comes back', () => {
    for (const state of states) {
      for (const object of state.objects) {
        const graph = scratch(state);
        graph.update([gone(object.kind, object.key)]);
        const without = { ...state, objects: state.objects.filter((other) => other !== object) };
        assert.deepEqual(graph.snapshot(), scratch(without).snapshot(), `${state.name}, without ${identity(object)}`);
        graph.update([object]);
        assertHolds(graph, state, `${identity(object)} gone and back`);
      }
    }
  });

  it('an object that goes and comes back within a batch is no change', () => {
    for (const state of states) {
      const graph = scratch(state);
      for (const object of state.objects) assert.equal(graph.update([gone(object.kind, object.key), object]), undefined, `${state.name}, ${identity(object)}`);
      assert.equal(graph.update(state.objects.flatMap((object) => [gone(object.kind, object.key), object])), undefined, state.name);
      assertHolds(graph, state, 'all gone and back');
    }
  });

  it('two objects trade places', () => {
    for (const state of states) {
      for (const [i, first] of state.objects.entries()) {
        const second = state.objects[(i + 1) % state.objects.length] as Update;
        const graph = scratch(state);
        graph.update([gone(first.kind, first.key)]);
        graph.update([gone(second.kind, second.key), first]);
        graph.update([second]);
        assertHolds(graph, state, `${identity(first)} and ${identity(second)}`);
      }
    }
  });
});
