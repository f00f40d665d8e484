// The third corner: what the policies say of a packet is what the node's kernel does with it. Random worlds, enforced with the real
// tools on both backends, and packets on real wires:
//
//   verdict(wire objects) == a packet == simulate(what iptables-save and ipset save print)
//
// A node sees several agents come and go. Each finds what the one before left, made with other options; it takes a row of worlds by
// relisting and then small changes, and packets are sent after each; in the end another agent finds nothing to do.
//
//   FUZZ_SEED=123 node --test test/kernel/fuzz.test.ts     the worlds of a seed
//   FUZZ_TIMES=10 …                                        ten times as many

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { World } from '../../src/model/verdict.ts';
import { history, take } from '../property/changes.ts';
import { Coverage } from '../property/coverage.ts';
import { features } from '../property/features.ts';
import { aimed, aims } from '../property/packets.ts';
import { runsOf } from '../property/seed.ts';
import { world } from '../property/worlds.ts';
import { onBothBackends } from './fuzz/both-backends.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 2026);
const usualLives = 14;
const lives = runsOf(usualLives);
const life = fc.record({ worlds: fc.array(world, { minLength: 3, maxLength: 3 }), history, drawn: aims(600) }).map(({ worlds, history: batches, drawn }) => ({
  worlds,
  batches: batches.slice(0, 3).map((steps) => (each: World) => take(each, steps)),
  packets: (each: World) => aimed(each, drawn),
}));

test(`the kernel does with real packets what the policies say (seed ${seed})`, async (context) => {
  // A twentieth of what the fuzz in memory is asked for, but something: each reason and each feature decided, on each backend.
  const share = 0.05 * Math.min(1, lives / usualLives);
  const worlds = await onBothBackends(life, { seed, lives, features, coverage: () => new Coverage(), share }, context);
  for (const { all } of worlds) assert.ok(all >= runsOf(60), `at least ${runsOf(60)} worlds on each backend, not ${all}`);
});
