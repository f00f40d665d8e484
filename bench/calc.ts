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
import type { Desired } from '../src/model/desired.ts';
import type { WorkloadEndpoint } from '../src/model/endpoint.ts';
import { labelsOf } from '../src/model/labels.ts';
import type { NetworkSet } from '../src/model/network-set.ts';
import type { Origin } from '../src/model/origin.ts';
import type { Policy } from '../src/model/policy.ts';
import type { Profile } from '../src/model/profile.ts';
import type { Rule, RuleAction } from '../src/model/rule.ts';
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
  readonly unit: 'ms' | 'µs' | 'MB' | '/s';
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

function networkSet(name: string, labels: readonly (readonly [string, string])[], nets: readonly string[]): Update {
  const value: NetworkSet = {
    origin: origin('GlobalNetworkSet', '', name),
    labels: labelsOf(labels.map(([key, text]) => [intern(key), intern(text)])),
    profiles: noProfiles,
    nets,
  };
  return { op: 'upsert', kind: 'networkSet', key: intern(`/${name}`), value };
}

const noProfiles: readonly string[] = [];

/** Single addresses from 10.0.0.1 on, as sync writes them; each text is an object of its own. */
function* singleAddresses(): Generator<string, never> {
  for (let i = 1; ; i += 1) yield JSON.parse(`"${10 + (i >>> 24)}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}/32"`) as string;
}

function taken(addresses: Generator<string, never>, count: number): string[] {
  return Array.from({ length: count }, () => addresses.next().value);
}

/** Felix's BenchmarkInitialSnapshot200Local10kTotal10000NetsetPols: a policy for all, which allows from one network set, for each set. */
function* networkSetPolicies(remote: number, local: number, count: number): Generator<Batch> {
  const sizes = [1, 1, 1, 1, 2, 3, 4, 5, 100, 1000];
  const addresses = singleAddresses();
  const sets: Update[] = [];
  const policies: Update[] = [];
  for (let i = 0; i < count; i += 1) {
    const name = `network-set-${i}`;
    sets.push(networkSet(name, [['network-set-name', name]], taken(addresses, sizes[i % sizes.length] ?? 0)));
    policies.push(policy('', `${name}-policy`, 'all()', { ingress: [allowFrom(`network-set-name == '${name}'`, 0)] }));
  }
  yield batch('Namespace', Array.from({ length: 100 }, (_, i) => namespace(`namespace-${i}`, [])));
  yield batch('GlobalNetworkSet', sets);
  yield batch('GlobalNetworkPolicy', policies);
  const pods: Update[] = [];
  for (let i = 0; i < remote + local; i += 1) {
    const labels: [string, string][] = [10, 11, 20, 30, 40].map((n) => [`one-in-${n}`, `value-${i % n}`]);
    pods.push(pod(i, `namespace-${i % 100}`, i >= remote, [...labels, [markers[i % markers.length] as string, 'true']], false));
  }
  yield batch('Pod', pods, true);
}

/** The histogram that Felix's BenchmarkEvaluateBaselinePolicyScale took from production. */
const productionSizes: readonly (readonly [sets: number, from: number, to: number])[] = [
  [4, 0, 0],
  // Most upper ends are lower than those of the histogram: so the sum is that of production, 256,000.
  [3035, 1, 5],
  [446, 10, 40],
  [64, 100, 156],
  [158, 1000, 1200],
  [1, 54_566, 54_566],
];

/** 294 policies of 68 rules (10 deny, 1 allow, the rest pass) that look into 3,708 sets 4,838 times, for 100 local pods of 10,000. */
function* production(): Generator<Batch> {
  const addresses = singleAddresses();
  const sizes = productionSizes.flatMap(([sets, from, to]) => Array.from({ length: sets }, (_, i) => from + ((i * 7) % (to - from + 1))));
  const sets = sizes.map((size, i) => networkSet(`set-${i}`, [['set', `set-${i}`]], taken(addresses, size)));
  const actionOf = (rule: number): RuleAction => (rule < 10 ? 'deny' : rule === 10 ? 'allow' : 'pass');
  const known: Record<RuleAction, number[]> = { allow: [], deny: [], pass: [], log: [] };
  let fresh = 0;
  let references = 0;
  const policies: Update[] = [];
  for (let i = 0; i < 294; i += 1) {
    const ingress: Rule[] = [];
    for (let j = 0; j < 68; j += 1) {
      const action = actionOf(j);
      const place = i * 68 + j;
      // 4,838 of 19,992 rules look into a set: every set once, then sets that a rule of the same kind has looked into.
      const wants = Math.floor(((place + 1) * 4838) / 19_992) > references;
      let set: number | undefined;
      if (wants) {
        references += 1;
        set = fresh < sizes.length ? fresh++ : known[action][(place * 31) % Math.max(1, known[action].length)];
        if (set !== undefined) known[action].push(set);
      }
      const source = set === undefined ? { ...anyEntity, nets: [`192.168.${j}.0/24`] } : { ...anyEntity, selector: parseSelector(`set == 'set-${set}'`) };
      ingress.push({ action, protocol: 6, source, destination: { ...anyEntity, ports: [{ first: 1000 + j, last: 1000 + j }] }, index: j });
    }
    policies.push(policy('', `policy-${i}`, 'all()', { ingress }));
  }
  yield batch('GlobalNetworkSet', sets);
  yield batch('GlobalNetworkPolicy', policies);
  yield batch('Namespace', Array.from({ length: 100 }, (_, i) => namespace(`namespace-${i}`, [])));
  yield batch('Pod', Array.from({ length: 10_000 }, (_, i) => pod(i, `namespace-${i % 100}`, i % 100 === 0, fifteenLabels(i))), true);
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

/** What the first change set said, for a look at whether the shape is the one that was meant. */
interface Told {
  readonly sets: number;
  readonly members: number;
  readonly policies: number;
}

interface Snapshot {
  readonly told: Told;
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
  let told: Told = { sets: 0, members: 0, policies: 0 };
  const time = best(runs, () => {
    const loaded = load(batches);
    told = loaded.told;
    return loaded.time;
  });
  texts.clear();
  shared.clear();
  // The values stay, without the updates that brought them: by key, as sync keeps them.
  const values = alive.batches.map(({ updates }) => new Map(updates.map((update) => [update.key, update.op === 'upsert' ? update.value : undefined])));
  alive.batches = [];
  const memory = heap() - before;
  alive.graph = undefined;
  const own = memory - (heap() - before);
  return values.length > 0 ? { told, time, memory, own } : { told, time, memory: 0, own: 0 };
}

function load(batches: () => Iterable<Batch>): { readonly time: number; readonly told: Told } {
  alive.batches = [...batches()];
  alive.graph = createGraph({ node });
  collect();
  let first: Desired | undefined;
  const start = performance.now();
  for (const next of alive.batches) first = alive.graph.update(next) ?? first;
  const time = performance.now() - start;
  const sets = first?.addedSets ?? [];
  const members = sets.reduce((sum, set) => sum + set.members.length, 0);
  return { time, told: { sets: sets.length, members, policies: first?.policies.length ?? 0 } };
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
  'network sets 1,000': () => networkSets(1_000),
  'network sets 10,000': () => networkSets(10_000, { time: 16_000, heap: 792 }),
  production: () => {
    const { time, memory, own, told } = snapshot(production, 3);
    const count = (n: number): string => n.toLocaleString('en');
    const name = `production mix: ${told.policies} policies × 68 rules, ${count(told.sets)} sets, ${count(told.members)} members`;
    return [
      { name: `${name}: snapshot`, value: time, unit: 'ms' },
      { name: `${name}: heap`, value: memory, unit: 'MB' },
      { name: `${name}: of it calc's own`, value: own, unit: 'MB' },
      ...productionChanges(),
    ];
  },
  'churn S': () => churn('S: 300 pods, 35 policies', 300, 30, 35),
  'churn M': () => churn('M: 5,000 pods, 500 policies', 5_000, 60, 500),
  'churn L': () => churn('L: 30,000 pods, 5,000 policies', 30_000, 110, 5_000),
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

function networkSets(count: number, felix?: { readonly time: number; readonly heap: number }): Measurement[] {
  const { time, memory, own, told } = snapshot(() => networkSetPolicies(10_000, 200, count), 1);
  const size = (n: number): string => n.toLocaleString('en');
  const name = `10,200 endpoints (200 local), ${size(told.sets)} network sets of ${size(told.members)} members, a policy for each`;
  return [
    { name: `${name}: snapshot`, value: time, unit: 'ms', ...(felix === undefined ? {} : { felix: felix.time, target: Math.round(felix.time / 3) }) },
    { name: `${name}: then all local pods go (in Felix's figure)`, value: removal(() => networkSetPolicies(10_000, 200, count)), unit: 'ms' },
    { name: `${name}: heap`, value: memory, unit: 'MB', ...(felix === undefined ? {} : { felix: felix.heap, target: felix.heap }) },
    { name: `${name}: of it calc's own`, value: own, unit: 'MB' },
  ];
}

function removal(batches: () => Iterable<Batch>): number {
  const graph = createGraph({ node });
  const local: Update[] = [];
  for (const next of batches()) {
    graph.update(next);
    for (const update of next.updates) {
      if (update.kind === 'endpoint' && update.op === 'upsert' && update.value.node === node) local.push({ op: 'delete', kind: 'endpoint', key: update.key });
    }
  }
  const start = performance.now();
  const desired = graph.update(batch('Pod', local));
  const time = performance.now() - start;
  if (desired?.removedEndpoints.length !== local.length) throw new Error('the local pods did not go');
  return time;
}

/** One network more in the largest set; a policy edit that touches one rule of 68. */
function productionChanges(): Measurement[] {
  const graph = createGraph({ node });
  const batches = [...production()];
  for (const next of batches) graph.update(next);
  const value = <T>(update: Update): T => (update as unknown as { value: T }).value;
  const largest = batches[0]?.updates.at(-1);
  const first = batches[1]?.updates[0];
  if (largest === undefined || first === undefined) throw new Error('no sets or policies');
  const timed = (turn: number, updateOf: (turn: number) => Update): number => {
    const next = batch('Any', [updateOf(turn)]);
    const start = performance.now();
    const desired = graph.update(next);
    const time = performance.now() - start;
    if (desired === undefined) throw new Error('the change changed nothing');
    return time;
  };
  const { nets } = value<NetworkSet>(largest);
  const { ingress } = value<Policy>(first);
  let turn = 0;
  return [
    {
      name: 'one network more in a set of 54,566',
      value: best(20, () => timed((turn += 1), (n) => ({ ...largest, value: { ...value<NetworkSet>(largest), nets: [...nets, `172.16.${n}.1/32`] } }) as Update)),
      unit: 'ms',
    },
    {
      name: 'one rule of a policy of 68 rules edited, 100 local pods',
      value: best(20, () =>
        timed((turn += 1), (n) => ({ ...first, value: { ...value<Policy>(first), ingress: ingress.with(5, { ...(ingress[5] as Rule), protocol: 17 + (n % 2) }) } }) as Update)),
      unit: 'ms',
    },
  ];
}

/**
 * Steady churn, one event a batch as a watch delivers them: pods that come and go (7 of 10 events), label flips (2), policy edits
 * and labels of namespaces (1). Policies are those of namespaces: half of them selected here need what others have.
 */
function churn(size: string, pods: number, local: number, policies: number): Measurement[] {
  const graph = createGraph({ node });
  const namespaceCount = Math.max(10, policies / 10);
  const nameOf = (i: number): string => `namespace-${i % namespaceCount}`;
  const podOf = (i: number, role: string): Update => pod(i, nameOf(i), i < local, [['app', `app-${i % 20}`], ['role', role], ['tier', `tier-${i % 3}`]]);
  const policyOf = (i: number, turn: number): Update => {
    const own = `projectcalico.org/namespace == '${nameOf(i)}'`;
    const rules = [
      allowFrom(`${own} && app == 'app-${(i + turn) % 20}'`, 0),
      allowFrom(`pcns.team == 'team-${i % 10}' && role == 'client'`, 1),
      allowFrom(`${own} && tier in {'tier-0', 'tier-${1 + (turn % 2)}'}`, 2),
    ];
    return policy(nameOf(i), `policy-${i}`, `${own} && app == 'app-${i % 20}'`, { ingress: rules });
  };
  const namespaceOf = (i: number, turn: number): Update => namespace(nameOf(i), [['team', `team-${(i + turn) % 10}`]]);
  graph.update(batch('Namespace', Array.from({ length: namespaceCount }, (_, i) => namespaceOf(i, 0))));
  graph.update(batch('NetworkPolicy', Array.from({ length: policies }, (_, i) => policyOf(i, 0))));
  graph.update(batch('Pod', Array.from({ length: pods }, (_, i) => podOf(i, 'client')), true));
  const events: Batch[] = [];
  for (let i = 0; i < 20_000; i += 1) {
    const place = (i * 7919) % pods;
    const kind = i % 20;
    if (kind < 7) events.push(batch('Pod', [podOf(pods + (i % 500), 'client')]));
    else if (kind < 14) events.push(batch('Pod', [{ op: 'delete', kind: 'endpoint', key: podOf(pods + ((i - 7) % 500), '').key }]));
    else if (kind < 18) events.push(batch('Pod', [podOf(place, i % 40 < 20 ? 'server' : 'client')]));
    else if (kind === 18) events.push(batch('NetworkPolicy', [policyOf(place % policies, i)]));
    else events.push(batch('Namespace', [namespaceOf(place, i)]));
  }
  let told = 0;
  const seconds = best(3, () => {
    told = 0;
    const start = performance.now();
    for (const event of events) if (graph.update(event) !== undefined) told += 1;
    return (performance.now() - start) / 1000;
  });
  return [{ name: `steady churn, ${size} (${Math.round((100 * told) / events.length)} % of events concern this node): events`, value: events.length / seconds, unit: '/s' }];
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
  return `${name.padEnd(100)} ${number(value).padStart(10)}   ${beside.filter((text) => text !== '').join(', ')}`;
}
