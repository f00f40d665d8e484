// A share of the worlds of verdict.test.ts, on a thread of its own. In: how many runs, from which seed. Out: what was covered; an
// exception, with all that is needed to repeat it, for the first difference.

import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import * as fc from 'fast-check';
import type { Judge } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { Coverage } from './coverage.ts';
import { Node } from './node.ts';
import { aims, aimed } from './packets.ts';
import { world } from './worlds.ts';

export interface Share {
  readonly runs: number;
  readonly seed: number;
  /** How many threads there are. */
  readonly threads: number;
}

/** Worlds that a node goes through one after the other, by relisting: so the kernel is changed, not only filled. Four on average. */
const worlds = fc.array(world, { minLength: 1, maxLength: 7, size: 'max' }).map((list) => list.map((each) => ({ ...each, options: list[0]?.options ?? each.options })));

const { runs, seed, threads } = workerData as Share;
const coverage = new Coverage(threads);
await fc.assert(
  fc.asyncProperty(worlds, aims(50), async (list, drawnAims) => {
    const node = new Node(list[0] ?? assert.fail('no world'));
    for (const current of list) {
      await node.relist(current);
      const judged = judge(current);
      const packets = aimed(current, drawnAims);
      coverage.observe(current, judged, packets, node.assertVerdicts(judged, packets));
      assert.deepEqual(node.invalid, invalidNames(judged), 'the same objects are found invalid');
    }
    await node.stop();
  }),
  { numRuns: runs, seed },
);
parentPort?.postMessage(coverage.counts());

function invalidNames({ invalid }: Judge): readonly string[] {
  return [...new Set(invalid.map(({ kind, namespace, name }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`))].sort();
}
