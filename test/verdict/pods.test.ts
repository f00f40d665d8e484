import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { interfaceName } from '../../src/verdict/pods.ts';
import { globalPolicy, into, namespace, outOf, pod, policy, world } from './small-world.ts';

/** Whether the pod a/x of these objects is an endpoint of this node with the address 10.0.0.1. */
function isEndpoint(...objects: readonly WireObject[]): boolean {
  return judge(world([namespace('a'), ...objects])).verdict(outOf('a/x', '10.0.0.1', '192.0.2.1')).action === 'allow';
}

/** Whether a policy of namespace a that lets pods labelled app=client in lets 10.0.0.7 in. */
function isClient(...objects: readonly WireObject[]): boolean {
  const open = policy('a/open', { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }] }] });
  return judge(world([namespace('a'), pod('a/server', '10.0.0.1'), open, ...objects])).verdict(into('a/server', '10.0.0.7', '10.0.0.1')).action === 'allow';
}

const client = { labels: { app: 'client' } };
const podIP = 'cni.projectcalico.org/podIP';

test('the interface is the prefix and eleven hex digits of the SHA-1 of "namespace.pod"', () => {
  // sha1("default.web") = 68caf03a5f4…, by sha1sum.
  assert.equal(interfaceName('cali', 'default', 'web'), 'cali68caf03a5f4');
});

test('status.podIPs, status.podIP, then the annotations say the address', () => {
  assert.ok(isEndpoint(pod('a/x', '', { status: { podIPs: [{ ip: 'fd00::1' }, { ip: '10.0.0.1' }] } })));
  assert.ok(isEndpoint(pod('a/x', '', { status: { podIP: '10.0.0.1' } })));
  assert.ok(isEndpoint(pod('a/x', '', { annotations: { 'cni.projectcalico.org/podIPs': '10.0.0.1/32,fd00::1/128' } })));
  assert.ok(isEndpoint(pod('a/x', '', { annotations: { [podIP]: '10.0.0.1/32' } })));
  assert.ok(isEndpoint(pod('a/x', '', { annotations: { 'vpc.amazonaws.com/pod-ips': '10.0.0.1' } })));
});

test('the first source that says anything is the only one asked', () => {
  assert.ok(!isEndpoint(pod('a/x', '', { status: { podIPs: [{ ip: '10.0.0.2' }], podIP: '10.0.0.1' } })));
  assert.ok(!isEndpoint(pod('a/x', '', { status: { podIP: '10.0.0.2' }, annotations: { [podIP]: '10.0.0.1' } })));
  assert.ok(isEndpoint(pod('a/x', '', { status: { podIPs: [], podIP: '' }, annotations: { [podIP]: '10.0.0.1' } })));
});

test('pods of the host network, unscheduled, finished or of another node are no endpoints here', () => {
  assert.ok(isEndpoint(pod('a/x', '10.0.0.1')));
  assert.ok(!isEndpoint(pod('a/x', '10.0.0.1', { spec: { hostNetwork: true } })));
  assert.ok(!isEndpoint(pod('a/x', '10.0.0.1', { node: '' })));
  assert.ok(!isEndpoint(pod('a/x', '10.0.0.1', { node: 'there' })));
  for (const phase of ['Succeeded', 'Failed', 'Completed']) assert.ok(!isEndpoint(pod('a/x', '', { status: { phase, podIP: '10.0.0.1' } })), phase);
});

test('a pod that is being deleted is an endpoint until the CNI plugin has emptied its annotation', () => {
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  assert.ok(isEndpoint(pod('a/x', '10.0.0.1', { metadata: { deletionTimestamp } })));
  assert.ok(isEndpoint(pod('a/x', '10.0.0.1', { metadata: { deletionTimestamp }, annotations: { [podIP]: '10.0.0.1/32' } })));
  assert.ok(!isEndpoint(pod('a/x', '10.0.0.1', { metadata: { deletionTimestamp }, annotations: { [podIP]: '' } })));
  assert.ok(!isEndpoint(pod('a/x', '10.0.0.1', { metadata: { deletionTimestamp }, annotations: { 'vpc.amazonaws.com/pod-ips': '' } })));
  assert.ok(isEndpoint(pod('a/x', '10.0.0.1', { annotations: { [podIP]: '' } })));
});

test('a pod with an unreadable address is absent, and named', () => {
  const broken = pod('a/x', '', { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.01' }] } });
  assert.ok(!isEndpoint(broken));
  assert.deepEqual(judge(world([broken])).invalid, [
    { kind: 'Pod', namespace: 'a', name: 'x', field: 'status.podIPs[1]', problem: '"10.0.0.01" is no address of a pod' },
  ]);
});

test('the unspecified address is no address of a pod', () => {
  for (const address of ['0.0.0.0', '::']) assert.ok(!isEndpoint(pod('a/x', '', { status: { podIPs: [{ ip: address }] } })), address);
  assert.ok(!isEndpoint(pod('a/x', '', { annotations: { [podIP]: '0.0.0.0/32' } })));
});

test('pods without an address, of the host network or finished are not reported as invalid', () => {
  const objects = [pod('a/x', ''), pod('a/y', '10.0.0.1', { spec: { hostNetwork: true } }), pod('a/z', '', { status: { phase: 'Failed', podIP: 'gone' } })];
  assert.deepEqual(judge(world(objects)).invalid, []);
});

test('remote pods are peers; host-network, finished and unaddressed pods are not', () => {
  assert.ok(isClient(pod('a/client', '10.0.0.7', { ...client, node: 'there' })));
  assert.ok(!isClient(pod('a/client', '10.0.0.7', { ...client, spec: { hostNetwork: true } })));
  assert.ok(!isClient(pod('a/client', '', { ...client, status: { phase: 'Succeeded', podIP: '10.0.0.7' } })));
  assert.ok(!isClient(pod('a/client', '', client)));
});

test('of several pods that share an address any one that matches is enough', () => {
  const other = pod('a/other', '10.0.0.7', { labels: { app: 'other' } });
  assert.ok(!isClient(other));
  assert.ok(isClient(other, pod('a/client', '10.0.0.7', client)));
  assert.ok(isClient(pod('a/client', '10.0.0.7', client), other));
});

test('labels that pretend to be inherited do not count, inherited ones do', () => {
  const selects = (key: string, value: string, ...objects: readonly WireObject[]): boolean => {
    const open = globalPolicy('open', { selector: `${key} == "${value}"`, types: ['Ingress'] });
    return judge(world([...objects, open])).verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions[0]?.reason === 'end-of-tier';
  };
  const spoofing = pod('a/x', '10.0.0.1', { labels: { 'pcns.env': 'prod', 'pcsa.role': 'db', 'projectcalico.org/namespace': 'b' } });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'a', labels: { role: 'web' } } };
  assert.ok(!selects('pcns.env', 'prod', namespace('a'), spoofing));
  assert.ok(!selects('pcsa.role', 'db', namespace('a'), spoofing));
  assert.ok(!selects('projectcalico.org/namespace', 'b', namespace('a'), spoofing));
  assert.ok(selects('pcns.env', 'test', namespace('a', { env: 'test' }), spoofing));
  assert.ok(selects('pcsa.role', 'web', namespace('a'), spoofing, account));
  assert.ok(selects('projectcalico.org/serviceaccount', 'default', namespace('a'), spoofing));
});

test('a podSelector that asks for an inherited label asks for what no pod can have', () => {
  const named = (spec: Record<string, unknown>): readonly string[] => judge(world([policy('a/p', spec)])).invalid.map(({ field }) => field);
  for (const key of ['pcns.env', 'pcsa.role']) {
    assert.deepEqual(named({ podSelector: { matchLabels: { [key]: 'x' } } }), ['spec.podSelector']);
    assert.deepEqual(named({ podSelector: {}, ingress: [{ from: [{ podSelector: { matchExpressions: [{ key, operator: 'DoesNotExist' }] } }] }] }), ['spec.ingress[0].from[0].podSelector']);
    assert.deepEqual(named({ podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { [key]: 'x' } } }] }] }), []);
  }
});
