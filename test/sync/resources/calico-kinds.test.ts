// Tiers, network sets, host endpoints and endpoint slices → the model, and what broken ones become.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { HostEndpoint } from '../../../src/model/host-endpoint.ts';
import type { NetworkSet } from '../../../src/model/network-set.ts';
import type { ServiceEndpoints } from '../../../src/model/service-endpoints.ts';
import type { Tier } from '../../../src/model/tier.ts';
import { endpointSlices } from '../../../src/sync/resources/endpoint-slice.ts';
import { hostEndpoints } from '../../../src/sync/resources/host-endpoint.ts';
import { globalNetworkSets, networkSets } from '../../../src/sync/resources/network-set.ts';
import type { Decoded } from '../../../src/sync/resources/problem.ts';
import { tiers } from '../../../src/sync/resources/tier.ts';
import { calicoObject, context } from './objects.ts';

type Metadata = Record<string, unknown>;

function valid<T>({ value, problems }: Decoded<T>): T {
  assert.deepEqual(problems, []);
  assert.ok(value);
  return value;
}
const stored = (metadata: unknown): Metadata => ({ annotations: { 'projectcalico.org/metadata': JSON.stringify(metadata) } });

describe('a Tier', () => {
  const decode = (spec: unknown, name = 'security'): Decoded<Tier> => tiers.decode(calicoObject('Tier', spec, { name }), context());

  test('has an order and a default action', () => {
    const { name, order, defaultAction } = valid(decode({ order: 10.5, defaultAction: 'Pass' }));
    assert.deepEqual({ name, order, defaultAction }, { name: 'security', order: 10.5, defaultAction: 'pass' });
  });
  test('without them is where default is, and denies', () => {
    const { order, defaultAction } = valid(decode(undefined));
    assert.deepEqual({ order, defaultAction }, { order: 1_000_000, defaultAction: 'deny' });
  });
  test('that is built in may say what it is', () => {
    assert.equal(valid(decode({ order: 1_000_000, defaultAction: 'Deny' }, 'default')).order, 1_000_000);
    assert.equal(valid(decode({ order: 1000, defaultAction: 'Pass' }, 'kube-admin')).defaultAction, 'pass');
    assert.equal(valid(decode({}, 'default')).order, 1_000_000);
  });
  for (const [what, spec, field, name] of [
    ['a default action that is none', { defaultAction: 'Allow' }, 'spec.defaultAction'],
    ['an order that is text', { order: '1' }, 'spec.order'],
    ['an unknown field', { priority: 1 }, 'spec.priority'],
    ['a name with a dot', {}, 'metadata.name', 'a.b'],
    ['another order for default', { order: 1 }, 'spec.order', 'default'],
    ['another action for default, which would void all isolation of Kubernetes', { order: 1_000_000, defaultAction: 'Pass' }, 'spec.defaultAction', 'default'],
    ['no order for kube-admin', { defaultAction: 'Pass' }, 'spec.order', 'kube-admin'],
    ['another action for kube-baseline', { order: 10_000_000 }, 'spec.defaultAction', 'kube-baseline'],
  ] as const) {
    test(`with ${what} is absent`, () => {
      const { value, problems } = decode(spec, name);
      assert.deepEqual([value, problems.map((problem) => problem.field)], [undefined, [field]]);
    });
  }
  test('is the same in another generation', () => {
    const [a, b] = [1, 2].map((generation) => valid(tiers.decode(calicoObject('Tier', { order: 1 }, { generation }), context())));
    assert.ok(a && b && tiers.same(a, b));
    assert.ok(!tiers.same(a, valid(decode({ order: 2 }, 'web'))));
  });
});

describe('a network set', () => {
  const decode = (spec: unknown, metadata: Metadata = {}): Decoded<NetworkSet> => globalNetworkSets.decode(calicoObject('GlobalNetworkSet', spec, metadata), context());
  const namespaced = (spec: unknown, metadata: Metadata = {}): Decoded<NetworkSet> => networkSets.decode(calicoObject('NetworkSet', spec, metadata), context());

  test('has networks of both families, masked, and addresses, each once', () => {
    assert.deepEqual(valid(decode({ nets: ['10.1.2.3/8', '192.0.2.1', 'FD00::1', '0.0.0.0/0', '10.0.0.0/8'] })).nets, ['10.0.0.0/8', '192.0.2.1/32', 'fd00::1/128', '0.0.0.0/0']);
  });
  test('may have none', () => assert.deepEqual(valid(decode(undefined)).nets, []));
  test('of all namespaces has its own labels, and inherits none', () => {
    const { labels, profiles } = valid(decode({}, { labels: { role: 'feed' } }));
    assert.deepEqual([labels, profiles], [['role', 'feed'], []]);
  });
  test('of a namespace says which one, and inherits its labels', () => {
    const { labels, profiles } = valid(namespaced({}, { labels: { role: 'feed' } }));
    assert.deepEqual([labels, profiles], [['projectcalico.org/namespace', 'shop', 'role', 'feed'], ['kns.shop']]);
  });
  test('has the labels that Calico has stored, over its own', () => {
    const metadata = { labels: { a: '1', b: '1' }, ...stored({ labels: { b: '2', c: '3' } }) };
    assert.deepEqual(valid(decode({}, metadata)).labels, ['a', '1', 'b', '2', 'c', '3']);
  });
  test('cannot claim a namespace, an account, an orchestrator or what it would inherit', () => {
    const claimed = { 'projectcalico.org/namespace': 'x', 'projectcalico.org/serviceaccount': 'x', 'projectcalico.org/orchestrator': 'k8s', 'pcns.team': 'a', 'pcsa.role': 'b' };
    assert.deepEqual(valid(decode({}, { labels: claimed })).labels, []);
    assert.deepEqual(valid(namespaced({}, stored({ labels: claimed }))).labels, ['projectcalico.org/namespace', 'shop']);
  });
  test('is keyed by namespace and name, a global one by its name', () => {
    assert.equal(networkSets.key({ namespace: 'shop', name: 'web' }), 'shop/web');
    assert.equal(globalNetworkSets.key({ namespace: '', name: 'web' }), '/web');
  });
  for (const [what, spec, field, metadata = {}] of [
    ['a net that is none', { nets: ['10.0.0.0/8', '10.0.0.0/33'] }, 'spec.nets[1]'],
    ['a net that is null', { nets: [null] }, 'spec.nets[0]'],
    ['nets that are text', { nets: '10.0.0.0/8' }, 'spec.nets'],
    ['an unknown field', { nets: ['10.0.0.0/8'], except: ['10.1.0.0/16'] }, 'spec.except'],
    ['a spec that is text', '10.0.0.0/8', 'spec'],
    ['a stored label that is none', {}, 'metadata.annotations[projectcalico.org/metadata]: labels[a]', stored({ labels: { a: 'b c' } })],
    ['stored metadata that is none', {}, 'metadata.annotations[projectcalico.org/metadata]', { annotations: { 'projectcalico.org/metadata': '{' } }],
  ] as const) {
    test(`with ${what} is broken: it keeps its labels and has no networks of its own`, () => {
      const { value, problems } = decode(spec, { labels: { role: 'feed' }, ...metadata });
      assert.deepEqual(problems.map((problem) => problem.field), [field]);
      assert.deepEqual([value?.isBroken, value?.nets, value?.labels.slice(-2)], [true, [], ['role', 'feed']]);
    });
  }
  test('without a valid name is ignored', () => assert.equal(decode({}, { name: 'a b' }).value, undefined));
  test('is another one when it breaks', () => {
    const [whole, broken] = [decode({}).value, decode({ nets: ['x'] }).value];
    assert.ok(whole && broken && !globalNetworkSets.same(whole, broken));
  });
});

describe('a HostEndpoint', () => {
  const decode = (spec: unknown, metadata: Metadata = {}): Decoded<HostEndpoint> => hostEndpoints.decode(calicoObject('HostEndpoint', spec, metadata), context());
  const spec = { node: 'node-1', interfaceName: 'eth0' };

  test('is an interface of a node, with labels, profiles, addresses and named ports', () => {
    const parts = { expectedIPs: ['192.0.2.1', 'FD00::1', '192.0.2.1'], profiles: ['p'], ports: [{ name: 'ssh', protocol: 'tcp', port: 22 }] };
    const { origin, ...endpoint } = valid(decode({ ...spec, ...parts }, stored({ labels: { role: 'host', 'projectcalico.org/orchestrator': 'k8s' } })));
    assert.equal(origin.kind, 'HostEndpoint');
    assert.deepEqual(endpoint, {
      node: 'node-1',
      interfaceName: 'eth0',
      expectedAddresses: ['192.0.2.1', 'fd00::1'],
      labels: ['role', 'host'],
      profiles: ['p'],
      ports: [{ name: 'ssh', protocol: 6, port: 22 }],
    });
  });
  test('may be all interfaces', () => assert.equal(valid(decode({ ...spec, interfaceName: '*' })).interfaceName, '*'));
  test('may be found by its addresses', () => assert.equal(valid(decode({ node: 'node-1', expectedIPs: ['192.0.2.1'] })).interfaceName, ''));
  for (const [what, parts, field] of [
    ['no node', { node: '' }, 'spec.node'],
    ['neither interface nor address', { interfaceName: '' }, 'spec'],
    ['an interface that is too long', { interfaceName: 'x'.repeat(16) }, 'spec.interfaceName'],
    ['an interface that is a pattern', { interfaceName: 'eth+' }, 'spec.interfaceName'],
    ['a network for an address', { expectedIPs: ['192.0.2.0/24'] }, 'spec.expectedIPs[0]'],
    ['a profile that is no name', { profiles: ['a\nb'] }, 'spec.profiles[0]'],
    ['a port without a protocol', { ports: [{ name: 'a', port: 1 }] }, 'spec.ports[0].protocol'],
    ['a port of ICMP', { ports: [{ name: 'a', port: 1, protocol: 'ICMP' }] }, 'spec.ports[0].protocol'],
    ['a port 0', { ports: [{ name: 'a', port: 0, protocol: 'TCP' }] }, 'spec.ports[0].port'],
    ['an unknown field', { selector: 'all()' }, 'spec.selector'],
  ] as const) {
    test(`with ${what} is broken: it keeps what selectors see of it`, () => {
      const profiles = ['kns.x', ...('profiles' in parts ? parts.profiles : [])];
      const { value, problems } = decode({ ...spec, expectedIPs: 'expectedIPs' in parts || what.startsWith('neither') ? [] : ['192.0.2.1'], ...parts, profiles }, { labels: { role: 'host' } });
      assert.deepEqual(problems.map((problem) => problem.field), [field.replace('profiles[0]', 'profiles[1]')]);
      const { origin: _, ...rest } = value ?? assert.fail('a value');
      assert.deepEqual(rest, { node: '', interfaceName: '', expectedAddresses: [], labels: ['role', 'host'], profiles: ['kns.x'], ports: [], isBroken: true });
    });
  }
  test('whose stored labels are not all sound keeps those that are', () => {
    const { value, problems } = decode(spec, stored({ labels: { role: 'host', zone: 'a b', 'no key!': 'x', n: 1 } }));
    assert.equal(problems.length, 3);
    assert.deepEqual([value?.isBroken, value?.labels], [true, ['role', 'host']]);
  });
  test('without a valid name is ignored', () => assert.equal(decode(spec, { name: 'a b' }).value, undefined));
});

describe('an EndpointSlice', () => {
  const slice = (parts: object, labels: unknown = { 'kubernetes.io/service-name': 'db' }): unknown => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'shop', name: 'db-x', labels },
    addressType: 'IPv4',
    ...parts,
  });
  const decode = (parts: object, labels?: unknown): Decoded<ServiceEndpoints> => endpointSlices.decode(slice(parts, labels), context());

  test('has the addresses of all endpoints, ready or not, and the ports of its service', () => {
    const endpoints = [{ addresses: ['10.0.0.1'], conditions: { ready: false, terminating: true } }, { addresses: ['10.0.0.2', '10.0.0.1'] }];
    const { service, addresses, ports } = valid(decode({ endpoints, ports: [{ port: 80 }, { port: 53, protocol: 'UDP', name: 'dns' }] }));
    assert.deepEqual([service, addresses, ports], ['shop/db', ['10.0.0.1', '10.0.0.2'], [{ protocol: 6, port: 80 }, { protocol: 17, port: 53 }]]);
  });
  test('of IPv6', () => assert.deepEqual(valid(decode({ addressType: 'IPv6', endpoints: [{ addresses: ['FD00::1'] }] })).addresses, ['fd00::1']));
  test('with a port without a number has no such port', () => assert.deepEqual(valid(decode({ ports: [{ name: 'all' }] })).ports, []));
  test('of no service is nothing', () => assert.deepEqual(decode({}, {}), { value: undefined, problems: [] }));
  test('of host names is nothing', () => {
    assert.deepEqual(decode({ addressType: 'FQDN', endpoints: [{ addresses: ['db.example'] }] }), { value: undefined, problems: [] });
  });
  for (const [what, parts, field] of [
    ['an address that is none', { endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['x'] }] }, 'endpoints[1].addresses[0]'],
    ['an address of the other family', { endpoints: [{ addresses: ['fd00::1'] }] }, 'endpoints[0].addresses[0]'],
    ['an unknown type of addresses', { addressType: 'MAC' }, 'addressType'],
    ['an endpoint that is none', { endpoints: [7] }, 'endpoints[0]'],
    ['an address with a leading zero, which others may read in another way', { endpoints: [{ addresses: ['010.0.0.1'] }] }, 'endpoints[0].addresses[0]'],
    ['a port that is none', { ports: [null] }, 'ports[0]'],
    ['a port above 65535', { ports: [{ port: 65_536 }] }, 'ports[0].port'],
    ['a protocol that is none', { ports: [{ port: 1, protocol: 'ICMP' }] }, 'ports[0].protocol'],
    ['a protocol that is none, of a port without a number', { ports: [{ protocol: 'ICMP' }] }, 'ports[0].protocol'],
    ['an empty protocol', { ports: [{ port: 1, protocol: '' }] }, 'ports[0].protocol'],
    ['endpoints that are no list', { endpoints: {} }, 'endpoints'],
  ] as const) {
    test(`with ${what} is broken: nothing is known but its service`, () => {
      const { value, problems } = decode({ endpoints: [{ addresses: ['10.0.0.9'] }], ports: [{ port: 80 }], ...parts });
      assert.deepEqual(problems.map((problem) => problem.field), [field]);
      const { origin: _, ...rest } = value ?? assert.fail('a value');
      assert.deepEqual(rest, { service: 'shop/db', addresses: [], ports: [], isBroken: true });
    });
  }
  test('whose service is no name is absent: no rule can name it', () => {
    for (const labels of [{ 'kubernetes.io/service-name': 'No_Name' }, { 'kubernetes.io/service-name': 7 }]) assert.deepEqual([decode({}, labels).value, decode({}, labels).problems.length > 0], [undefined, true]);
  });
  test('is the same after another resync', () => {
    const [a, b] = [1, 2].map((generation) => {
      const object = slice({ endpoints: [{ addresses: ['10.0.0.1'] }] }) as { metadata: object };
      return valid(endpointSlices.decode({ ...object, metadata: { ...object.metadata, generation } }, context()));
    });
    assert.ok(a && b && endpointSlices.same(a, b));
  });
});
