import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { calicoPolicy, globalPolicy, into, namespace, networkSet, outOf, pod, policy, world } from './small-world.ts';

const cluster: readonly WireObject[] = [
  namespace('a', { env: 'prod' }),
  namespace('b', { env: 'test' }),
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace: 'b', labels: { role: 'ci' } } },
  pod('a/x', '10.0.0.1', { labels: { app: 'x' } }),
  pod('b/y', '10.0.1.1', { labels: { app: 'y' }, spec: { serviceAccountName: 'builder' } }),
];
const packets: Readonly<Record<string, Packet>> = {
  'in x': into('a/x', '192.0.2.1', '10.0.0.1'),
  'out x': outOf('a/x', '10.0.0.1', '192.0.2.1'),
  'in y': into('b/y', '192.0.2.1', '10.0.1.1'),
  'out y': outOf('b/y', '10.0.1.1', '192.0.2.1'),
};

/** Which of the packets these policies deny. */
function denied(...policies: readonly WireObject[]): readonly string[] {
  const judged = judge(world([...cluster, ...policies]));
  assert.deepEqual(judged.invalid, []);
  return Object.entries(packets).flatMap(([name, packet]) => (judged.verdict(packet).action === 'deny' ? [name] : []));
}

const allow = [{ action: 'Allow' }];
const deny = [{ action: 'Deny' }];

test('without types both directions are isolated, whatever rules there are', () => {
  assert.deepEqual(denied(globalPolicy('p', { selector: 'app == "x"' })), ['in x', 'out x']);
  assert.deepEqual(denied(globalPolicy('p', { selector: 'app == "x"', ingress: allow })), ['out x']);
  assert.deepEqual(denied(globalPolicy('p', { selector: 'app == "x"', types: [], egress: allow })), ['in x']);
});

test('types say which directions are isolated; rules of the other have no effect', () => {
  assert.deepEqual(denied(globalPolicy('p', { selector: 'app == "x"', types: ['Ingress'], egress: deny })), ['in x']);
  assert.deepEqual(denied(globalPolicy('p', { selector: 'app == "x"', types: ['Egress'], ingress: deny })), ['out x']);
});

test('an empty selector means all of its namespace, or all endpoints', () => {
  for (const selector of [{}, { selector: '' }, { selector: 'all()' }]) {
    assert.deepEqual(denied(calicoPolicy('a/p', { ...selector, types: ['Ingress'] })), ['in x']);
    assert.deepEqual(denied(globalPolicy('p', { ...selector, types: ['Ingress'] })), ['in x', 'in y']);
  }
});

test('a NetworkPolicy without a spec isolates its namespace in both directions', () => {
  const { spec: _, ...bare } = calicoPolicy('a/p', {});
  assert.deepEqual(denied(bare), ['in x', 'out x']);
});

test('namespaceSelector and serviceAccountSelector of a policy', () => {
  const types = ['Ingress'];
  assert.deepEqual(denied(globalPolicy('p', { namespaceSelector: 'env == "test"', types })), ['in y']);
  assert.deepEqual(denied(globalPolicy('p', { namespaceSelector: 'env == "test"', selector: 'app == "x"', types })), []);
  assert.deepEqual(denied(globalPolicy('p', { namespaceSelector: 'all()', types })), ['in x', 'in y']);
  assert.deepEqual(denied(globalPolicy('p', { serviceAccountSelector: 'role == "ci"', types })), ['in y']);
  assert.deepEqual(denied(calicoPolicy('a/p', { serviceAccountSelector: 'role == "ci"', types })), []);
  assert.deepEqual(denied(calicoPolicy('b/p', { serviceAccountSelector: 'role == "ci"', types })), ['in y']);
});

test('inherited labels select pods; labels that pretend to be inherited do not', () => {
  assert.deepEqual(denied(globalPolicy('p', { selector: 'pcns.env == "test"', types: ['Ingress'] })), ['in y']);
  assert.deepEqual(denied(globalPolicy('p', { selector: 'pcsa.role == "ci"', types: ['Ingress'] })), ['in y']);
  assert.deepEqual(denied(globalPolicy('p', { selector: 'projectcalico.org/serviceaccount == "builder"', types: ['Ingress'] })), ['in y']);
  assert.deepEqual(denied(globalPolicy('p', { selector: 'projectcalico.org/orchestrator == "k8s"', types: ['Ingress'] })), ['in x', 'in y']);
});

test('both API groups are read', () => {
  const policy = { ...calicoPolicy('a/p', { types: ['Ingress'] }), apiVersion: 'projectcalico.org/v3' };
  assert.deepEqual(denied(policy), ['in x']);
});

test('staged policies are not enforced', () => {
  for (const kind of ['StagedGlobalNetworkPolicy', 'StagedNetworkPolicy', 'StagedKubernetesNetworkPolicy']) {
    assert.deepEqual(denied({ ...calicoPolicy('a/p', {}), kind }), [], kind);
  }
});

test('untracked and pre-DNAT policies do not apply to pods', () => {
  assert.deepEqual(denied(globalPolicy('p', { doNotTrack: true, applyOnForward: true, ingress: deny, egress: deny })), []);
  assert.deepEqual(denied(globalPolicy('p', { preDNAT: true, applyOnForward: true, types: ['Ingress'], ingress: deny })), []);
  assert.deepEqual(denied(globalPolicy('p', { applyOnForward: true, types: ['Ingress'], ingress: deny })), ['in x', 'in y']);
});

test('hints change nothing', () => {
  assert.deepEqual(denied(globalPolicy('p', { types: ['Ingress'], selector: 'app == "x"', performanceHints: ['AssumeNeededOnEveryNode'] })), ['in x']);
});

/** Which policy lets x receive. */
function decisive(...policies: readonly WireObject[]): string | undefined {
  const [decision] = judge(world([...cluster, ...policies])).verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions;
  return decision?.policy && `${decision.policy.kind} ${decision.policy.name}`;
}

test('policies are asked in the order of their orders; without one last', () => {
  const low = globalPolicy('z', { order: 10, ingress: allow });
  const high = globalPolicy('y', { order: 20.5, ingress: deny });
  const none = globalPolicy('a', { ingress: deny });
  assert.equal(decisive(none, high, low), 'GlobalNetworkPolicy z');
  assert.equal(decisive(none, high), 'GlobalNetworkPolicy y');
  assert.equal(decisive(none, globalPolicy('b', { order: 1e9, ingress: allow })), 'GlobalNetworkPolicy b');
});

test('Kubernetes’ NetworkPolicy has the order 1000', () => {
  const kubernetes = policy('a/k', { podSelector: {}, ingress: [{}] });
  assert.equal(decisive(kubernetes, globalPolicy('g', { order: 999, ingress: deny })), 'GlobalNetworkPolicy g');
  assert.equal(decisive(kubernetes, globalPolicy('g', { order: 1001, ingress: deny })), 'NetworkPolicy k');
});

test('equal orders are broken by "name/namespace/kind"', () => {
  const global = (name: string): WireObject => globalPolicy(name, { order: 1000, ingress: allow });
  const own = (name: string): WireObject => calicoPolicy(`a/${name}`, { order: 1000, ingress: allow });
  const kubernetes = (name: string): WireObject => policy(`a/${name}`, { podSelector: {}, ingress: [{}] });
  assert.equal(decisive(own('p'), global('p')), 'GlobalNetworkPolicy p');
  assert.equal(decisive(global('q'), own('p')), 'NetworkPolicy p');
  // "-" comes before "/".
  assert.equal(decisive(global('p'), own('p-q')), 'NetworkPolicy p-q');
  // KubernetesNetworkPolicy before NetworkPolicy.
  const both = judge(world([...cluster, calicoPolicy('a/p', { order: 1000, ingress: deny }), kubernetes('p')]));
  assert.equal(both.verdict(into('a/x', '192.0.2.1', '10.0.0.1')).action, 'allow');
});

function annotated(object: WireObject, metadata: unknown): WireObject {
  return { ...object, metadata: { ...object.metadata, annotations: { 'projectcalico.org/metadata': JSON.stringify(metadata) } } };
}

test('a policy’s name is that of the annotation; one without a name loses the tier "default"', () => {
  const other = globalPolicy('c', { order: 1, ingress: allow });
  const late = globalPolicy('default.b', { order: 1, ingress: deny });
  assert.equal(decisive(other, late), 'GlobalNetworkPolicy c');
  assert.equal(decisive(other, annotated(late, { name: 'b' })), 'GlobalNetworkPolicy default.b');
  assert.equal(decisive(other, annotated(late, {})), 'GlobalNetworkPolicy default.b');
  assert.equal(decisive(other, annotated(late, { name: 'd' })), 'GlobalNetworkPolicy c');
  assert.equal(decisive(other, { ...annotated(late, { name: 'b' }), apiVersion: 'projectcalico.org/v3' }), 'GlobalNetworkPolicy c');
});

test('of two policies with the same real name the one whose object’s name comes first is asked first', () => {
  const both = [globalPolicy('p', { order: 1, ingress: deny }), annotated(globalPolicy('o', { order: 1, ingress: allow }), { name: 'p' })];
  assert.equal(decisive(...both), 'GlobalNetworkPolicy o');
  assert.equal(decisive(...both.toReversed()), 'GlobalNetworkPolicy o');
});

test('labels of the annotation go over the object’s own', () => {
  const set = networkSet('set', ['192.0.2.1'], { zone: 'old', kept: 'yes' });
  const open = (selector: string): WireObject => calicoPolicy('a/p', { types: ['Ingress'], ingress: [{ action: 'Allow', source: { namespaceSelector: 'global()', selector } }] });
  const isOpen = (selector: string, object: WireObject): boolean => !denied(open(selector), object).includes('in x');
  const merged = annotated(set, { labels: { zone: 'new' } });
  assert.deepEqual(['zone == "new" && kept == "yes"', 'zone == "old"'].map((selector) => isOpen(selector, merged)), [true, false]);
  assert.ok(isOpen('zone == "old"', { ...merged, apiVersion: 'projectcalico.org/v3' }));
});
