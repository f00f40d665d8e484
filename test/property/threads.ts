// A fuzz on as many threads as there are processors, up to four. In: a worker's file, how many runs, from which seed. Out: what the
// threads have covered; an exception, with all that is needed to repeat it, for the first difference.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Counts } from './coverage.ts';

/** What each thread is told, as its workerData. */
export interface Share {
  readonly runs: number;
  readonly seed: number;
  /** How many threads there are. */
  readonly threads: number;
}

export function inThreads(file: string, runs: number, seed: number): Promise<readonly Counts[]> {
  const threads = Math.min(4, availableParallelism());
  const shares = Array.from({ length: threads }, (_, index): Share => ({ runs: Math.ceil(runs / threads), seed: seed + index, threads }));
  return Promise.all(shares.map((share) => run(file, share)));
}

async function run(file: string, share: Share): Promise<Counts> {
  const worker = new Worker(new URL(file, import.meta.url), { workerData: share });
  // Rejects with what the worker threw.
  const [counts] = (await once(worker, 'message')) as [Counts];
  return counts;
}
