// A node walks through worlds, one after the other, by relisting: so its kernel is changed, not only filled. In each world every packet
// is judged by the policies and by what the kernel prints. In: which worlds and packets. Out: what was covered.

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Packet } from '../../src/model/packet.ts';
import type { Judge, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import type { Coverage } from './coverage.ts';
import { invalidNames } from './feed.ts';
import { Node } from './node.ts';
import type { NodeOptions } from './node.ts';
import type { Share } from './threads.ts';

export interface Walk<Aims> {
  readonly world: fc.Arbitrary<World>;
  readonly aims: fc.Arbitrary<Aims>;
  readonly packets: (world: World, aims: Aims) => readonly Packet[];
  readonly families?: NodeOptions['families'];
}

/** Four worlds on average; all with the options of the first. */
export async function walk<Aims>({ world, aims, packets: aimed, families }: Walk<Aims>, { runs, seed }: Share, coverage: Coverage): Promise<void> {
  const worlds = fc.array(world, { minLength: 1, maxLength: 7, size: 'max' }).map((list) => list.map((each) => ({ ...each, options: list[0]?.options ?? each.options })));
  await fc.assert(
    fc.asyncProperty(worlds, aims, async (list, drawn) => {
      const node = new Node(list[0] ?? assert.fail('no world'), families === undefined ? {} : { families });
      for (const current of list) {
        await node.relist(current);
        const judged: Judge = judge(current);
        const packets = aimed(current, drawn);
        coverage.observe(current, judged, packets, node.assertVerdicts(judged, packets));
        assert.deepEqual(node.invalid, invalidNames(judged), 'the same objects are found invalid');
      }
      await node.stop();
    }),
    { numRuns: runs, seed },
  );
}
