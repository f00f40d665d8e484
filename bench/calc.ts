// What the calculation costs, in time and in heap after collection, beside what Felix's own benchmarks give for the same shapes on
// one core (Go; published, and measured for us on a machine of this kind). Run with --expose-gc (it restarts itself to have it).
//
//   node bench/calc.ts            a table
//   node bench/calc.ts --json     one JSON document
//   node bench/calc.ts <words>    only the cases whose name contains one of them
//
// Heap is what is alive after the snapshot: calc's own state, and the values that it was given (in the agent sync holds the same
// ones, so they count once). Where sync can decode the kinds, the values are its own, made from JSON. Timings are never asserted.

import { spawnSync } from 'node:child_process';

import type { Graph } from '../src/calc/graph.ts';
import { createGraph } from '../src/calc/graph.ts';
import type { WorkloadEndpoint } from '../src/model/endpoint.ts';
import { labelsOf } from '../src/model/labels.ts';
import type { Origin } from '../src/model/origin.ts';
import type { Policy } from '../src/model/policy.ts';
import type { Profile } from '../src/model/profile.ts';
import type { Rule } from '../src/model/rule.ts';
import { anyEntity } from '../src/model/rule.ts';
import { parseSelector } from '../src/model/selector/parse.ts';
import type { Batch, Update, Values } from '../src/model/update.ts';
import { DecodeContext } from '../src/sync/resources/decode-context.ts';
import { namespaces } from '../src/sync/resources/namespace.ts';
import { networkPolicies } from '../src/sync/resources/network-policy.ts';
import { pods } from '../src/sync/resources/pod.ts';
import type { Resource } from '../src/sync/resources/resource.ts';

interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'µs' | 'MB';
  /** The same of Felix, where it is known. */
  readonly felix?: number;
  readonly target?: number;
}

const node = 'node-0';
const localCount = 100;

if (globalThis.gc === undefined) {
  const { status } = spawnSync(process.execPath, ['--expose-gc', ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}
const collect = globalThis.gc;

// Shapes.

/** As sync hands them out: each label text once, arrays shared where they are equal. */
const texts = new Map<string, string>();
function intern(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  // A flat copy: a concatenated string would keep its parts alive.
  const flat = JSON.parse(JSON.stringify(text)) as string;
  texts.set(flat, flat);
  return flat;
}

function origin(kind: string, namespace: string, name: string): Origin {
  return { kind, apiVersion: 'v1', namespace: intern(namespace), name: intern(name), generation: 1 };
}

function address(i: number): string {
  return intern(`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);
}

const shared = new Map<string, readonly string[]>();
function profileNames(namespace: string): readonly string[] {
  let names = shared.get(namespace);
  if (names === undefined) shared.set(namespace, (names = [intern(`kns.${namespace}`), intern(`ksa.${namespace}.default`)]));
  return names;
}

const noPorts: readonly [] = [];

function pod(i: number, namespace: string, isLocal: boolean, own: readonly (readonly [string, string])[], calico = true): Update {
  const name = `pod-${i}`;
  const added = calico
    ? ([['projectcalico.org/namespace', namespace], ['projectcalico.org/orchestrator', 'k8s'], ['projectcalico.org/serviceaccount', 'default']] as const)
    : [];
  const value: WorkloadEndpoint = {
    origin: origin('Pod', namespace, name),
    node: isLocal ? node : 'node-1',
    ...(isLocal ? { interfaceName: `cali${i.toString(16).padStart(11, '0')}` } : {}),
    addresses: [address(i)],
    labels: labelsOf([...own, ...added].map(([key, text]) => [intern(key), intern(text)])),
    profiles: profileNames(namespace),
    ports: noPorts,
  };
  return { op: 'upsert', kind: 'endpoint', key: intern(`${namespace}/${name}`), value };
}

function namespace(name: string, labels: readonly (readonly [string, string])[]): Update {
  const allow: Rule = { action: 'allow', source: anyEntity, destination: anyEntity, index: 0 };
  const value: Profile = {
    origin: origin('Namespace', '', name),
    name: intern(`kns.${name}`),
    labels: labelsOf([...labels, ['projectcalico.org/name', name] as const].map(([key, text]) => [intern(`pcns.${key}`), intern(text)])),
    ingress: [allow],
    egress: [allow],
  };
  return { op: 'upsert', kind: 'profile', key: value.name, value };
}

function allowFrom(selector: string, index: number): Rule {
  return { action: 'allow', source: { ...anyEntity, selector: parseSelector(selector) }, destination: anyEntity, index };
}

function policy(namespaceName: string, name: string, selector: string, rules: Partial<Pick<Policy, 'ingress' | 'egress' | 'types'>>): Update {
  const value: Policy = {
    origin: origin('NetworkPolicy', namespaceName, name),
    kind: 'knp',
    tier: 'default',
    order: 1000,
    selector: parseSelector(selector),
    types: { ingress: true, egress: rules.egress !== undefined },
    ingress: [],
    egress: [],
    ...rules,
  };
  return { op: 'upsert', kind: 'policy', key: intern(`knp/${namespaceName}/${name}`), value };
}

function batch(resource: string, updates: readonly Update[], inSync = false): Batch {
  return inSync ? { resource, updates, receivedAt: 0, inSync: true } : { resource, updates, receivedAt: 0 };
}

function fifteenLabels(i: number): readonly (readonly [string, string])[] {
  const labels: [string, string][] = [];
  for (let k = 0; k < 15; k += 1) labels.push([`label-${k}`, `value-${(i * (k + 3)) % (10 * (k + 1))}`]);
  return labels;
}

/** One namespace for each customer: a pod, and a policy that allows its own namespace and DNS. */
function* isolatedCustomers(count: number): Generator<Batch> {
  const context = new DecodeContext({ node, interfacePrefix: 'cali' });
  const each = <K extends keyof Values>(resource: Resource<K>, object: (name: string, i: number) => unknown): Update[] => {
    const updates: Update[] = [];
    for (let i = 0; i < count; i += 1) {
      const wire = object(`customer-${i}`, i);
      const { value } = resource.decode(JSON.parse(JSON.stringify(wire)), context);
      const { metadata } = wire as { metadata: { name: string; namespace?: string } };
      const key = resource.key({ namespace: metadata.namespace ?? '', name: metadata.name });
      updates.push({ op: 'upsert', kind: resource.valueKind, key, value } as unknown as Update);
    }
    return updates;
  };
  yield batch('Namespace', each(namespaces, customerNamespace));
  yield batch('NetworkPolicy', each(networkPolicies, customerPolicy));
  const stride = Math.floor(count / localCount);
  yield batch('Pod', each(pods, (name, i) => customerPod(name, i, i % stride === 0 ? node : 'node-1')), true);
}

function customerNamespace(name: string, i: number): unknown {
  return { metadata: { name, labels: { 'kubernetes.io/metadata.name': name, tenant: `tenant-${i % 100}`, stage: 'production' } } };
}

function customerPolicy(namespaceName: string): unknown {
  const dns = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } }, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };
  return {
    metadata: { name: 'isolate', namespace: namespaceName, generation: 1 },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [{ to: [{ podSelector: {} }] }, { to: [dns], ports: [{ protocol: 'UDP', port: 53 }] }],
    },
  };
}

function customerPod(namespaceName: string, i: number, nodeName: string): unknown {
  return {
    metadata: { name: `pod-${i}`, namespace: namespaceName, labels: Object.fromEntries(fifteenLabels(i)) },
    spec: { nodeName, serviceAccountName: 'default', containers: [{}] },
    status: { phase: 'Running', podIPs: [{ ip: address(i) }] },
  };
}

const markers = ['a', 'b', 'c'].flatMap((prefix) => ['FOO_BAR', 'BIFF_BOP', 'FizzBuzz', 'BoffBip', 'Bazzle', 'Razzle', 'DoopDeeDoo', 'SOME_LABEL', 'BORED_NOW', 'Marker'].map((name) => `${prefix}/${name}`));

/** Felix's BenchmarkInitialSnapshot200Local250kTotal10000TagPols. */
function* markedEndpoints(remote: number, local: number, policyCount: number): Generator<Batch> {
  const policies: Update[] = [];
  for (let i = 0; i < policyCount; i += 1) {
    const rules: Rule[] = [];
    for (let j = 0; j < 5; j += 1) rules.push(allowFrom(`has(${markers[(i + j) % markers.length]})`, j));
    policies.push(policy('default', `policy-${i}`, `has(${markers[i % markers.length]})`, { ingress: rules }));
  }
  yield batch('NetworkPolicy', policies);
  const namespaces: Update[] = [];
  for (let i = 0; i < 100; i += 1) namespaces.push(namespace(`namespace-${i}`, []));
  yield batch('Namespace', namespaces);
  const pods: Update[] = [];
  for (let i = 0; i < remote + local; i += 1) {
    const labels: [string, string][] = [10, 11, 20, 30, 40].map((n) => [`one-in-${n}`, `value-${i % n}`]);
    labels.push([markers[i % markers.length] as string, 'true']);
    pods.push(pod(i, `namespace-${i % 100}`, i >= remote, labels, false));
  }
  yield batch('Pod', pods, true);
}

// Measuring.

/** The smallest of several runs is the least disturbed. */
function best(runs: number, run: () => number): number {
  let lowest = Infinity;
  for (let i = 0; i < runs; i += 1) lowest = Math.min(lowest, run());
  return lowest;
}

function heap(): number {
  for (let i = 0; i < 3; i += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}

interface Snapshot {
  /** Milliseconds in calc. */
  readonly time: number;
  /** MB alive afterwards: calc and the values that it was given. */
  readonly memory: number;
  /** MB of that which are calc's own. */
  readonly own: number;
}

/** Kept from collection over a measurement, and given up for certain after it, which local variables are not. */
const alive: { batches: Batch[]; graph: Graph | undefined } = { batches: [], graph: undefined };

function snapshot(batches: () => Iterable<Batch>, runs: number): Snapshot {
  const before = heap();
  const time = best(runs, () => load(batches));
  texts.clear();
  shared.clear();
  // The values stay, without the updates that brought them: by key, as sync keeps them.
  const values = alive.batches.map(({ updates }) => new Map(updates.map((update) => [update.key, update.op === 'upsert' ? update.value : undefined])));
  alive.batches = [];
  const memory = heap() - before;
  alive.graph = undefined;
  const own = memory - (heap() - before);
  return values.length > 0 ? { time, memory, own } : { time, memory: 0, own: 0 };
}

function load(batches: () => Iterable<Batch>): number {
  alive.batches = [...batches()];
  alive.graph = createGraph({ node });
  collect();
  return feed(alive.graph, alive.batches);
}

function feed(graph: Graph, batches: readonly Batch[]): number {
  const start = performance.now();
  for (const next of batches) graph.update(next);
  return performance.now() - start;
}

type Case = () => Measurement[];

const cases: Record<string, Case> = {
  'isolated 10,000': () => isolated(10_000, 3, { felixTime: 500, felixHeap: 39, targetTime: 167, targetHeap: 39 }),
  'isolated 100,000': () => isolated(100_000, 1, { felixTime: 13_000, felixHeap: 314, targetTime: 4333, targetHeap: 314 }),
  'marked 250,000': () => {
    const name = '250,000 endpoints (200 local) × 10,000 policies of 5 rules';
    const { time, memory, own } = snapshot(() => markedEndpoints(250_000, 200, 10_000), 1);
    return [
      { name: `${name}: snapshot`, value: time, unit: 'ms', felix: 13_000, target: 4000 },
      { name: `${name}: heap`, value: memory, unit: 'MB', felix: 283, target: 283 },
      { name: `${name}: of it calc's own`, value: own, unit: 'MB' },
    ];
  },
  'endpoint 10': () => endpointUpdate(10, undefined),
  'endpoint 100': () => endpointUpdate(100, undefined),
  'endpoint 1,000': () => endpointUpdate(1000, 229),
  'endpoint 10,000': () => endpointUpdate(10_000, 4700, 100),
  'namespace label': () => namespaceLabel(10_000),
};

function isolated(
  count: number,
  runs: number,
  known: { felixTime: number; felixHeap: number; targetTime: number; targetHeap: number },
): Measurement[] {
  const name = `${count.toLocaleString('en')} isolated namespaces, ${localCount} local pods`;
  const { time, memory, own } = snapshot(() => isolatedCustomers(count), runs);
  return [
    { name: `${name}: snapshot`, value: time, unit: 'ms', felix: known.felixTime, target: known.targetTime },
    { name: `${name}: heap`, value: memory, unit: 'MB', felix: known.felixHeap, target: known.targetHeap },
    { name: `${name}: of it calc's own`, value: own, unit: 'MB' },
  ];
}

/** Felix's BenchmarkWorkloadUpdate: each update adds an endpoint that one of the selectors matches. All selectors are in use. */
function endpointUpdate(selectors: number, felix: number | undefined, target?: number): Measurement[] {
  const rules: Rule[] = [];
  for (let i = 0; i < selectors; i += 1) rules.push(allowFrom(`alpha == "beta" && has(ipset-${i})`, i));
  const graph = createGraph({ node });
  graph.update(batch('NetworkPolicy', [policy('default', 'all', 'has(local)', { ingress: rules })]));
  graph.update(batch('Pod', [pod(0, 'default', true, [['local', 'true']], false)], true));
  const updates: Batch[] = [];
  for (let i = 1; i <= 20_000; i += 1) updates.push(batch('Pod', [pod(i, `namespace-${i}`, false, [['alpha', 'beta'], ['ipset-1', 'true']], false)]));
  const removals = updates.map(({ updates: [update] }) => batch('Pod', [{ op: 'delete', kind: 'endpoint', key: (update as Update).key }]));
  const time = best(5, () => {
    const start = performance.now();
    for (const update of updates) graph.update(update);
    const elapsed = performance.now() - start;
    for (const removal of removals) graph.update(removal);
    return (elapsed * 1000) / updates.length;
  });
  const name = `one endpoint update against ${selectors.toLocaleString('en')} selectors`;
  return [{ name, value: time, unit: 'µs', ...(felix === undefined ? {} : { felix }), ...(target === undefined ? {} : { target }) }];
}

/** A label of a namespace changes, by which a set selects: every pod of it moves. And one that nothing looks at. */
function namespaceLabel(pods: number): Measurement[] {
  const graph = createGraph({ node });
  const rules: Rule[] = [];
  for (let i = 0; i < 100; i += 1) rules.push(allowFrom(`pcns.team == 'team-${i}'`, i));
  graph.update(batch('NetworkPolicy', [policy('default', 'teams', 'has(local)', { ingress: rules })]));
  const updates: Update[] = [namespace('big', [['team', 'team-0']])];
  for (let i = 0; i < pods; i += 1) updates.push(pod(i, 'big', false, fifteenLabels(i)));
  updates.push(pod(pods, 'default', true, [['local', 'true']]));
  graph.update(batch('Pod', updates, true));
  const change = (key: string, turn: number): number => {
    const update = batch('Namespace', [namespace('big', [['team', 'team-0'], [key, `team-${turn}`]])]);
    const start = performance.now();
    graph.update(update);
    return performance.now() - start;
  };
  let turn = 0;
  const size = pods.toLocaleString('en');
  return [
    { name: `namespace label change, ${size} pods move between two sets`, value: best(9, () => change('team', (turn += 1) % 100)), unit: 'ms' },
    { name: `namespace label change, ${size} pods, no selector looks at it`, value: best(9, () => change('other', (turn += 1))), unit: 'ms' },
  ];
}

const json = process.argv.includes('--json');
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const measurements: Measurement[] = [];
for (const [name, run] of Object.entries(cases)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  for (const measurement of run()) {
    measurements.push(measurement);
    if (!json) console.log(line(measurement));
  }
}
if (json) console.log(JSON.stringify({ benchmark: 'calc', node: process.version, measurements }, undefined, 2));

function line({ name, value, unit, felix, target }: Measurement): string {
  const number = (n: number | undefined): string => (n === undefined ? '' : `${n < 100 ? n.toFixed(1) : Math.round(n).toLocaleString('en')} ${unit}`);
  const beside = [felix === undefined ? '' : `Felix ${number(felix)}`, target === undefined ? '' : `target ${number(target)}`];
  return `${name.padEnd(76)} ${number(value).padStart(10)}   ${beside.filter((text) => text !== '').join(', ')}`;
}
