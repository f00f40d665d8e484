// What a fuzz has really tried: how many packets were allowed, for which reasons, and for how many each feature was decisive.
//
// A feature is looked at until it has decided enough packets, so the counts are cut off there; a packet in which several
// features meet counts for each of them.

import assert from 'node:assert/strict';
import type { Packet } from '../../src/model/packet.ts';
import type { Judge, Verdict, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { features } from './features.ts';
import type { Feature } from './features.ts';

/** Decisive packets of each reason and each feature. */
const enough = 20;

/** "direction action reason" of the last decision. All can happen in a world without Calico's own policies. */
const reasons = [
  'egress allow conntrack',
  'egress allow endpoint-to-host',
  'egress allow not-policed',
  'egress allow profile',
  'egress allow rule',
  'egress deny conntrack',
  'egress deny end-of-tier',
  'egress deny endpoint-to-host',
  'egress deny no-profile',
  'egress deny spoofed',
  'egress deny tunnel',
  'egress deny unknown-interface',
  'ingress allow conntrack',
  'ingress allow not-policed',
  'ingress allow profile',
  'ingress allow rule',
  'ingress deny conntrack',
  'ingress deny end-of-tier',
  'ingress deny no-profile',
  'ingress deny unknown-interface',
] as const;

/** What one thread tells another. */
export interface Counts {
  readonly worlds: number;
  readonly packets: number;
  readonly allowed: number;
  readonly reasons: ReadonlyMap<string, number>;
  readonly features: ReadonlyMap<string, number>;
}

export class Coverage {
  #worlds = 0;
  #packets = 0;
  #allowed = 0;
  readonly #reasons: Map<string, number>;
  readonly #features: Map<string, number>;
  readonly #wanted: readonly Feature[];

  readonly #lookedFor: number;

  /** `share`: how many threads look; each looks for its part, and a little more. */
  constructor(share = 1, wanted: readonly Feature[] = features, wantedReasons: readonly string[] = reasons) {
    this.#wanted = wanted;
    this.#reasons = new Map(wantedReasons.map((reason) => [reason, 0]));
    this.#features = new Map(wanted.map(({ name }) => [name, 0]));
    this.#lookedFor = share === 1 ? enough : Math.ceil((1.5 * enough) / share);
  }

  counts(): Counts {
    return { worlds: this.#worlds, packets: this.#packets, allowed: this.#allowed, reasons: this.#reasons, features: this.#features };
  }

  add({ worlds, packets, allowed, reasons: reasonCounts, features: featureCounts }: Counts): void {
    this.#worlds += worlds;
    this.#packets += packets;
    this.#allowed += allowed;
    for (const [name, count] of reasonCounts) add(this.#reasons, name, count);
    for (const [name, count] of featureCounts) add(this.#features, name, count);
  }

  observe(world: World, judged: Judge, packets: readonly Packet[], verdicts: readonly Verdict[]): void {
    this.#worlds++;
    this.#packets += packets.length;
    for (const { action, decisions } of verdicts) {
      if (action === 'allow') this.#allowed++;
      const last = decisions.at(-1);
      if (last !== undefined) add(this.#reasons, `${last.direction} ${last.action} ${last.reason}`, 1);
    }
    for (const feature of this.#wanted) {
      if ((this.#features.get(feature.name) ?? 0) >= this.#lookedFor) continue;
      const other = feature.without(world, judged.invalid);
      if (other === undefined) continue;
      const otherwise = judge(other);
      add(this.#features, feature.name, packets.filter((packet, index) => otherwise.verdict(packet).action !== verdicts[index]?.action).length);
    }
  }

  get worlds(): number {
    return this.#worlds;
  }

  get allowedShare(): number {
    return this.#allowed / this.#packets;
  }

  text(): string {
    const line = ([name, count]: readonly [string, number]): string => `  ${name}: ${count}`;
    return [
      `${this.#worlds} worlds, ${this.#packets} packets, ${(100 * this.allowedShare).toFixed(1)} % allowed`,
      'decisive reasons:',
      ...[...this.#reasons].map(line),
      `decisive features (looked for until there were ${enough} or more):`,
      ...[...this.#features].map(line),
    ].join('\n');
  }

  /** `share`: of the usual number of cases; a shorter run is asked for less. */
  assertEnough(share: number): void {
    assert.ok(this.allowedShare >= 0.2 && this.allowedShare <= 0.8, `between 20 and 80 % of the packets should be allowed, not ${100 * this.allowedShare} %`);
    const wanted = Math.floor(enough * Math.min(1, share));
    const scarce = [...this.#reasons, ...this.#features].filter(([, count]) => count < wanted);
    assert.deepEqual(scarce, [], `each reason and each feature should decide at least ${wanted} packets`);
  }
}

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}
