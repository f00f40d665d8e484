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
import { history } from '../property/changes.ts';
import { Coverage } from '../property/coverage.ts';
import { aims } from '../property/packets.ts';
import { runsOf } from '../property/seed.ts';
import { world } from '../property/worlds.ts';
import { Trial } from './fuzz/trial.ts';
import { backends } from './harness/stage.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 2026);
const usualLives = 14;
const lives = runsOf(usualLives);
/** Each third life has a process per change instead of coprocesses. */
const life = fc.record({
  worlds: fc.array(world, { minLength: 3, maxLength: 3 }),
  batches: history.map((batches) => batches.slice(0, 3)),
  aims: aims(600),
});

test(`the kernel does with real packets what the policies say (seed ${seed})`, async (context) => {
  const coverage = new Coverage();
  const trials = backends.map(async (backend, index) => {
    await using trial = await Trial.begin(backend, coverage);
    for (const [number, drawn] of fc.sample(life, { seed: 2 * seed + index, numRuns: lives }).entries()) await trial.live({ ...drawn, coprocess: number % 3 !== 2 });
    return { backend, ...trial.counts };
  });
  const results = await Promise.allSettled(trials);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  for (const result of results) if (result.status === 'fulfilled') context.diagnostic(JSON.stringify(result.value));
  context.diagnostic(coverage.text());
  // A tenth of the worlds of the fuzz in memory is asked for less, but for something: each reason and each feature decided.
  coverage.assertEnough(0.05 * Math.min(1, lives / usualLives));
  assert.ok(coverage.worlds >= runsOf(80), `at least ${runsOf(80)} worlds`);
});
