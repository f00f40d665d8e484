// Collaborators of a source that remember what they were told.

import type { ComponentHealth, HealthReporter } from '../../src/lib/health.ts';
import type { Logger } from '../../src/lib/logger.ts';
import type { MetricLabels, Metrics } from '../../src/lib/metrics.ts';
import type { Batch } from '../../src/model/update.ts';
import { waitFor } from '../cluster/harness/wait.ts';

const limit = 10_000;

const keyOf = (name: string, labels: MetricLabels = {}): string =>
  [name, ...Object.entries(labels).map(([label, value]) => `${label}=${value}`).toSorted()].join(' ');

export class Recorder {
  readonly batches: Batch[] = [];
  /** "level message" */
  readonly lines: string[] = [];
  readonly #gauges = new Map<string, number>();
  readonly #counters = new Map<string, number>();
  health: ComponentHealth | undefined;

  readonly sink = (batch: Batch): void => void this.batches.push(batch);

  readonly logger: Logger = {
    debug: (_fields, message) => void this.lines.push(`debug ${message}`),
    info: (_fields, message) => void this.lines.push(`info ${message}`),
    warn: (_fields, message) => void this.lines.push(`warn ${message}`),
    error: (_fields, message) => void this.lines.push(`error ${message}`),
  };

  readonly metrics: Metrics = {
    count: (name, labels, by = 1) => void this.#counters.set(keyOf(name, labels), this.counter(name, labels) + by),
    set: (name, value, labels) => void this.#gauges.set(keyOf(name, labels), value),
    observe: () => {},
  };

  readonly reporter: HealthReporter = {
    report: (_component, health) => {
      this.health = health;
    },
  };

  get warnings(): string[] {
    return this.#level('warn');
  }

  get errors(): string[] {
    return this.#level('error');
  }

  get infos(): string[] {
    return this.#level('info');
  }

  counter(name: string, labels?: MetricLabels): number {
    return this.#counters.get(keyOf(name, labels)) ?? 0;
  }

  gauge(name: string, labels?: MetricLabels): number | undefined {
    return this.#gauges.get(keyOf(name, labels));
  }

  /** Keys that exist after all batches so far, in order. */
  get known(): string[] {
    const keys = new Set<string>();
    for (const { updates } of this.batches) for (const { op, key } of updates) if (op === 'upsert') keys.add(key); else keys.delete(key);
    return [...keys].toSorted();
  }

  get inSync(): boolean {
    return this.batches.some((batch) => batch.inSync === true);
  }

  /** "upsert shop/web" of each update of each batch. */
  get said(): string[][] {
    return this.batches.map(({ updates }) => updates.map(({ op, key }) => `${op} ${key}`));
  }

  /** Until the probe says true. */
  async until(what: string, probe: () => boolean): Promise<void> {
    await waitFor(`${what}; it said ${JSON.stringify(this.said)}, ${this.lines.join(' | ')}`, limit, () => (probe() ? true : undefined));
  }

  /** Until so many batches have come. */
  async batch(number: number): Promise<Batch> {
    await this.until(`batch ${number}`, () => this.batches.length >= number);
    const batch = this.batches[number - 1];
    if (batch === undefined) throw new Error(`there is no batch ${number}`);
    return batch;
  }

  #level(level: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${level} `)).map((line) => line.slice(level.length + 1));
  }
}
