// A node in memory: decoders, calculation, driver and kernel, as the agent puts them together. In: worlds and changes. Out: what its
// kernel does with packets.

import assert from 'node:assert/strict';
import { createGraph } from '../../src/calc/graph.ts';
import { Driver } from '../../src/dataplane/driver.ts';
import { defaultOptions } from '../../src/dataplane/options.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { noMetrics } from '../../src/lib/metrics.ts';
import type { Family, Packet } from '../../src/model/packet.ts';
import type { Update } from '../../src/model/update.ts';
import type { Judge, Verdict, World } from '../../src/model/verdict.ts';
import { loadKernel } from '../../src/simulate/kernel.ts';
import type { Kernel } from '../../src/simulate/kernel.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import type { Change } from './changes.ts';
import { DesiredState } from './desired-state.ts';
import { batchOf, Feed } from './feed.ts';

export interface NodeOptions {
  /** Whose rules are written; default: IPv4, as the agent does. */
  readonly families?: readonly Family[];
}

/** Between two updates: long enough for whatever the driver puts off until it is idle. */
const pause = 60_000;

export class Node {
  readonly kernel = new FakeKernel();
  readonly #families: readonly Family[];
  readonly #clock = new FakeClock();
  readonly #feed: Feed;
  readonly #graph: ReturnType<typeof createGraph>;
  readonly #state = new DesiredState();
  readonly #driver: Driver;
  #updates = 0;
  #applied = Promise.withResolvers<void>();

  /** Takes nothing of the world but its node and its options. */
  constructor({ node, options }: Pick<World, 'node' | 'options'>, { families = [4] }: NodeOptions = {}) {
    this.#families = families;
    this.#feed = new Feed({ node, options });
    this.#graph = createGraph({ node });
    this.#driver = new Driver(
      {
        ruleTools: families.map((family) => this.kernel.ruleTool(family)),
        sets: this.kernel.setTool(),
        clock: this.#clock,
        logger: silentLogger,
        metrics: noMetrics,
        health: { report() {} },
        random: () => 0.5,
        onApplied: (receivedAt) => {
          if (receivedAt === this.#updates) this.#applied.resolve();
        },
      },
      { ...defaultOptions, interfacePrefixes: options.interfacePrefixes, endpointToHostAction: options.defaultEndpointToHostAction },
    );
    this.#driver.start();
  }

  async stop(): Promise<void> {
    await this.#driver.stop();
  }

  /** The complete lists of a world, at first or instead of what was known. */
  async relist(world: World): Promise<void> {
    await this.#update(this.#feed.list(world.objects), true);
  }

  async change(changes: readonly Change[]): Promise<void> {
    await this.#update(changes.flatMap((change) => this.#feed.change(change)));
  }

  /** Ends when the kernel has all of it. */
  async #update(updates: readonly Update[], inSync?: true): Promise<void> {
    this.kernel.clearLog();
    this.#clock.advance(pause);
    const desired = this.#graph.update({ ...batchOf(updates, inSync), receivedAt: this.#updates + 1 });
    if (desired === undefined) return;
    this.#state.take(desired);
    this.#updates += 1;
    this.#applied = Promise.withResolvers();
    this.#driver.update(desired);
    await Promise.race([this.#applied.promise, this.#driver.done]);
  }

  get invalid(): readonly string[] {
    return this.#feed.invalidNames();
  }

  /** The kernel as its tools print it just now. */
  read(): Kernel {
    return loadKernel({
      ...(this.#families.includes(4) ? { ipv4: this.kernel.rulesText('filter', 4) } : {}),
      ...(this.#families.includes(6) ? { ipv6: this.kernel.rulesText('filter', 6) } : {}),
      sets: this.kernel.setsText(),
    });
  }

  /** Compares every packet; the message has all that is needed to understand a difference. */
  assertVerdicts(judged: Judge, packets: readonly Packet[]): readonly Verdict[] {
    const kernel = this.read();
    return packets.map((packet) => {
      const expected = judged.verdict(packet);
      const found = simulate(kernel, packet);
      if (found.action === expected.action) return expected;
      assert.fail(
        [
          `the policies ${expected.action} ${JSON.stringify(packet)}: ${JSON.stringify(expected.decisions)}`,
          `the kernel says ${found.action}:`,
          ...found.trace.map((rule) => `  ${rule.text}`),
          this.kernel.rulesText('filter', packet.family),
          this.kernel.setsText(),
        ].join('\n'),
      );
    });
  }
}
