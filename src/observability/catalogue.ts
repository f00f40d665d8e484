// Every metric there is: name, type, help and labels, in one place. Other layers use metrics by name only; a name that is not
// here is an error at its first use. docs/metrics.md is made from this table.

interface Common {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export type MetricDefinition =
  | (Common & { readonly type: 'counter' })
  | (Common & { readonly type: 'gauge' })
  | (Common & { readonly type: 'histogram'; /** Upper bounds; seconds for durations. */ readonly buckets: readonly number[] });

/** From a tenth of a millisecond, what one set member costs, to half a minute. */
const LATENCY_BUCKETS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export const catalogue: readonly MetricDefinition[] = Object.freeze([
  // ------------------------------------------------------------------------------------------------------------- Agent
  { type: 'gauge', name: 'caracal_build_info', help: '1, with the version of the running agent.', labels: ['version'] },
  // -------------------------------------------------------------------------------------------------------------- Sync
  { type: 'gauge', name: 'caracal_sync_in_sync', help: '1 when every kind that gates has delivered its first complete list.' },
  { type: 'gauge', name: 'caracal_sync_invalid_objects', help: 'Objects that break a rule of the API, by kind; what then holds is closed.', labels: ['kind'] },
  { type: 'gauge', name: 'caracal_sync_bad_files', help: 'Manifest files that cannot be read or parsed; their last good content holds.' },
  // --------------------------------------------------------------------------------------------------------- Dataplane
  {
    type: 'histogram',
    name: 'caracal_apply_seconds',
    help: 'From the receipt of a change to the acknowledgement of the kernel.',
    buckets: LATENCY_BUCKETS,
  },
]);

/** docs/metrics.md. */
export function referencePage(): string {
  const rows = catalogue.map(({ name, type, labels = [], help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`);
  return [
    '# Metrics',
    '',
    '<!-- Made by `npm run docs` from src/observability/catalogue.ts; a test keeps the two equal. -->',
    '',
    'Served as text for Prometheus on `/metrics` when `FELIX_PROMETHEUSMETRICSENABLED` is true. Durations are in seconds. The usual',
    '`process_*` and `nodejs_*` metrics are added unless `FELIX_PROMETHEUSPROCESSMETRICSENABLED` is false.',
    '',
    '| Name | Type | Labels | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
