// Decoders, calculation and driver with the real tools on a node, as the agent puts them together. In: worlds and changes. Out: the
// node's kernel is as they say.

import assert from 'node:assert/strict';
import { createGraph } from '../../../src/calc/graph.ts';
import { Driver } from '../../../src/dataplane/driver.ts';
import type { RuleTool, SetTool } from '../../../src/dataplane/kernel.ts';
import { defaultOptions } from '../../../src/dataplane/options.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { Logger } from '../../../src/lib/logger.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { noMetrics } from '../../../src/lib/metrics.ts';
import type { Update } from '../../../src/model/update.ts';
import type { World } from '../../../src/model/verdict.ts';
import type { Change } from '../../property/changes.ts';
import { batchOf, Feed } from '../../property/feed.ts';
import { eventually } from '../harness/eventually.ts';

export interface Tools {
  readonly rules: RuleTool;
  readonly sets: SetTool;
}

const limitMs = 60_000;

export class Enforcer implements AsyncDisposable {
  /** Transactions and set commands that were written. */
  readonly written: string[] = [];
  readonly #problems: unknown[] = [];
  readonly #feed: Feed;
  readonly #graph: ReturnType<typeof createGraph>;
  readonly #driver: Driver;
  #updates = 0;
  #acknowledged = 0;

  /** Takes nothing of the world but its node and its options. */
  constructor({ node, options }: Pick<World, 'node' | 'options'>, { rules, sets }: Tools) {
    this.#feed = new Feed({ node, options });
    this.#graph = createGraph({ node });
    const problem = (fields: object, message: string): void => void this.#problems.push({ message, ...fields });
    const logger: Logger = {
      ...silentLogger,
      error: problem,
      // Addresses of IPv6 are no problem here; that somebody changed the rules is one.
      warn: (fields, message) => void (/IPv6/.test(message) || problem(fields, message)),
    };
    this.#driver = new Driver(
      {
        ruleTools: [{ family: 4, save: (table) => rules.save(table), close: () => rules.close(), restore: (text) => (this.written.push(text), rules.restore(text)) }],
        sets: { save: (name) => sets.save(name), headers: () => sets.headers(), close: () => sets.close(), run: (commands) => (this.written.push(...commands), sets.run(commands)) },
        clock: systemClock,
        logger,
        metrics: noMetrics,
        health: { report() {} },
        onApplied: (receivedAt) => void (this.#acknowledged = receivedAt),
      },
      { ...defaultOptions, interfacePrefixes: options.interfacePrefixes, endpointToHostAction: options.defaultEndpointToHostAction },
    );
    this.#driver.start();
  }

  /** The complete lists of a world, at first or instead of what was known. */
  relist(world: World): Promise<void> {
    return this.#update(this.#feed.list(world.objects), true);
  }

  change(changes: readonly Change[]): Promise<void> {
    return this.#update(changes.flatMap((change) => this.#feed.change(change)));
  }

  async stop(): Promise<void> {
    await this.#driver.stop();
    assert.deepEqual(this.#problems, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.stop();
  }

  /** Ends when the kernel has all of it. */
  async #update(updates: readonly Update[], inSync?: true): Promise<void> {
    const desired = this.#graph.update({ ...batchOf(updates, inSync), receivedAt: this.#updates + 1 });
    if (desired === undefined) return;
    this.#updates += 1;
    this.#driver.update(desired);
    const applied = eventually('the change is in the kernel', () => this.#acknowledged === this.#updates || this.#problems.length > 0, limitMs);
    await Promise.race([applied, this.#driver.done]);
    assert.deepEqual(this.#problems, []);
  }
}
