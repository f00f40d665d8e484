// What the calculation wants is what the policies say: verdict(wire objects) == the desired state that the decoders and the
// calculation make of the same objects, for every kind of policy and both families. What the kernel then does is verdict.test.ts.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import type { Counts } from './coverage.ts';
import { desiredReasons } from './desired-worker.ts';
import { runsOf, seedOf } from './seed.ts';
import type { Share } from './verdict-worker.ts';
import { wideFeatures } from './wide-features.ts';

const seed = seedOf();
const usualRuns = 1000;
const runs = runsOf(usualRuns);

test(`in random worlds the desired state says of every packet what the policies say (seed ${seed})`, async (context) => {
  const threads = Math.min(4, availableParallelism());
  const shares = Array.from({ length: threads }, (_, index): Share => ({ runs: Math.ceil(runs / threads), seed: seed + index, threads }));
  const coverage = new Coverage(1, wideFeatures, desiredReasons);
  for (const counts of await Promise.all(shares.map(run))) coverage.add(counts);
  context.diagnostic(coverage.text());
  coverage.assertEnough(runs / usualRuns);
});

async function run(share: Share): Promise<Counts> {
  const worker = new Worker(new URL('desired-worker.ts', import.meta.url), { workerData: share });
  // Rejects with what the worker threw.
  const [counts] = (await once(worker, 'message')) as [Counts];
  return counts;
}
