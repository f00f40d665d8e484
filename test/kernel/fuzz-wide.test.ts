// The same comparison as in fuzz.test.ts with every kind of policy: Calico's, administrators' and Kubernetes' own, with tiers, network
// sets, services, host endpoints of other nodes, and pods of both families. The packets are IPv4.
//
//   FUZZ_SEED=123 node --test test/kernel/fuzz-wide.test.ts     the worlds of a seed
//   FUZZ_TIMES=10 …                                             ten times as many

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { World } from '../../src/model/verdict.ts';
import { take } from '../property/changes.ts';
import { Coverage } from '../property/coverage.ts';
import { aimed, aims } from '../property/packets.ts';
import { runsOf } from '../property/seed.ts';
import { enforcedFeatures, wideReasons } from '../property/wide-features.ts';
import { wideAimed, wideAims } from '../property/wide-packets.ts';
import { enforcedHistory, enforcedWorld } from '../property/wide-worlds.ts';
import { onBothBackends } from './fuzz/both-backends.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 2026);
const usualLives = 14;
const lives = runsOf(usualLives);
const worldsPerLife = 4;
const features = enforcedFeatures.filter(({ name }) => name !== 'network set: IPv6');
const life = fc
  .record({
    worlds: fc.array(enforcedWorld, { minLength: worldsPerLife, maxLength: worldsPerLife }),
    history: enforcedHistory,
    // Those of packets.ts go to the host too, have false sources and come from interfaces that nobody knows.
    wide: wideAims(450).map((list) => list.map((aim) => ({ ...aim, isSix: false }))),
    narrow: aims(150),
  })
  .map(({ worlds, history, wide, narrow }) => ({
    worlds,
    batches: history.slice(0, 3).map((steps) => (each: World) => take(each, steps)),
    packets: (each: World) => [...wideAimed(each, wide), ...aimed(each, narrow)],
  }));

test(`the kernel does with real packets what policies of every kind say (seed ${seed})`, async (context) => {
  const share = 0.05 * Math.min(1, lives / usualLives);
  const worlds = await onBothBackends(life, { seed, lives, features, coverage: () => new Coverage(1, features, wideReasons), share }, context);
  for (const { listed } of worlds) assert.ok(listed >= runsOf(50), `at least ${runsOf(50)} worlds on each backend, not ${listed}`);
});
