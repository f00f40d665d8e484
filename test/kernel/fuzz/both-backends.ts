// A fuzz with real packets on both backends at once. In: how lives are drawn. Out: what was tried, as diagnostics of the test; it fails
// for the first difference, and when too little was tried on one of the two. Lives of one world are added for the features and the
// reasons that decided about no packet until then: so each is tried, with any seed.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import * as fc from 'fast-check';
import type { Packet } from '../../../src/model/packet.ts';
import type { World } from '../../../src/model/verdict.ts';
import { judge } from '../../../src/verdict/judge.ts';
import type { Coverage } from '../../property/coverage.ts';
import type { Feature } from '../../property/features.ts';
import { backends } from '../harness/stage.ts';
import type { Backend } from '../harness/stage.ts';
import { Places } from './places.ts';
import { Trial } from './trial.ts';
import type { Life } from './trial.ts';

type Drawn = Omit<Life, 'coprocess'>;

export interface Fuzz {
  readonly seed: number;
  /** On each backend. */
  readonly lives: number;
  readonly features: readonly Feature[];
  /** What was tried on one backend. */
  readonly coverage: () => Coverage;
  /** Of what the fuzz in memory is asked for. */
  readonly share: number;
}

/** Of all packets, so many at least are answered; with fewer, something is wrong with the way back. */
const answeredShare = 0.05;
const fewestPackets = 20;
/** So many lives are drawn at a time, and so often, to find a world for a feature. */
const drawnAtOnce = 10;
const drawnAtMost = 40;

/** Resolves to the number of worlds on each backend: entered by relisting, and in all. */
export async function onBothBackends(life: fc.Arbitrary<Drawn>, fuzz: Fuzz, context: TestContext): Promise<readonly { readonly listed: number; readonly all: number }[]> {
  const results = await Promise.allSettled(backends.map((backend, index) => onBackend(backend, 2 * fuzz.seed + index, life, fuzz)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return results.flatMap((result) => {
    if (result.status === 'rejected') return [];
    const { backend, counts, coverage } = result.value;
    context.diagnostic(`${backend}: ${JSON.stringify(counts)}, ${coverage.text()}`);
    coverage.assertEnough(fuzz.share);
    assert.ok(counts.packets >= fewestPackets * coverage.worlds, `${backend}: at least ${fewestPackets} packets in a world`);
    assert.ok(counts.answers >= answeredShare * counts.packets, `${backend}: answers to ${100 * answeredShare} % of the packets`);
    return [{ listed: counts.worlds, all: coverage.worlds }];
  });
}

interface Outcome {
  readonly backend: Backend;
  readonly counts: Trial['counts'];
  readonly coverage: Coverage;
}

async function onBackend(backend: Backend, seed: number, life: fc.Arbitrary<Drawn>, { lives, features, coverage: begin }: Fuzz): Promise<Outcome> {
  const coverage = begin();
  // Each third life has a process per change instead of coprocesses.
  const drawn = fc.sample(life, { seed, numRuns: lives }).map((each, number): Life => ({ ...each, coprocess: number % 3 !== 2 }));
  await using trial = await Trial.begin({ backend, features, coverage });
  if (drawn[0] !== undefined) await trial.assertOpen(drawn[0]);
  for (const each of drawn) await trial.live(each);
  const liveFor = async (isMissing: () => boolean, isWanted: (world: World, packets: readonly Packet[]) => boolean): Promise<void> => {
    const found = isMissing() ? lifeFor(isWanted, life, seed) : undefined;
    if (found !== undefined) await trial.live({ ...found, coprocess: true });
  };
  for (const name of coverage.counts().reasons.keys()) await liveFor(() => coverage.counts().reasons.get(name) === 0, (world, packets) => isReason(name, world, packets));
  for (const feature of features) await liveFor(() => coverage.counts().features.get(feature.name) === 0, (world, packets) => decides(feature, world, packets));
  return { backend, counts: trial.counts, coverage };
}

function lifeFor(isWanted: (world: World, packets: readonly Packet[]) => boolean, life: fc.Arbitrary<Drawn>, seed: number): Drawn | undefined {
  for (let number = 1; number <= drawnAtMost; number += 1) {
    for (const { worlds, packets } of fc.sample(life, { seed: seed + number * 1_000_003, numRuns: drawnAtOnce })) {
      const found = worlds.find((world) => isWanted(world, new Places(world).sendableOf(packets(world))));
      if (found !== undefined) return { worlds: [found], batches: [], packets };
    }
  }
  return undefined;
}

function isReason(name: string, world: World, packets: readonly Packet[]): boolean {
  const judged = judge(world);
  return packets.some((packet) => judged.verdict(packet).decisions.slice(-1).some(({ direction, action, reason }) => `${direction} ${action} ${reason}` === name));
}

function decides(feature: Feature, world: World, packets: readonly Packet[]): boolean {
  const judged = judge(world);
  const other = feature.without(world, judged.invalid);
  if (other === undefined) return false;
  const otherwise = judge(other);
  return packets.some((packet) => otherwise.verdict(packet).action !== judged.verdict(packet).action);
}
