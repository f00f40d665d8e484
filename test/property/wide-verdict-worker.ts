// A share of the worlds of verdict-of-every-kind.test.ts, on a thread of its own.

import { parentPort, workerData } from 'node:worker_threads';
import * as fc from 'fast-check';
import { Coverage } from './coverage.ts';
import { aimed, aims } from './packets.ts';
import type { Share } from './threads.ts';
import { walk } from './walk.ts';
import { enforcedFeatures, wideReasons } from './wide-features.ts';
import { wideAimed, wideAims } from './wide-packets.ts';
import { enforcedWorld } from './wide-worlds.ts';

const share = workerData as Share;
const coverage = new Coverage(share.threads, enforcedFeatures, wideReasons);
await walk(
  {
    world: enforcedWorld,
    aims: fc.tuple(wideAims(35), aims(15)),
    // Those of packets.ts go to the host, too, and belong to connections of any state.
    packets: (world, [wide, narrow]) => [...wideAimed(world, wide), ...aimed(world, narrow)],
    families: [4, 6],
  },
  share,
  coverage,
);
parentPort?.postMessage(coverage.counts());
