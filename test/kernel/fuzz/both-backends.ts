// A fuzz with real packets on both backends at once. In: how lives are drawn. Out: what was tried, as a diagnostic of the test; it fails
// for the first difference. Lives of one world are added for the features that decided about no packet until then: with any seed every
// feature is tried.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import * as fc from 'fast-check';
import type { World } from '../../../src/model/verdict.ts';
import { judge } from '../../../src/verdict/judge.ts';
import type { Feature } from '../../property/features.ts';
import { backends } from '../harness/stage.ts';
import { Places } from './places.ts';
import { Trial } from './trial.ts';
import type { Life, TrialOptions } from './trial.ts';

type Drawn = Omit<Life, 'coprocess'>;

export interface Fuzz extends Omit<TrialOptions, 'backend'> {
  readonly seed: number;
  /** On each backend. */
  readonly lives: number;
}

/** Of all packets, so many at least are answered; with fewer, something is wrong with the way back. */
const answeredShare = 0.05;
const fewestPackets = 20;
/** So many lives are drawn at a time, and so often, to find a world for a feature. */
const drawnAtOnce = 10;
const drawnAtMost = 40;

/** Resolves to the number of worlds that were entered by relisting on each backend. */
export async function onBothBackends(life: fc.Arbitrary<Drawn>, { seed, lives, ...options }: Fuzz, context: TestContext): Promise<readonly number[]> {
  const trials = backends.map(async (backend, index) => {
    // Each third life has a process per change instead of coprocesses.
    const drawn = fc.sample(life, { seed: 2 * seed + index, numRuns: lives }).map((each, number): Life => ({ ...each, coprocess: number % 3 !== 2 }));
    await using trial = await Trial.begin({ ...options, backend });
    if (drawn[0] !== undefined) await trial.assertOpen(drawn[0]);
    for (const each of drawn) await trial.live(each);
    for (const feature of options.features) {
      const found = options.coverage.counts().features.get(feature.name) === 0 ? lifeFor(feature, life, seed) : undefined;
      if (found !== undefined) await trial.live({ ...found, coprocess: true });
    }
    return { backend, ...trial.counts };
  });
  const results = await Promise.allSettled(trials);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const counts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  for (const each of counts) {
    context.diagnostic(JSON.stringify(each));
    assert.ok(each.packets >= fewestPackets * (each.worlds + each.batches), `${each.backend}: at least ${fewestPackets} packets in a world`);
    assert.ok(each.answers >= answeredShare * each.packets, `${each.backend}: answers to ${100 * answeredShare} % of the packets`);
  }
  context.diagnostic(options.coverage.text());
  return counts.map(({ worlds }) => worlds);
}

function lifeFor(feature: Feature, life: fc.Arbitrary<Drawn>, seed: number): Drawn | undefined {
  for (let number = 1; number <= drawnAtMost; number += 1) {
    for (const { worlds, packets } of fc.sample(life, { seed: seed + number * 1_000_003, numRuns: drawnAtOnce })) {
      const found = worlds.find((world) => decides(feature, world, packets));
      if (found !== undefined) return { worlds: [found], batches: [], packets };
    }
  }
  return undefined;
}

function decides(feature: Feature, world: World, packets: Life['packets']): boolean {
  const judged = judge(world);
  const other = feature.without(world, judged.invalid);
  if (other === undefined) return false;
  const otherwise = judge(other);
  const places = new Places(world);
  const sendable = packets(world).flatMap((packet) => places.sendable(packet) ?? []);
  return sendable.some((packet) => otherwise.verdict(packet).action !== judged.verdict(packet).action);
}
