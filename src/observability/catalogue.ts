// Every metric there is: name, type, help and labels, in one place. Other layers use metrics by name only; a name that is not
// here is an error at its first use. docs/metrics.md is made from this table.
//
// What Felix counts too has Felix's name, so that its dashboards keep working; the rest is caracal_*.

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

const TABLE = ['ip_version', 'table'];

export const catalogue: readonly MetricDefinition[] = Object.freeze([
  // ------------------------------------------------------------------------------------------------------------- Agent
  { type: 'gauge', name: 'caracal_build_info', help: '1, with the version of the running agent.', labels: ['version'] },
  {
    type: 'histogram',
    name: 'caracal_apply_seconds',
    help: 'From the receipt of a change to the acknowledgement of the kernel.',
    buckets: LATENCY_BUCKETS,
  },
  // -------------------------------------------------------------------------------------------------------------- Sync
  { type: 'gauge', name: 'caracal_sync_in_sync', help: '1 when every kind that gates has delivered its first complete list.' },
  { type: 'gauge', name: 'caracal_sync_objects', help: 'Objects that the API server holds and policy uses.', labels: ['kind'] },
  { type: 'gauge', name: 'caracal_sync_invalid_objects', help: 'Objects that break a rule of the API; what then holds is closed.', labels: ['kind'] },
  { type: 'gauge', name: 'caracal_sync_bad_files', help: 'Manifest files that cannot be read or parsed; their last good content holds.' },
  { type: 'gauge', name: 'caracal_sync_last_heard_timestamp_seconds', help: 'When the API server last said anything about a kind.', labels: ['kind'] },
  { type: 'gauge', name: 'caracal_sync_installed', help: '1 when the API server serves the kind, 0 when API discovery lacks it.', labels: ['kind'] },
  { type: 'gauge', name: 'caracal_sync_refused', help: '1 while the API server does not let us read the kind.', labels: ['kind'] },
  { type: 'counter', name: 'caracal_sync_events_total', help: 'Changes received that policy uses.', labels: ['kind'] },
  { type: 'counter', name: 'caracal_sync_lists_total', help: 'Complete lists received: paged (list) or streamed (stream).', labels: ['kind', 'method'] },
  { type: 'counter', name: 'caracal_sync_request_failures_total', help: 'Requests to the API server that failed, by reason.', labels: ['kind', 'verb', 'reason'] },
  // --------------------------------------------------------------------------------------------------------- Dataplane
  {
    type: 'histogram',
    name: 'felix_int_dataplane_apply_time_seconds',
    help: 'Duration of an apply.',
    buckets: LATENCY_BUCKETS,
  },
  { type: 'counter', name: 'felix_int_dataplane_failures', help: 'Applies that did not succeed whole, and are tried again.' },
  { type: 'counter', name: 'felix_iptables_restore_calls', help: 'Transactions sent to iptables.', labels: TABLE },
  { type: 'counter', name: 'felix_iptables_restore_errors', help: 'Transactions that iptables refused or did not acknowledge.', labels: TABLE },
  { type: 'counter', name: 'felix_iptables_save_calls', help: 'Reads of a table.', labels: TABLE },
  { type: 'counter', name: 'felix_iptables_save_errors', help: 'Reads of a table that failed.', labels: TABLE },
  { type: 'counter', name: 'felix_iptables_lines_executed', help: 'Lines sent to iptables.', labels: TABLE },
  { type: 'gauge', name: 'felix_iptables_chains', help: 'Own chains in the kernel.', labels: TABLE },
  { type: 'gauge', name: 'felix_iptables_rules', help: 'Own rules in the kernel.', labels: TABLE },
  { type: 'gauge', name: 'caracal_dataplane_quarantined_policies', help: 'Policies with rules that the kernel refuses, or that look into a set that it cannot fill: they allow less until it takes them.', labels: TABLE },
  { type: 'gauge', name: 'felix_ipsets_calico', help: 'Own sets in the kernel.', labels: ['ip_version'] },
  { type: 'counter', name: 'felix_ipset_calls', help: 'Batches of commands sent to ipset, and reads.' },
  { type: 'counter', name: 'felix_ipset_errors', help: 'Batches of which ipset refused a command or did not acknowledge.' },
  { type: 'counter', name: 'felix_ipset_lines_executed', help: 'Commands sent to ipset.' },
  { type: 'counter', name: 'caracal_dataplane_undone_objects', help: 'Chains, rules and sets that somebody else changed, and that were repaired.' },
  { type: 'gauge', name: 'caracal_unserved_ipv6_endpoints', help: 'Local pods with an IPv6 address, for which no policy is enforced on IPv6.' },
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
    'Names that begin with `felix_` mean what they mean in Felix, so that its dashboards keep working.',
    '',
    '| Name | Type | Labels | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
