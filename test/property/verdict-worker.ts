// A share of the worlds of verdict.test.ts, on a thread of its own.

import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.ts';
import { aimed, aims } from './packets.ts';
import type { Share } from './threads.ts';
import { walk } from './walk.ts';
import { world } from './worlds.ts';

const share = workerData as Share;
const coverage = new Coverage(share.threads);
await walk({ world, aims: aims(50), packets: aimed }, share, coverage);
parentPort?.postMessage(coverage.counts());
