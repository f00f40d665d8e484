// What the calculation wants is what the policies say: verdict(wire objects) == the desired state that the decoders and the
// calculation make of the same objects, for every kind of policy and both families. What the kernel then does is
// verdict-of-every-kind.test.ts; here are host endpoints' own policies too.

import { test } from 'node:test';
import { Coverage } from './coverage.ts';
import { runsOf, seedOf } from './seed.ts';
import { inThreads } from './threads.ts';
import { wideFeatures, wideReasons } from './wide-features.ts';

const seed = seedOf();
const usualRuns = 1000;
const runs = runsOf(usualRuns);

test(`in random worlds the desired state says of every packet what the policies say (seed ${seed})`, async (context) => {
  const coverage = new Coverage(1, wideFeatures, wideReasons);
  for (const counts of await inThreads('desired-worker.ts', runs, seed)) coverage.add(counts);
  context.diagnostic(coverage.text());
  coverage.assertEnough(runs / usualRuns);
});
