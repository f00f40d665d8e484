// The metrics registry: what Prometheus reads, and that the catalogue is kept.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { catalogue, referencePage } from '../../src/observability/catalogue.ts';
import type { MetricDefinition } from '../../src/observability/catalogue.ts';
import { MetricUnknown } from '../../src/observability/errors.ts';
import { createMetrics } from '../../src/observability/metrics.ts';

const SOURCES = path.join(import.meta.dirname, '..', '..', 'src');

const definitions: readonly MetricDefinition[] = [
  { type: 'counter', name: 'x_events_total', help: 'Events.', labels: ['kind'] },
  { type: 'gauge', name: 'x_sets', help: 'Sets.' },
  { type: 'histogram', name: 'x_seconds', help: 'Time.', buckets: [0.1, 1] },
];
const create = (): ReturnType<typeof createMetrics> => createMetrics({ processMetrics: false, definitions });

suite('metrics', () => {
  test('counters add up by label', async () => {
    const { metrics, text } = create();
    metrics.count('x_events_total', { kind: 'Pod' });
    metrics.count('x_events_total', { kind: 'Pod' }, 4);
    assert.match(await text(), /^x_events_total\{kind="Pod"\} 5$/m);
  });
  test('gauges hold the last value', async () => {
    const { metrics, text } = create();
    metrics.set('x_sets', 3);
    metrics.set('x_sets', 2);
    assert.match(await text(), /^x_sets 2$/m);
  });
  test('histograms count into their buckets', async () => {
    const { metrics, text } = create();
    metrics.observe('x_seconds', 0.5);
    const exposition = await text();
    assert.match(exposition, /^x_seconds_bucket\{le="0.1"\} 0$/m);
    assert.match(exposition, /^x_seconds_bucket\{le="1"\} 1$/m);
  });
  test('a name that the catalogue does not have is an error', () => assert.throws(() => create().metrics.count('x_other'), MetricUnknown));
  test('a name used as another type is an error', () => assert.throws(() => create().metrics.set('x_events_total', 1, { kind: 'Pod' }), MetricUnknown));
  test('missing and foreign labels are errors', () => {
    const { metrics } = create();
    assert.throws(() => metrics.count('x_events_total'), MetricUnknown);
    assert.throws(() => metrics.set('x_sets', 1, { kind: 'Pod' }), MetricUnknown);
  });
  test('two registries do not share counts', async () => {
    create().metrics.set('x_sets', 9);
    assert.match(await create().text(), /^x_sets 0$/m);
  });
  test('process metrics are there only where asked for', async () => {
    assert.doesNotMatch(await create().text(), /process_cpu/);
    assert.match(await createMetrics({ processMetrics: true, definitions }).text(), /process_cpu_seconds_total/);
  });
});

suite('the catalogue', () => {
  test('names each metric once, in the characters that Prometheus allows', () => {
    const names = catalogue.map((each) => each.name);
    assert.equal(new Set(names).size, names.length);
    assert.deepEqual(names.filter((name) => !/^(caracal|felix)_[a-z0-9_]+$/.test(name)), []);
  });
  test('has every metric that the sources use, as what they use it, and no other', () => {
    const types = { count: 'counter', set: 'gauge', observe: 'histogram' } as const;
    const used = new Set<string>();
    for (const file of globSync('**/*.ts', { cwd: SOURCES })) {
      const source = readFileSync(path.join(SOURCES, file), 'utf8');
      for (const [, method, name] of source.matchAll(/\.(count|set|observe)\(\s*'((?:caracal|felix)_[a-z0-9_]+)'/g)) {
        used.add(`${types[method as keyof typeof types]} ${name}`);
      }
    }
    assert.deepEqual([...used].toSorted(), catalogue.map(({ type, name }) => `${type} ${name}`).toSorted());
  });
  test('has rising buckets', () => {
    for (const each of catalogue) if (each.type === 'histogram') assert.deepEqual(each.buckets, each.buckets.toSorted((a, b) => a - b));
  });
  test('is what docs/metrics.md says', () => {
    assert.equal(readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'metrics.md'), 'utf8'), referencePage());
  });
});
