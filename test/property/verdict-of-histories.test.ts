// The same comparison as in verdict.test.ts and verdict-of-every-kind.test.ts, along histories: small changes to a running node instead
// of whole worlds.

import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Packet } from '../../src/model/packet.ts';
import type { World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { history, take } from './changes.ts';
import type { Step } from './changes.ts';
import { Node } from './node.ts';
import { aimed, aims } from './packets.ts';
import { runsOf, seedOf } from './seed.ts';
import { wideAimed, wideAims } from './wide-packets.ts';
import { enforcedHistory, enforcedWorld } from './wide-worlds.ts';
import { world } from './worlds.ts';

const seed = seedOf();

test(`after every batch of a random history the kernel does with every packet what the policies say (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(world, history, aims(20), (drawn, batches, drawnAims) => walkHistory(new Node(drawn), drawn, batches, (current) => aimed(current, drawnAims))),
    { numRuns: runsOf(200), seed },
  );
});

test(`so it does with every kind of policy (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(enforcedWorld, enforcedHistory, wideAims(40), (drawn, batches, drawnAims) =>
      walkHistory(new Node(drawn, { families: [4, 6] }), drawn, batches, (current) => wideAimed(current, drawnAims))),
    { numRuns: runsOf(300), seed },
  );
});

async function walkHistory(node: Node, first: World, batches: readonly (readonly Step[])[], packetsOf: (current: World) => readonly Packet[]): Promise<void> {
  await node.relist(first);
  let current = first;
  for (const steps of batches) {
    const { changes, world: next } = take(current, steps);
    await node.change(changes);
    current = next;
    node.assertVerdicts(judge(current), packetsOf(current));
  }
  await node.stop();
}
