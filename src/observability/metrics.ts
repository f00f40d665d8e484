// Metrics in memory, and the text that Prometheus reads. prom-client behind the Metrics interface that the other layers know,
// with a registry of its own: two agents in one process (the tests) do not share counts.
//
// Always holds: a name, a type or a set of labels that the catalogue does not have is an error at the first use.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { MetricLabels, Metrics } from '../lib/metrics.ts';
import { catalogue } from './catalogue.ts';
import type { MetricDefinition } from './catalogue.ts';
import { MetricUnknown } from './errors.ts';

export interface MetricsRegistry {
  readonly metrics: Metrics;
  readonly contentType: string;
  /** The exposition text. */
  readonly text: () => Promise<string>;
}

interface Options {
  /** Also process_* and nodejs_*. They cost an observer of garbage collections and event loop delay. */
  readonly processMetrics: boolean;
  readonly definitions?: readonly MetricDefinition[];
}

export function createMetrics({ processMetrics, definitions = catalogue }: Options): MetricsRegistry {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const labelNames = new Map(definitions.map((each) => [each.name, each.labels ?? []]));

  for (const definition of definitions) {
    const { name, help, labels = [] } = definition;
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    switch (definition.type) {
      case 'counter':
        counters.set(name, new Counter(options));
        break;
      case 'gauge':
        gauges.set(name, new Gauge(options));
        break;
      case 'histogram':
        histograms.set(name, new Histogram({ ...options, buckets: [...definition.buckets] }));
        break;
    }
  }
  // The delay of the event loop is sampled ten times a second, not a hundred: that alone would be 250 ms of CPU a minute.
  if (processMetrics) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });

  function find<M>(metrics: ReadonlyMap<string, M>, type: string, name: string, labels: MetricLabels): M {
    const found = metrics.get(name);
    if (found === undefined) throw new MetricUnknown(`the catalogue has no ${type} ${name}`);
    const declared = labelNames.get(name) ?? [];
    const given = Object.keys(labels);
    if (given.length !== declared.length || !declared.every((label) => label in labels)) {
      throw new MetricUnknown(`${name} has the labels {${declared.join(', ')}}, not {${given.join(', ')}}`);
    }
    return found;
  }

  const none: MetricLabels = {};
  return Object.freeze({
    metrics: Object.freeze({
      count: (name: string, labels = none, by = 1) => find(counters, 'counter', name, labels).inc(labels, by),
      set: (name: string, value: number, labels = none) => find(gauges, 'gauge', name, labels).set(labels, value),
      observe: (name: string, value: number, labels = none) => find(histograms, 'histogram', name, labels).observe(labels, value),
    }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  });
}
