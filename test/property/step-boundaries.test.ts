// At every instant of an update the kernel allows no packet that neither the old nor the new state allows, and goes on allowing what
// both allow and no change concerned. An instant is what lies between any two writes: finer than the driver's own steps. The same while
// tools die, transactions are refused, an agent is started again on what another one left, and the kernel refuses rules of policies, or
// members of sets by which less is let in: then what is allowed is what the others and the closed forms of these allow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { loadKernel } from '../../src/simulate/kernel.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { ActivePolicy, ActiveRule, Desired } from '../../src/model/desired.ts';
import type { Packet } from '../../src/model/packet.ts';
import { policyChains } from '../../src/dataplane/render/policy.ts';
import type { FakeKernel } from '../fakes/kernel.ts';
import { Node } from '../dataplane/node.ts';
import { anyone, options } from '../dataplane/objects.ts';
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

/** Both come while the kernel is busy. */
async function writtenAtOnce(node: Node, first: Desired, second: Desired): Promise<void> {
  const release = node.kernel.holdWrites();
  await node.update(first);
  await node.update(second);
  release();
  await node.pass(300);
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

async function enforced(state: NodeState, refused?: RegExp, maxSetSize?: number): Promise<Node> {
  const node = await new Node(undefined, maxSetSize === undefined ? {} : { maxSetSize }).start();
  node.kernel.refuseLines(refused);
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
  await writtenAtOnce(node, difference(before, between), difference(between, after));
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
    fc.record({ on: fc.constant('run' as const), how: fc.constant('refuse' as const), times: fc.integer({ min: 1, max: 4 }), output: fc.constantFrom('Hash is full', 'Kernel error') }),
  ),
  { minLength: 1, maxLength: 3 },
);

type Faults = typeof faults extends fc.Arbitrary<infer T> ? T : never;

/** Two changes while these happen, and their end. */
async function changeThroughFaults(node: Node, [before, between, after]: readonly [NodeState, NodeState, NodeState], drawn: Faults): Promise<void> {
  for (const fault of drawn) node.kernel.failNext(fault);
  await node.update(difference(before, between));
  await node.pass(500);
  await node.update(difference(between, after));
  await node.pass(500);
  node.kernel.clearFaults();
}

test(`nor is one while tools die and refuse, and in the end all is right (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(nodeState, nodeState, nodeState, faults, async (before, between, after, drawn) => {
      const node = await enforced(before);
      const [old, middle, now] = [allowedBy(node.kernel), await allowedIn(between), await allowedIn(after)];
      const unwatch = watch(node.kernel, [old, middle, now], () => false);
      await changeThroughFaults(node, [before, between, after], drawn);
      await node.pass(40_000);
      unwatch();
      assert.deepEqual(allowedBy(node.kernel), now);
      assert.equal(node.health?.ready, true, node.health?.detail);
    }),
    { numRuns: runsOf(20), seed },
  );
});

/** What the kernel refuses: networks that rules of policies name, and nothing else does. */
const refusals = fc.constantFrom(/ -d 10\.0\.0\.\d+\/\d+ /, / -d 10\.0\.0\.4\/32 /, / -s 10\.0\.0\.0\/30 /, / ! -d /);

/** The state with what stands in for rules that the kernel refuses. */
function closed(state: NodeState, refused: RegExp): NodeState {
  return closedWhere(state, (rule, policy) => {
    const [chain] = policyChains({ ...policy, ingress: [rule], egress: [] }, options(), (id) => `cali40${id}`);
    return chain?.rules.some(({ text }) => refused.test(` ${text} `)) ?? false;
  });
}

function closedWhere(state: NodeState, isClosed: (rule: ActiveRule, policy: ActivePolicy) => boolean): NodeState {
  const policies = [...state.policies].map(([key, policy]) => {
    const convert = (rule: ActiveRule): ActiveRule[] => {
      if (!isClosed(rule, policy)) return [rule];
      return rule.action === 'allow' ? [] : [{ action: 'deny', source: anyone, destination: anyone, index: 0 }];
    };
    return [key, { ...policy, ingress: policy.ingress.flatMap(convert), egress: policy.egress.flatMap(convert) }] as const;
  });
  return { ...state, policies: new Map(policies) };
}

/** Until what was refused has been tried again. */
const untilRetry = 400_000;

test(`nor is one while the kernel refuses rules of policies, and when it takes them again (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(nodeState, nodeState, refusals, async (before, after, refused) => {
      const node = await enforced(before, refused);
      const [old, now, whole] = [await allowedIn(closed(before, refused)), await allowedIn(closed(after, refused)), await allowedIn(after)];
      assert.deepEqual(allowedBy(node.kernel), old);
      const unwatch = watch(node.kernel, [old, now], untouchedBy(before, after));
      await node.update(difference(before, after));
      await node.pass(300);
      unwatch();
      assert.deepEqual(allowedBy(node.kernel), now);
      assert.equal(node.health?.ready, true, node.health?.detail);

      const unwatchRetry = watch(node.kernel, [now, whole], () => true);
      node.kernel.refuseLines(undefined);
      await node.pass(untilRetry, 500);
      unwatchRetry();
      assert.deepEqual(allowedBy(node.kernel), whole);
    }),
    { numRuns: runsOf(30), seed },
  );
});

test(`nor is one while it begins and ends to refuse them, and tools die and refuse besides (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(nodeState, nodeState, nodeState, refusals, faults, async (before, between, after, refused, drawn) => {
      const node = await enforced(before);
      // A closed form allows nothing that its policy does not allow.
      const [old, middle, now] = [allowedBy(node.kernel), await allowedIn(between), await allowedIn(after)];
      const unwatch = watch(node.kernel, [old, middle, now], () => false);
      node.kernel.refuseLines(refused);
      await changeThroughFaults(node, [before, between, after], drawn);
      await node.pass(40_000);
      assert.equal(node.health?.ready, true, node.health?.detail);
      node.kernel.refuseLines(undefined);
      await node.pass(untilRetry, 500);
      unwatch();
      assert.deepEqual(allowedBy(node.kernel), now);
    }),
    { numRuns: runsOf(20), seed },
  );
});

/** Of five addresses: sets that deny may have more members, the others have not. */
const smallSets = 2;

const limitedState = nodeState.map((state): NodeState => {
  const sets = [...state.sets].map(([id, set]) => [id, set.use === 'deny' ? set : { ...set, members: set.members.slice(0, smallSets) }] as const);
  return { ...state, sets: new Map(sets) };
});

const fullSets = ({ sets }: NodeState): string[] => [...sets.values()].filter(({ members }) => members.length > smallSets).map(({ id }) => id);

/** The state with what stands in for rules that look into sets that are full. */
function closedByFullSets(state: NodeState): NodeState {
  const full = new Set(fullSets(state));
  return closedWhere(state, ({ source, destination }) => [source, destination].some((end) => [...end.sets, ...end.notSets].some((id) => full.has(id))));
}

/** Whether sets that deny have room for all that comes before anything leaves, or stay full: then nothing closes for a moment. */
function hasRoom(before: NodeState, after: NodeState): boolean {
  return [...before.sets.values()].every(({ id, use, members }) => {
    const now = after.sets.get(id)?.members ?? members;
    return use !== 'deny' || now.length > smallSets || new Set([...members, ...now]).size <= smallSets;
  });
}

test(`nor is one while sets are full that deny, and when there is room again (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(limitedState, limitedState, limitedState, async (before, between, after) => {
      const node = await enforced(before, undefined, smallSets);
      const [old, middle, now] = [await allowedIn(closedByFullSets(before)), await allowedIn(closedByFullSets(between)), await allowedIn(closedByFullSets(after))];
      assert.deepEqual(allowedBy(node.kernel), old);
      const untouched = untouchedBy(before, between);
      const unwatch = watch(node.kernel, [old, middle], (packet) => hasRoom(before, between) && untouched(packet));
      await node.update(difference(before, between));
      await node.pass(300);
      unwatch();
      assert.deepEqual(allowedBy(node.kernel), middle);
      assert.equal(node.health?.ready, true, node.health?.detail);

      // Two at once: what is full by the first may not be by the second.
      const unwatchAll = watch(node.kernel, [middle, old, now], () => false);
      await writtenAtOnce(node, difference(between, before), difference(before, after));
      unwatchAll();
      assert.deepEqual(allowedBy(node.kernel), now);
      assert.equal(node.health?.ready, true, node.health?.detail);
    }),
    { numRuns: runsOf(60), seed },
  );
});

test(`nor is one while sets are full that deny, and tools die and refuse besides (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(limitedState, limitedState, limitedState, faults, async (before, between, after, drawn) => {
      const node = await enforced(before, undefined, smallSets);
      const [old, middle, now] = [allowedBy(node.kernel), await allowedIn(closedByFullSets(between)), await allowedIn(closedByFullSets(after))];
      // A set that cannot be filled for a moment is to its rules what one that is full is.
      const unwatch = watch(node.kernel, [old, middle, now], () => false);
      await changeThroughFaults(node, [before, between, after], drawn);
      await node.pass(80_000, 50);
      unwatch();
      assert.deepEqual(allowedBy(node.kernel), now);
      assert.equal(node.health?.ready, true, node.health?.detail);
    }),
    { numRuns: runsOf(20), seed },
  );
});

/** Of the agent before, and of the next one. */
const limits = [[smallSets, smallSets], [smallSets, addresses.length], [addresses.length, smallSets]] as const;

test(`nor is one when an agent starts on what another one left, with sets that are full, or another limit (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(limitedState, limitedState, fc.constantFrom(...limits), async (before, after, [limit, next]) => {
      const { kernel, driver } = await enforced(before, undefined, limit);
      await driver.stop();
      const [old, now] = [allowedBy(kernel), await allowedIn(limit === smallSets && next === smallSets ? closedByFullSets(after) : after)];
      const unwatch = watch(kernel, [old, now], () => false);
      const node = await new Node(kernel, { maxSetSize: next }).start();
      await node.update(difference(emptyState, after));
      await node.pass(300);
      unwatch();
      // A set that is in use is not made too small for its members: what is allowed then is between the two.
      const allowed = allowedBy(kernel);
      assert.deepEqual(allowed, limit <= next ? now : now.map((whole, i) => whole && allowed[i]));
    }),
    { numRuns: runsOf(30), seed },
  );
});
