// What the kernel would do with a packet is what the policies say: verdict(wire objects) == simulate(what the kernel prints after the
// decoders, calculation and driver have had the same objects). The two sides share no code. Worlds with Kubernetes' own policies;
// those with every kind are verdict-of-every-kind.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coverage } from './coverage.ts';
import { runsOf, seedOf } from './seed.ts';
import { inThreads } from './threads.ts';

const seed = seedOf();
/** Each goes through four worlds on average. */
const usualRuns = 560;
const runs = runsOf(usualRuns);

test(`in random worlds the kernel does with every packet what the policies say (seed ${seed})`, async (context) => {
  const coverage = new Coverage();
  for (const counts of await inThreads('verdict-worker.ts', runs, seed)) coverage.add(counts);
  context.diagnostic(coverage.text());
  coverage.assertEnough(runs / usualRuns);
  assert.ok(coverage.worlds >= runsOf(2000), `at least ${runsOf(2000)} worlds`);
});
