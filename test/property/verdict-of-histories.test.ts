// The same comparison as in verdict.test.ts and verdict-of-every-kind.test.ts, along histories: small changes to a running node instead
// of whole worlds.

import { test } from 'node:test';
import * as fc from 'fast-check';
import { judge } from '../../src/verdict/judge.ts';
import { history, take } from './changes.ts';
import { Node } from './node.ts';
import { aimed, aims } from './packets.ts';
import { runsOf, seedOf } from './seed.ts';
import { wideAimed, wideAims } from './wide-packets.ts';
import { enforcedHistory, enforcedWorld } from './wide-worlds.ts';
import { world } from './worlds.ts';

const seed = seedOf();

test(`after every batch of a random history the kernel does with every packet what the policies say (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(world, history, aims(20), async (drawn, batches, drawnAims) => {
      const node = new Node(drawn);
      await node.relist(drawn);
      let current = drawn;
      for (const steps of batches) {
        const { changes, world: next } = take(current, steps);
        await node.change(changes);
        current = next;
        node.assertVerdicts(judge(current), aimed(current, drawnAims));
      }
      await node.stop();
    }),
    { numRuns: runsOf(200), seed },
  );
});

test(`so it does with every kind of policy (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(enforcedWorld, enforcedHistory, wideAims(40), async (drawn, batches, drawnAims) => {
      const node = new Node(drawn, { families: [4, 6] });
      await node.relist(drawn);
      let current = drawn;
      for (const steps of batches) {
        const { changes, world: next } = take(current, steps);
        await node.change(changes);
        current = next;
        node.assertVerdicts(judge(current), wideAimed(current, drawnAims));
      }
      await node.stop();
    }),
    { numRuns: runsOf(300), seed },
  );
});
