// At every instant of an update the kernel allows no packet that neither the old nor the new state allows, and goes on allowing what
// both allow and no change concerned. An instant is what lies between any two writes: finer than the driver's own steps. The same while
// tools die, transactions are refused, and an agent is started again on what another one left.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { loadKernel } from '../../src/simulate/kernel.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { Packet } from '../../src/model/packet.ts';
import type { FakeKernel } from '../fakes/kernel.ts';
import { Node } from '../dataplane/node.ts';
import { addresses, difference, emptyState, nodeState, suffixes } from './desired-states.ts';
import type { NodeState } from './desired-states.ts';
import { runsOf, seedOf } from './seed.ts';

const seed = seedOf();
const links = [...suffixes.map((suffix) => `cali${suffix}`), 'eth0'];

/** Every way through the node, and into it. */
const packets: readonly Packet[] = links.flatMap((inInterface) =>
  addresses.flatMap((source) =>
    [...links, undefined].flatMap((outInterface) =>
      addresses.map((destination): Packet => ({
        family: 4,
        source,
        destination,
        protocol: 6,
        sourcePort: 40_000,
        destinationPort: 80,
        connection: 'new',
        inInterface,
        ...(outInterface === undefined ? {} : { outInterface }),
      })),
    ),
  ),
);

/** By index in `packets`. */
function allowedBy(kernel: FakeKernel): boolean[] {
  const state = loadKernel({ ipv4: kernel.rulesText(), sets: kernel.setsText() });
  return packets.map((packet) => simulate(state, packet).action === 'allow');
}

/** What a state allows in the end: known from a node that never had another one. */
async function allowedIn(state: NodeState): Promise<boolean[]> {
  const node = await new Node().start();
  await node.update(difference(emptyState, state));
  assert.equal(node.health?.ready, true, node.health?.detail);
  return allowedBy(node.kernel);
}

/**
 * Watches a kernel from now on: after each write, nothing is allowed that none of `states` allows, and `untouched` stays allowed. The
 * function that is returned ends it, and fails on what was seen.
 */
function watch(kernel: FakeKernel, states: readonly (readonly boolean[])[], untouched: (packet: Packet) => boolean): () => void {
  const mustNot = packets.map((_, i) => states.every((allowed) => !allowed[i]));
  const must = packets.map((packet, i) => states.every((allowed) => allowed[i]) && untouched(packet));
  const breaches: string[] = [];
  const unwatch = kernel.onWrite((write) => {
    const allowed = allowedBy(kernel);
    for (const [i, packet] of packets.entries()) {
      if (allowed[i] && mustNot[i]) breaches.push(`opened by "${write.text}": ${JSON.stringify(packet)}`);
      if (!allowed[i] && must[i]) breaches.push(`closed by "${write.text}": ${JSON.stringify(packet)}`);
    }
  });
  return () => {
    unwatch();
    assert.equal(breaches[0], undefined);
  };
}

/** No change concerned its addresses. */
function untouchedBy(before: NodeState, after: NodeState): (packet: Packet) => boolean {
  const touched = new Set(difference(before, after).setDeltas.flatMap(({ added, removed }) => [...added, ...removed].map((member) => member.split(',')[0])));
  return ({ source, destination }) => !touched.has(source) && !touched.has(destination);
}

async function enforced(state: NodeState): Promise<Node> {
  const node = await new Node().start();
  await node.update(difference(emptyState, state));
  await node.pass(200);
  return node;
}

function property(name: string, runs: number, body: (...states: [NodeState, NodeState, NodeState]) => Promise<void>): void {
  test(`${name} (seed ${seed})`, async () => {
    await fc.assert(fc.asyncProperty(nodeState, nodeState, nodeState, body), { numRuns: runsOf(runs), seed });
  });
}

property('no instant of a change is more open than old and new together', 60, async (before, after) => {
  const node = await enforced(before);
  const [old, now] = [allowedBy(node.kernel), await allowedIn(after)];
  const unwatch = watch(node.kernel, [old, now], untouchedBy(before, after));
  await node.update(difference(before, after));
  await node.pass(300);
  unwatch();
  assert.deepEqual(allowedBy(node.kernel), now);
  assert.equal(node.health?.ready, true, node.health?.detail);
});

property('nor is one when several change sets are written at once', 30, async (before, between, after) => {
  const node = await enforced(before);
  const [old, middle, now] = [allowedBy(node.kernel), await allowedIn(between), await allowedIn(after)];
  const unwatch = watch(node.kernel, [old, middle, now], () => false);
  const release = node.kernel.holdWrites();
  await node.update(difference(before, between));
  await node.update(difference(between, after));
  release();
  await node.pass(300);
  unwatch();
  assert.deepEqual(allowedBy(node.kernel), now);
});

property('nor is one when an agent starts on what another one left', 30, async (before, after) => {
  const { kernel, driver } = await enforced(before);
  await driver.stop();
  const [old, now] = [allowedBy(kernel), await allowedIn(after)];
  const unwatch = watch(kernel, [old, now], untouchedBy(before, after));
  const node = await new Node(kernel).start();
  await node.update(difference(emptyState, after));
  await node.pass(300);
  unwatch();
  assert.deepEqual(allowedBy(kernel), now);
});

const faults = fc.array(
  fc.oneof(
    fc.record({ on: fc.constant('restore' as const), how: fc.constantFrom('die-before-commit', 'die-after-commit') }),
    fc.record({ on: fc.constant('restore' as const), how: fc.constant('refuse' as const), times: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ on: fc.constant('run' as const), how: fc.constant('die' as const), after: fc.nat(4) }),
    fc.record({ on: fc.constant('run' as const), how: fc.constant('refuse' as const), output: fc.constantFrom('Hash is full', 'Kernel error') }),
  ),
  { minLength: 1, maxLength: 3 },
);

test(`nor is one while tools die and refuse, and in the end all is right (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(nodeState, nodeState, nodeState, faults, async (before, between, after, drawn) => {
      const node = await enforced(before);
      const [old, middle, now] = [allowedBy(node.kernel), await allowedIn(between), await allowedIn(after)];
      const unwatch = watch(node.kernel, [old, middle, now], () => false);
      for (const fault of drawn) node.kernel.failNext(fault);
      await node.update(difference(before, between));
      await node.pass(500);
      await node.update(difference(between, after));
      await node.pass(500);
      node.kernel.clearFaults();
      await node.pass(40_000);
      unwatch();
      assert.deepEqual(allowedBy(node.kernel), now);
      assert.equal(node.health?.ready, true, node.health?.detail);
    }),
    { numRuns: runsOf(20), seed },
  );
});
