// Packets between pairs of pods whose verdict must not change while something else happens: none may be lost where they are allowed,
// none may pass where they are denied, not even one.

import assert from 'node:assert/strict';
import type { PacketStream } from './probe.ts';
import type { Expectation, Stage } from './stage.ts';

const INTERVAL_MS = 4;

export class SteadyTraffic {
  readonly #streams: ReadonlyMap<string, { readonly stream: PacketStream; readonly expectation: Expectation }>;

  private constructor(streams: ReadonlyMap<string, { readonly stream: PacketStream; readonly expectation: Expectation }>) {
    this.#streams = streams;
  }

  /** Keys are "from > to", as for Stage.expect. */
  static async start(stage: Stage, pairs: Readonly<Record<string, Expectation>>): Promise<SteadyTraffic> {
    const streams = await Promise.all(
      Object.entries(pairs).map(async ([pair, expectation]) => [pair, { stream: await stage.stream(pair, INTERVAL_MS), expectation }] as const),
    );
    return new SteadyTraffic(new Map(streams));
  }

  /** Ends it; fails if a packet was lost or let through. */
  async finish(): Promise<void> {
    const results = await Promise.all(
      [...this.#streams].map(async ([pair, { stream, expectation }]) => {
        const { passed, dropped } = await stream.finish();
        assert.ok(passed + dropped > 0, `no packet was sent from ${pair}`);
        return { pair, wrong: expectation === 'passes' ? dropped : passed, of: passed + dropped, expectation };
      }),
    );
    const harmed = results.filter(({ wrong }) => wrong > 0);
    assert.deepEqual(harmed.map(({ pair, wrong, of, expectation }) => `${pair} ${expectation}, but not so ${wrong} of ${of} packets`), []);
  }
}
