// What the kernel would do with a packet is what the policies say: verdict(wire objects) == simulate(what the kernel prints after the
// decoders, calculation and driver have had the same objects). The two sides share no code.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import type { Counts } from './coverage.ts';
import { runsOf, seedOf } from './seed.ts';
import type { Share } from './verdict-worker.ts';

const seed = seedOf();
/** Each goes through four worlds on average. */
const usualRuns = 560;
const runs = runsOf(usualRuns);

test(`in random worlds the kernel does with every packet what the policies say (seed ${seed})`, async (context) => {
  const threads = Math.min(4, availableParallelism());
  const shares = Array.from({ length: threads }, (_, index): Share => ({ runs: Math.ceil(runs / threads), seed: seed + index, threads }));
  const coverage = new Coverage();
  for (const counts of await Promise.all(shares.map(run))) coverage.add(counts);
  context.diagnostic(coverage.text());
  coverage.assertEnough(runs / usualRuns);
  assert.ok(coverage.worlds >= runsOf(2000), `at least ${runsOf(2000)} worlds`);
});

async function run(share: Share): Promise<Counts> {
  const worker = new Worker(new URL('verdict-worker.ts', import.meta.url), { workerData: share });
  // Rejects with what the worker threw.
  const [counts] = (await once(worker, 'message')) as [Counts];
  return counts;
}
