// A driver on a kernel in memory, with a clock that the test moves. Everything else is microtasks, so one turn of the event loop lets
// the driver do all that it can do now.

import { setImmediate } from 'node:timers/promises';
import type { LogFields, Logger } from '../../src/lib/logger.ts';
import type { ComponentHealth } from '../../src/lib/health.ts';
import type { Desired } from '../../src/model/desired.ts';
import { Driver } from '../../src/dataplane/driver.ts';
import type { DriverParts } from '../../src/dataplane/driver.ts';
import type { Ring } from '../../src/dataplane/doorbell.ts';
import { defaultOptions } from '../../src/dataplane/options.ts';
import type { DataplaneOptions } from '../../src/dataplane/options.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeKernel } from '../fakes/kernel.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

export class Node {
  readonly kernel: FakeKernel;
  readonly clock = new FakeClock(1_000_000);
  readonly driver: Driver;
  readonly log: LogLine[] = [];
  readonly counts = new Map<string, number>();
  health: ComponentHealth | undefined;

  constructor(kernel = new FakeKernel(), options: Partial<DataplaneOptions> = {}, parts: Partial<DriverParts> = {}) {
    this.kernel = kernel;
    const write = (level: LogLine['level']) => (fields: LogFields, message: string) => void this.log.push({ level, fields, message });
    const logger: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    this.driver = new Driver(
      {
        ruleTools: [kernel.ruleTool(4)],
        sets: kernel.setTool(),
        clock: this.clock,
        logger,
        metrics: { count: (name, _, by = 1) => void this.counts.set(name, (this.counts.get(name) ?? 0) + by), set: () => {}, observe: () => {} },
        health: { report: (_, health) => void (this.health = health) },
        random: () => 0,
        ...parts,
      },
      { ...defaultOptions, ...options },
    );
  }

  async start(): Promise<this> {
    this.driver.start();
    await this.settle();
    return this;
  }

  async update(...changes: readonly Desired[]): Promise<void> {
    for (const change of changes) this.driver.update(change);
    await this.settle();
  }

  async ring(ring: Ring = { touched: 'everything', reason: 'a test' }): Promise<void> {
    this.driver.ring(ring);
    await this.settle();
  }

  async pass(milliseconds: number, step = 10): Promise<void> {
    // In small steps: what falls due takes its own time before the clock goes on.
    for (let left = milliseconds; left > 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      await this.settle();
    }
  }

  async settle(): Promise<void> {
    await setImmediate();
  }

  /** Rules of a chain without their hash comments. */
  chain(name: string): readonly string[] | undefined {
    return this.kernel.chain(name)?.map((rule) => rule.replace(/-m comment --comment "?cali:[^ ]* /, ''));
  }

  members(set: string): readonly string[] {
    const prefix = `add ${set} `;
    return this.kernel
      .setsText()
      .split('\n')
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length))
      .sort();
  }

  messages(level: LogLine['level']): readonly string[] {
    return this.log.filter((line) => line.level === level).map((line) => line.message);
  }
}
