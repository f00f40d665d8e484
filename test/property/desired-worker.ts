// A share of the worlds of verdict-of-desired.test.ts, on a thread of its own. In: how many, from which seed. Out: what was covered; an
// exception, with all that is needed to repeat it, for the first difference.

import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import * as fc from 'fast-check';
import { createGraph } from '../../src/calc/graph.ts';
import { judge } from '../../src/verdict/judge.ts';
import { Coverage } from './coverage.ts';
import { DesiredState } from './desired-state.ts';
import { DesiredVerdict } from './desired-verdict.ts';
import { batchOf, Feed, invalidNames } from './feed.ts';
import type { Share } from './threads.ts';
import { wideFeatures, wideReasons } from './wide-features.ts';
import { wideAimed, wideAims } from './wide-packets.ts';
import { wideWorld } from './wide-worlds.ts';

parentPort?.postMessage(run(workerData as Share));

function run({ runs, seed, threads }: Share): ReturnType<Coverage['counts']> {
  const coverage = new Coverage(threads, wideFeatures, wideReasons);
  fc.assert(
    fc.property(wideWorld, wideAims(110), (world, aims) => {
      const feed = new Feed(world);
      const graph = createGraph({ node: world.node });
      const state = new DesiredState();
      const desired = graph.update(batchOf(feed.list(world.objects), true));
      if (desired !== undefined) state.take(desired);
      const judged = judge(world);
      const verdict = new DesiredVerdict(state, world.options);
      const packets = wideAimed(world, aims);
      const verdicts = packets.map((packet) => judged.verdict(packet));
      for (const [index, packet] of packets.entries()) {
        const { action, decisions } = verdicts[index] ?? assert.fail('a verdict for each');
        assert.equal(verdict.isAllowed(packet) ? 'allow' : 'deny', action, `${JSON.stringify(packet)} ${JSON.stringify(decisions)}`);
      }
      coverage.observe(world, judged, packets, verdicts);
      assert.deepEqual(feed.invalidNames(), invalidNames(judged), 'the same objects are found invalid');
    }),
    { numRuns: runs, seed },
  );
  return coverage.counts();
}
