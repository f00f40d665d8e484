import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { allowedAmongXAndY, into, namespace, outOf, pod, policy, world, xAndY } from './small-world.ts';

const fine = { ports: [{ port: 443 }] };

function fields(...objects: readonly WireObject[]): readonly string[] {
  return judge(world([...xAndY, ...objects])).invalid.map(({ field }) => field);
}

/** Of "in x:80", "in x:443", "out x", "in y", "out y": what remains allowed. */
function allowed(spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): readonly string[] {
  const broken = policy('a/broken', spec);
  return allowedAmongXAndY({ ...broken, metadata: { ...broken.metadata, ...metadata } });
}

const onX = { podSelector: { matchLabels: { app: 'x' } } };

test('a broken entry of a rule list disappears, the others stay, and the policy goes on isolating', () => {
  const spec = { ...onX, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/00' } }] }, fine] };
  assert.deepEqual(allowed(spec), ['in x:443', 'out x', 'in y', 'out y']);
  assert.deepEqual(fields(policy('a/p', spec)), ['spec.ingress[0].from[0].ipBlock.cidr']);
});

test('a broken peer or port takes the whole entry with it, good peers and ports included', () => {
  const peers = { ...onX, ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24' } }, {}] }] };
  const ports = { ...onX, ingress: [{ ports: [{ port: 80 }, { port: 0 }] }] };
  assert.deepEqual(allowed(peers), ['out x', 'in y', 'out y']);
  assert.deepEqual(allowed(ports), ['out x', 'in y', 'out y']);
});

test('the index of a rule counts the broken ones', () => {
  const p = policy('a/p', { podSelector: {}, ingress: [null, fine] });
  const verdict = judge(world([...xAndY, p])).verdict(into('a/x', '192.0.2.1', '10.0.0.1', { destinationPort: 443 }));
  assert.equal(verdict.decisions[0]?.rule, 1);
});

test('an unreadable pod selector isolates the whole namespace in both directions, without rules', () => {
  const podSelector = { matchLabels: { app: 'no value!' } };
  assert.deepEqual(allowed({ podSelector, ingress: [{}] }), []);
  assert.deepEqual(allowed({ podSelector, policyTypes: ['Egress'], egress: [{}] }), []);
});

test('bad policyTypes isolate the selected pods in both directions, without rules', () => {
  for (const policyTypes of [['Ingres'], ['Ingress', 'ingress'], ['Ingress', 'Egress', 'Ingress'], 'Ingress', [null]]) {
    assert.deepEqual(allowed({ ...onX, policyTypes, ingress: [{}], egress: [{}] }), ['in y', 'out y'], JSON.stringify(policyTypes));
  }
});

test('a rule list that is none isolates the selected pods in both directions, without rules', () => {
  assert.deepEqual(allowed({ ...onX, ingress: {}, egress: [{}] }), ['in y', 'out y']);
  assert.deepEqual(allowed({ ...onX, ingress: [{}], egress: 'all' }), ['in y', 'out y']);
});

test('bad metadata isolates the selected pods in both directions, without rules', () => {
  assert.deepEqual(allowed({ ...onX, ingress: [{}] }, { name: 'Not_A_Name' }), ['in y', 'out y']);
  assert.deepEqual(allowed({ ...onX, ingress: [{}] }, { labels: { a: 'b c' } }), ['in y', 'out y']);
});

test('a policy without a spec selects every pod of its namespace for ingress', () => {
  const { spec: _, ...bare } = policy('a/p', {});
  const judged = judge(world([...xAndY, bare]));
  assert.deepEqual(judged.invalid, []);
  assert.equal(judged.verdict(into('a/x', '192.0.2.1', '10.0.0.1')).action, 'deny');
  assert.equal(judged.verdict(outOf('a/x', '10.0.0.1', '192.0.2.1')).action, 'allow');
});

test('a spec of another shape isolates the whole namespace in both directions', () => {
  const judged = judge(world([...xAndY, { ...policy('a/p', {}), spec: [] }]));
  assert.equal(judged.verdict(into('a/x', '192.0.2.1', '10.0.0.1')).action, 'deny');
  assert.equal(judged.verdict(outOf('a/x', '10.0.0.1', '192.0.2.1')).action, 'deny');
});

test('peers that the API server refuses', () => {
  const refused = (peer: unknown): readonly string[] => fields(policy('a/p', { podSelector: {}, ingress: [{ from: [peer] }] }));
  const peer = 'spec.ingress[0].from[0]';
  assert.deepEqual(refused({}), [peer]);
  assert.deepEqual(refused({ podSelectr: {} }), [`${peer}.podSelectr`]);
  assert.deepEqual(refused(null), [peer]);
  assert.deepEqual(refused({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }), [peer]);
  assert.deepEqual(refused({ ipBlock: {} }), [`${peer}.ipBlock.cidr`]);
  assert.deepEqual(refused({ ipBlock: { cidr: '10.0.0.1' } }), [`${peer}.ipBlock.cidr`]);
  assert.deepEqual(refused({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }), [`${peer}.ipBlock.except[0]`]);
  assert.deepEqual(refused({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '11.0.0.0/16'] } }), [`${peer}.ipBlock.except[1]`]);
  assert.deepEqual(refused({ ipBlock: { cidr: '10.0.0.0/8', except: ['fd00::/64'] } }), [`${peer}.ipBlock.except[0]`]);
  assert.deepEqual(refused({ ipBlock: { cidr: '10.0.0.0/8', except: '10.1.0.0/16' } }), [`${peer}.ipBlock.except`]);
  assert.deepEqual(refused({ namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Like', values: ['b'] }] } }), [`${peer}.namespaceSelector.matchExpressions[0].operator`]);
});

test('ports that the API server refuses', () => {
  const refused = (port: unknown): readonly string[] => fields(policy('a/p', { podSelector: {}, egress: [{ ports: [port] }] }));
  const port = 'spec.egress[0].ports[0]';
  for (const number of [0, -1, 65536, 80.5]) assert.deepEqual(refused({ port: number }), [`${port}.port`], String(number));
  for (const name of ['', '80', 'Http', 'a--b', '-a', 'a-', 'a'.repeat(16), 'a_b', 'a\n']) assert.deepEqual(refused({ port: name }), [`${port}.port`], name);
  for (const protocol of ['tcp', 'ICMP', '', 6, 'constructor']) assert.deepEqual(refused({ protocol, port: 80 }), [`${port}.protocol`], String(protocol));
  assert.deepEqual(refused({ port: 80, endPort: 79 }), [`${port}.endPort`]);
  assert.deepEqual(refused({ port: 80, endPort: 65536 }), [`${port}.endPort`]);
  assert.deepEqual(refused({ port: 'http', endPort: 90 }), [`${port}.endPort`]);
  assert.deepEqual(refused({ endPort: 90 }), [`${port}.endPort`]);
  assert.deepEqual(refused('80'), [port]);
});

test('a misspelt field is never read as if it were not there', () => {
  const refused = (spec: Record<string, unknown>): readonly string[] => fields(policy('a/p', { podSelector: {}, ...spec }));
  assert.deepEqual(refused({ ingress: [{ to: [] }] }), ['spec.ingress[0].to']);
  assert.deepEqual(refused({ egress: [{ port: [] }] }), ['spec.egress[0].port']);
  assert.deepEqual(refused({ ingress: [{ from: [{ podSelector: {}, namespaceSelectr: {} }] }] }), ['spec.ingress[0].from[0].namespaceSelectr']);
  assert.deepEqual(refused({ ingress: [{ from: [{ podSelector: { matchLabel: {} } }] }] }), ['spec.ingress[0].from[0].podSelector.matchLabel']);
  assert.deepEqual(refused({ ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', value: 'b' }] } }] }] }), [
    'spec.ingress[0].from[0].podSelector.matchExpressions[0].value',
  ]);
  assert.deepEqual(refused({ ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', excepts: [] } }] }] }), ['spec.ingress[0].from[0].ipBlock.excepts']);
  assert.deepEqual(refused({ ingress: [{ ports: [{ port: 80, endport: 90 }] }] }), ['spec.ingress[0].ports[0].endport']);
  assert.deepEqual(refused({ policyType: ['Egress'] }), ['spec.policyType']);
});

test('an unknown field of the spec isolates the selected pods in both directions, without rules', () => {
  assert.deepEqual(allowed({ ...onX, policyType: ['Egress'], ingress: [{}] }), ['in y', 'out y']);
});

test('every problem of an object is named, with its kind, namespace and name', () => {
  const p = policy('a/p', { podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] }, policyTypes: ['X'], ingress: [{ ports: [{ port: 0 }] }] });
  assert.deepEqual(
    judge(world([p])).invalid.map(({ kind, namespace: ns, name, field }) => `${kind} ${ns}/${name} ${field}`),
    ['NetworkPolicy a/p spec.podSelector.matchExpressions[0].values', 'NetworkPolicy a/p spec.policyTypes[0]', 'NetworkPolicy a/p spec.ingress[0].ports[0].port'],
  );
});

test('a Namespace with bad labels is absent: its pods are denied where no policy applies', () => {
  const judged = judge(world([namespace('a', { bad: 'la bel' }), pod('a/x', '10.0.0.1')]));
  assert.deepEqual(judged.invalid.map(({ kind, name, field }) => [kind, name, field]), [['Namespace', 'a', 'metadata.labels[bad]']]);
  assert.equal(judged.verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions[0]?.reason, 'no-profile');
});
