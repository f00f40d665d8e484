// What the kernel would do with a packet is what the policies of every kind say: verdict(wire objects) == simulate(what the kernel
// prints), as in verdict.test.ts, with rules and packets of both families.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coverage } from './coverage.ts';
import { runsOf, seedOf } from './seed.ts';
import { inThreads } from './threads.ts';
import { enforcedFeatures, wideReasons } from './wide-features.ts';

const seed = seedOf();
/** Each goes through four worlds on average. */
const usualRuns = 1400;
const runs = runsOf(usualRuns);

test(`in random worlds with every kind of policy the kernel does with every packet what the policies say (seed ${seed})`, async (context) => {
  const coverage = new Coverage(1, enforcedFeatures, wideReasons);
  for (const counts of await inThreads('wide-verdict-worker.ts', runs, seed)) coverage.add(counts);
  context.diagnostic(coverage.text());
  coverage.assertEnough(runs / usualRuns);
  assert.ok(coverage.worlds >= runsOf(5000), `at least ${runsOf(5000)} worlds`);
});
