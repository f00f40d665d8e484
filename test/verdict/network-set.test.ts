import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { globalPolicy, into, namespace, networkSet, pod, policy, world } from './small-world.ts';

const cluster: readonly WireObject[] = [namespace('a', { env: 'prod' }), pod('a/x', '10.0.0.1'), pod('a/six', '', { status: { podIPs: [{ ip: 'fd00::1' }] } })];
const labels = { zone: 'z' };

function isAllowed(rules: readonly Record<string, unknown>[], source: string, ...sets: readonly WireObject[]): boolean {
  const isSix = source.includes(':');
  const open = globalPolicy('p', { namespaceSelector: 'all()', types: ['Ingress'], ingress: rules });
  return judge(world([...cluster, ...sets, open])).verdict(into(isSix ? 'a/six' : 'a/x', source, isSix ? 'fd00::1' : '10.0.0.1')).action === 'allow';
}

const allow = (source: Record<string, unknown>): Record<string, unknown> => ({ action: 'Allow', source });
const deny = (source: Record<string, unknown>): Record<string, unknown> => ({ action: 'Deny', source });
const everyone = { action: 'Allow' };

test('a set is its networks and addresses, of both families, host bits or not', () => {
  const set = networkSet('set', ['192.0.2.128/25', '198.51.100.7', '203.0.113.9/24', 'fd01::/16', 'fd02::1'], labels);
  const open = [allow({ selector: 'zone == "z"' })];
  const inside = ['192.0.2.128', '192.0.2.255', '198.51.100.7', '203.0.113.200', 'fd01:ffff::1', 'fd02::1'];
  const outside = ['192.0.2.127', '198.51.100.8', '10.9.9.9', 'fd02::2', 'fd00::9'];
  assert.deepEqual(inside.filter((source) => isAllowed(open, source, set)), inside);
  assert.deepEqual(outside.filter((source) => isAllowed(open, source, set)), []);
});

test('/0 is every address of its family', () => {
  const open = [allow({ selector: 'has(zone)' })];
  assert.deepEqual(['192.0.2.1', '255.255.255.255', 'fd09::1'].map((source) => isAllowed(open, source, networkSet('set', ['0.0.0.0/0'], labels))), [true, true, false]);
  assert.deepEqual(['192.0.2.1', 'fd09::1', '::1'].map((source) => isAllowed(open, source, networkSet('set', ['::/0'], labels))), [false, true, true]);
});

test('a set without networks is nobody', () => {
  assert.ok(!isAllowed([allow({ selector: 'has(zone)' })], '192.0.2.1', networkSet('set', [], labels)));
});

test('labels that say where somebody belongs are not believed', () => {
  const spoofing = { 'projectcalico.org/namespace': 'a', 'pcns.env': 'prod', 'pcsa.role': 'db', 'projectcalico.org/serviceaccount': 'default' };
  for (const key of ['a/set', 'set']) {
    const set = networkSet(key, ['192.0.2.1'], spoofing);
    assert.ok(!isAllowed([allow({ serviceAccounts: { names: ['default'] } })], '192.0.2.1', set), key);
    assert.ok(!isAllowed([allow({ serviceAccounts: { selector: 'role == "db"' } })], '192.0.2.1', set), key);
    assert.equal(isAllowed([allow({ namespaceSelector: 'env == "prod"' })], '192.0.2.1', set), key === 'a/set');
  }
});

test('Kubernetes’ policies never mean a set', () => {
  const open = policy('a/p', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }, { namespaceSelector: { matchExpressions: [{ key: 'env', operator: 'DoesNotExist' }] } }] }] });
  const judged = judge(world([...cluster, networkSet('set', ['192.0.2.1']), networkSet('a/set', ['192.0.2.1']), open]));
  assert.equal(judged.verdict(into('a/x', '192.0.2.1', '10.0.0.1')).action, 'deny');
});

const broken = [
  networkSet('set', ['192.0.2.0/24', '10.0.0.0/33'], labels),
  networkSet('set', ['192.0.2.0/24', '010.0.0.1'], labels),
  networkSet('set', ['192.0.2.0/24', 7], labels),
  { ...networkSet('set', [], labels), spec: { nets: '192.0.2.0/24' } },
  { ...networkSet('set', [], labels), spec: { net: ['192.0.2.0/24'] } },
];

test('a broken set is nobody where it could open', () => {
  for (const set of broken) {
    assert.ok(!isAllowed([allow({ selector: 'has(zone)' })], '192.0.2.1', set));
    assert.ok(!isAllowed([deny({ notSelector: 'has(zone)' }), everyone], '192.0.2.1', set));
    assert.ok(isAllowed([{ action: 'Pass', source: { notSelector: 'has(zone)' } }], '192.0.2.1', set));
    assert.ok(!isAllowed([{ action: 'Pass', source: { selector: 'has(zone)' } }], '192.0.2.1', set));
  }
});

test('a broken set is everybody where it can only close', () => {
  for (const set of broken) {
    for (const source of ['192.0.2.1', '10.9.9.9', 'fd09::1']) {
      assert.ok(!isAllowed([deny({ selector: 'has(zone)' }), everyone], source, set), source);
      assert.ok(!isAllowed([allow({ notSelector: 'has(zone)' })], source, set), source);
      assert.ok(isAllowed([deny({ selector: 'has(other)' }), everyone], source, set), source);
    }
  }
});

test('a broken set is named with the field', () => {
  const fields = (object: WireObject): readonly string[] => judge(world([object])).invalid.map(({ kind, name, field }) => `${kind} ${name} ${field}`);
  assert.deepEqual(broken.map(fields), [
    ['GlobalNetworkSet set spec.nets[1]'],
    ['GlobalNetworkSet set spec.nets[1]'],
    ['GlobalNetworkSet set spec.nets[1]'],
    ['GlobalNetworkSet set spec.nets'],
    ['GlobalNetworkSet set spec.net'],
  ]);
  const annotated = { ...networkSet('set', []), metadata: { name: 'set', annotations: { 'projectcalico.org/metadata': '{' } } };
  assert.deepEqual(fields(annotated), ['GlobalNetworkSet set metadata.annotations[projectcalico.org/metadata]']);
});

test('named ports of a selector that only sets meet are offered by nobody', () => {
  const set = networkSet('set', ['10.0.0.0/8'], labels);
  assert.ok(!isAllowed([{ action: 'Allow', protocol: 'TCP', destination: { selector: 'has(zone)', ports: ['http'] } }], '192.0.2.1', set));
});
