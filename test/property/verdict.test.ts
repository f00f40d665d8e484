// What the kernel would do with a packet is what the policies say: verdict(wire objects) == simulate(what the kernel prints after
// decoding, calculation and rendering of the same objects). The two sides share no code.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Packet } from '../../src/model/packet.ts';
import type { Judge, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { history, take } from './changes.ts';
import { Coverage } from './coverage.ts';
import { Node } from './node.ts';
import { aim, packetAt, rangeOf } from './packets.ts';
import type { Aim } from './packets.ts';
import { seedOf } from './seed.ts';
import { world } from './worlds.ts';

const seed = seedOf();

function aimed(current: World, aims: readonly Aim[]): readonly Packet[] {
  const range = rangeOf(current);
  return aims.map((drawn) => packetAt(range, drawn));
}

const aims = (count: number): fc.Arbitrary<readonly Aim[]> => fc.array(aim, { minLength: count, maxLength: count, size: 'max' });

/** Worlds that a node goes through one after the other, by relisting: so the kernel is changed, not only filled. */
const worlds = fc.array(world, { minLength: 4, maxLength: 4, size: 'max' }).map((list) => list.map((each) => ({ ...each, options: list[0]?.options ?? each.options })));

test(`in random worlds the kernel does with every packet what the policies say (seed ${seed})`, (context) => {
  const coverage = new Coverage();
  fc.assert(
    fc.property(worlds, aims(50), (list, drawnAims) => {
      const node = new Node(list[0] ?? assert.fail('no world'));
      for (const current of list) {
        node.relist(current);
        const judged = judge(current);
        const packets = aimed(current, drawnAims);
        coverage.observe(current, judged, packets, node.assertVerdicts(judged, packets));
        assert.deepEqual(node.invalid, invalidNames(judged), 'the same objects are found invalid');
      }
    }),
    { numRuns: 500, seed },
  );
  context.diagnostic(coverage.text());
  coverage.assertEnough();
});

test(`after every batch of a random history too (seed ${seed})`, () => {
  fc.assert(
    fc.property(world, history, aims(20), (drawn, batches, drawnAims) => {
      const node = new Node(drawn);
      node.relist(drawn);
      let current = drawn;
      for (const steps of batches) {
        const { changes, world: next } = take(current, steps);
        node.change(changes);
        current = next;
        node.assertVerdicts(judge(current), aimed(current, drawnAims));
      }
    }),
    { numRuns: 200, seed },
  );
});

function invalidNames({ invalid }: Judge): readonly string[] {
  return [...new Set(invalid.map(({ kind, namespace, name }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`))].sort();
}
