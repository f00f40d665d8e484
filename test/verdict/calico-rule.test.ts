import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { calicoPolicy, globalPolicy, hostEndpoint, into, namespace, networkSet, outOf, packet, pod, slice, world } from './small-world.ts';

const dual = { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] } };
const cluster: readonly WireObject[] = [
  namespace('a', { env: 'prod' }),
  namespace('b', { env: 'test' }),
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace: 'b', labels: { role: 'ci' } } },
  pod('a/x', '', { ...dual, spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }] }] } }),
  pod('a/y', '10.0.0.2', { labels: { app: 'y' } }),
  pod('b/z', '10.0.1.1', { node: 'there', labels: { app: 'z' }, spec: { serviceAccountName: 'builder', containers: [{ ports: [{ name: 'http', containerPort: 81 }] }] } }),
  pod('b/w', '10.0.1.2', { node: 'there', labels: { app: 'y' } }),
];

type Rule = Record<string, unknown>;

/** Whether x receives the packet if only what the rule matches is allowed. */
function admits(rule: Rule, what: Packet, where: 'a' | 'global', ...more: readonly WireObject[]): boolean {
  const spec = { selector: '!has(app)', types: ['Ingress'], ingress: [{ action: 'Allow', ...rule }] };
  return isAllowed(where === 'a' ? calicoPolicy('a/p', spec) : globalPolicy('p', spec), what, more);
}

function isAllowed(policy: WireObject, what: Packet, more: readonly WireObject[] = [], options: Partial<World['options']> = {}): boolean {
  const judged = judge(world([...cluster, policy, ...more], options));
  assert.deepEqual(judged.invalid, []);
  return judged.verdict(what).action === 'allow';
}

/** Which of these sources may reach x. */
function sources(rule: Rule, where: 'a' | 'global', ...more: readonly WireObject[]): readonly string[] {
  return ['10.0.0.2', '10.0.1.1', '10.0.1.2', '192.0.2.1'].filter((source) => admits(rule, into('a/x', source, '10.0.0.1'), where, ...more));
}
const [y, z, w, outside] = ['10.0.0.2', '10.0.1.1', '10.0.1.2', '192.0.2.1'] as const;
const from = (source: Rule, rest: Rule = {}): Rule => ({ ...rest, source });

test('a rule without conditions matches everything', () => {
  assert.deepEqual(sources({}, 'a'), [y, z, w, outside]);
  assert.deepEqual(sources(from({ nets: [], notNets: [], ports: [], notPorts: [], selector: '', notSelector: '', namespaceSelector: '', serviceAccounts: {} }), 'a'), [y, z, w, outside]);
});

test('ipVersion', () => {
  const four = into('a/x', y, '10.0.0.1');
  const six = into('a/x', 'fd00::2', 'fd00::1');
  assert.deepEqual([4, 6].map((ipVersion) => [admits({ ipVersion }, four, 'a'), admits({ ipVersion }, six, 'a')]), [
    [true, false],
    [false, true],
  ]);
});

test('protocol by name and number, and its negation', () => {
  const udp = into('a/x', y, '10.0.0.1', { protocol: 17 });
  const tcp = into('a/x', y, '10.0.0.1');
  for (const protocol of ['UDP', 17, '17', 'udp']) {
    assert.ok(admits({ protocol }, udp, 'a') && !admits({ protocol }, tcp, 'a'), String(protocol));
    assert.ok(!admits({ notProtocol: protocol }, udp, 'a') && admits({ notProtocol: protocol }, tcp, 'a'), String(protocol));
  }
  const numbers = { TCP: 6, ICMP: 1, ICMPv6: 58, SCTP: 132, UDPLite: 136 };
  for (const [name, protocol] of Object.entries(numbers)) assert.ok(admits({ protocol: name }, into('a/x', y, '10.0.0.1', { protocol }), 'a'), name);
});

test('icmp type and code, and their negation', () => {
  const icmp = (type: number, code: number): Packet => {
    const { sourcePort: _, destinationPort: __, ...rest } = into('a/x', y, '10.0.0.1', { protocol: 1, icmp: { type, code } });
    return rest;
  };
  const admitted = (rule: Rule): readonly boolean[] => [icmp(8, 0), icmp(3, 1), icmp(3, 3)].map((each) => admits({ protocol: 'ICMP', ...rule }, each, 'a'));
  assert.deepEqual(admitted({}), [true, true, true]);
  assert.deepEqual(admitted({ icmp: {} }), [true, true, true]);
  assert.deepEqual(admitted({ icmp: { type: 3 } }), [false, true, true]);
  assert.deepEqual(admitted({ icmp: { type: 3, code: 1 } }), [false, true, false]);
  assert.deepEqual(admitted({ notICMP: { type: 3 } }), [true, false, false]);
  assert.deepEqual(admitted({ notICMP: { type: 3, code: 1 } }), [true, false, true]);
  assert.deepEqual(admitted({ icmp: { type: 3 }, notICMP: { type: 3, code: 3 } }), [false, true, false]);
});

test('nets and notNets, with addresses among them, of whatever namespace', () => {
  assert.deepEqual(sources(from({ nets: ['10.0.1.0/24', '10.0.0.2'] }), 'a'), [y, z, w]);
  assert.deepEqual(sources(from({ notNets: ['10.0.1.0/24', '10.0.0.2'] }), 'a'), [outside]);
  assert.deepEqual(sources(from({ nets: ['10.0.0.0/8'], notNets: ['10.0.1.2/32'] }), 'a'), [y, z]);
  assert.deepEqual(sources(from({ nets: ['0.0.0.0/0'] }), 'a'), [y, z, w, outside]);
  assert.deepEqual(sources(from({ notNets: ['0.0.0.0/0'] }), 'a'), []);
  assert.deepEqual(sources({ destination: { nets: ['10.0.0.0/31'] } }, 'a'), [y, z, w, outside]);
});

test('nets of one family make a rule about that family, negated ones too', () => {
  const four = into('a/x', y, '10.0.0.1');
  const six = into('a/x', 'fd00::2', 'fd00::1');
  const both = (source: Rule): readonly boolean[] => [admits(from(source), four, 'a'), admits(from(source), six, 'a')];
  assert.deepEqual(both({ nets: ['fd00::/8'] }), [false, true]);
  assert.deepEqual(both({ notNets: ['fd11::/16'] }), [false, true]);
  assert.deepEqual(both({ notNets: ['192.0.2.0/24'] }), [true, false]);
  assert.deepEqual(both({ nets: ['fd00::/8', '10.0.0.0/8'] }), [true, true]);
  assert.deepEqual(both({ notNets: ['fd00::2/128', '192.0.2.0/24'] }), [true, false]);
});

test('a selector means the policy’s own namespace; of a global policy any', () => {
  assert.deepEqual(sources(from({ selector: 'app == "y"' }), 'a'), [y]);
  assert.deepEqual(sources(from({ selector: 'app == "y"' }), 'global'), [y, w]);
  assert.deepEqual(sources(from({ selector: 'all()' }), 'a'), [y]);
  assert.deepEqual(sources(from({ selector: 'all()' }), 'global'), [y, z, w]);
});

test('namespaceSelector alone and together with a selector', () => {
  for (const where of ['a', 'global'] as const) {
    assert.deepEqual(sources(from({ namespaceSelector: 'env == "test"' }), where), [z, w]);
    assert.deepEqual(sources(from({ namespaceSelector: 'env == "test"', selector: 'app == "y"' }), where), [w]);
    assert.deepEqual(sources(from({ namespaceSelector: 'projectcalico.org/name == "b"' }), where), [z, w]);
    assert.deepEqual(sources(from({ namespaceSelector: 'all()' }), where), [y, z, w]);
  }
});

test('global() means network sets and hosts of no namespace', () => {
  const sets = [networkSet('everywhere', ['192.0.2.0/24', '10.0.1.1']), networkSet('a/mine', ['10.0.0.2'])];
  assert.deepEqual(sources(from({ namespaceSelector: 'global()' }), 'a', ...sets), [z, outside]);
  assert.deepEqual(sources(from({ namespaceSelector: 'all()' }), 'a', ...sets), [y, z, w]);
  assert.deepEqual(sources(from({ selector: 'all()' }), 'a', ...sets), [y]);
  assert.deepEqual(sources(from({ selector: 'all()' }), 'global', ...sets), [y, z, w, outside]);
  assert.deepEqual(sources(from({ namespaceSelector: 'global()' }), 'a', hostEndpoint('node', { expectedIPs: ['192.0.2.1'] })), [outside]);
});

test('all() within a larger namespaceSelector means to be in a namespace', () => {
  const outsiders = networkSet('outsiders', ['192.0.2.0/24']);
  assert.deepEqual(sources(from({ namespaceSelector: '!(env == "test" || all())' }), 'a', outsiders), [outside]);
  assert.deepEqual(sources(from({ namespaceSelector: 'env != "test"' }), 'a', outsiders), [y, outside]);
});

test('notSelector alone: of a global policy whatever has no such labels, of a namespaced one its own namespace', () => {
  assert.deepEqual(sources(from({ notSelector: 'app == "y"' }), 'global'), [z, outside]);
  assert.deepEqual(sources(from({ notSelector: 'app == "q"' }), 'a'), [y]);
  assert.deepEqual(sources(from({ notSelector: 'app == "y"' }), 'a'), []);
});

test('selector and notSelector are tested on one and the same item, not on the address', () => {
  // 10.0.0.2 is a pod with app=y and part of a network set with zone=z: the set meets the first and not the second.
  const covering = networkSet('a/covering', ['10.0.0.0/24'], { zone: 'z' });
  assert.deepEqual(sources(from({ selector: 'has(zone)', notSelector: 'has(app)' }), 'a', covering), [y]);
  assert.deepEqual(sources(from({ selector: 'has(zone) && !has(app)' }), 'a', covering), [y]);
  assert.deepEqual(sources(from({ selector: 'has(zone) && has(app)' }), 'a', covering), []);
  assert.deepEqual(sources(from({ notSelector: 'has(app)' }), 'global', covering), [outside]);
});

test('network sets are of their namespace and inherit its labels', () => {
  const sets = [networkSet('a/near', ['192.0.2.1'], { zone: 'near' }), networkSet('b/far', ['10.0.0.2'], { zone: 'far' })];
  assert.deepEqual(sources(from({ selector: 'has(zone)' }), 'a', ...sets), [outside]);
  assert.deepEqual(sources(from({ selector: 'has(zone)', namespaceSelector: 'env == "test"' }), 'a', ...sets), [y]);
  assert.deepEqual(sources(from({ selector: 'has(zone)' }), 'global', ...sets), [y, outside]);
});

test('serviceAccounts by name and by selector, both wanted', () => {
  assert.deepEqual(sources(from({ serviceAccounts: { names: ['default', 'other'] } }), 'a'), [y]);
  assert.deepEqual(sources(from({ serviceAccounts: { names: ['builder'] } }), 'a'), []);
  assert.deepEqual(sources(from({ serviceAccounts: { names: ['builder'] } }), 'global'), [z]);
  assert.deepEqual(sources(from({ namespaceSelector: 'all()', serviceAccounts: { selector: 'role == "ci"' } }), 'a'), [z]);
  assert.deepEqual(sources(from({ serviceAccounts: { selector: 'role == "ci"', names: ['default'] } }), 'global'), []);
  assert.deepEqual(sources(from({ serviceAccounts: { selector: 'all()' } }), 'global', networkSet('set', ['192.0.2.1'])), [y, z, w]);
});

test('ports and notPorts as numbers, ranges and numbers in text; a range may begin at 0', () => {
  const admitted = (destination: Rule): readonly number[] =>
    [79, 80, 81, 90, 443].filter((destinationPort) => admits({ protocol: 'TCP', destination }, into('a/x', y, '10.0.0.1', { destinationPort }), 'a'));
  assert.deepEqual(admitted({ ports: [80, '81', '90:443'] }), [80, 81, 90, 443]);
  assert.deepEqual(admitted({ notPorts: [80, '81', '90:443'] }), [79]);
  assert.deepEqual(admitted({ ports: ['80:443'], notPorts: [81] }), [80, 90, 443]);
  assert.deepEqual(admitted({ ports: ['0:65535'] }), [79, 80, 81, 90, 443]);
  assert.deepEqual(admitted({ notPorts: ['0:80'] }), [81, 90, 443]);
});

test('source ports', () => {
  const rule = { protocol: 'TCP', source: { ports: [40000] } };
  assert.deepEqual([40000, 40001].map((sourcePort) => admits(rule, into('a/x', y, '10.0.0.1', { sourcePort }), 'a')), [true, false]);
});

test('a named port is what the pods at the address offer, in the rule’s protocol', () => {
  const admitted = (protocol: string, destination: Rule): readonly string[] =>
    (['tcp 8080', 'tcp 80', 'udp 53', 'udp 8080'] as const).filter((what) => {
      const [name, port] = what.split(' ');
      return admits({ protocol, destination }, into('a/x', y, '10.0.0.1', { protocol: name === 'udp' ? 17 : 6, destinationPort: Number(port) }), 'a');
    });
  assert.deepEqual(admitted('TCP', { ports: ['http'] }), ['tcp 8080']);
  assert.deepEqual(admitted('UDP', { ports: ['http', 'dns'] }), ['udp 53']);
  assert.deepEqual(admitted('TCP', { ports: ['http', 80] }), ['tcp 8080', 'tcp 80']);
  assert.deepEqual(admitted('TCP', { notPorts: ['http'] }), ['tcp 80']);
  assert.deepEqual(admitted('TCP', { ports: ['nowhere'] }), []);
});

const egress = (destination: Rule, rest: Rule = {}): WireObject =>
  calicoPolicy('a/p', { types: ['Egress'], egress: [{ action: 'Allow', protocol: 'TCP', ...rest, destination }] });

test('a named port with a selector is one of a pod that the selector means, not of one that a set covers', () => {
  const to = (destinationPort: number): Packet => outOf('a/y', y, z, { destinationPort });
  const covering = networkSet('covering', ['10.0.0.0/8'], { zone: 'z' });
  const reaches = (destination: Rule): readonly boolean[] => [81, 80].map((port) => isAllowed(egress(destination), to(port), [covering]));
  assert.deepEqual(reaches({ namespaceSelector: 'env == "test"', ports: ['http'] }), [true, false]);
  assert.deepEqual(reaches({ namespaceSelector: 'global()', ports: ['http'] }), [false, false]);
  assert.deepEqual(reaches({ namespaceSelector: 'global()', ports: ['http', 80] }), [false, true]);
  assert.deepEqual(reaches({ ports: ['http'] }), [true, false]);
  assert.deepEqual(reaches({ namespaceSelector: 'global()', notPorts: ['http'] }), [true, true]);
  assert.deepEqual(reaches({ namespaceSelector: 'env == "test"', notPorts: ['http'] }), [false, true]);
});

test('named ports of host endpoints count, too', () => {
  const host = hostEndpoint('node', { expectedIPs: ['192.0.2.9'], ports: [{ name: 'kubelet', protocol: 'TCP', port: 10250 }] });
  assert.ok(isAllowed(egress({ ports: ['kubelet'] }), outOf('a/y', y, '192.0.2.9', { destinationPort: 10250 }), [host]));
});

test('services: as a source the addresses of its endpoints, ready or not', () => {
  const services = [slice('a/api', [z], [{ port: 81 }]), slice('b/api', [w], [{ port: 81 }])];
  assert.deepEqual(sources(from({ services: { name: 'api', namespace: 'b' } }), 'global', ...services), [w]);
  assert.deepEqual(sources(from({ services: { name: 'api' } }), 'a', ...services), [z]);
  assert.deepEqual(sources(from({ services: { name: 'api', namespace: '' } }), 'a', ...services), [z]);
  assert.deepEqual(sources(from({ services: { name: 'none' } }), 'a', ...services), []);
});

test('services: as a destination with their ports and protocols; a port without a number is none', () => {
  const service = slice('a/api', [z], [{ port: 81 }, { port: 53, protocol: 'UDP' }, { name: 'any', port: null }]);
  const reaches = (protocol: number, destinationPort: number, address: string = z): boolean =>
    isAllowed(
      calicoPolicy('a/p', { types: ['Egress'], egress: [{ action: 'Allow', destination: { services: { name: 'api' } } }] }),
      outOf('a/y', y, address, { protocol, destinationPort }),
      [service],
    );
  assert.deepEqual([reaches(6, 81), reaches(17, 53), reaches(6, 53), reaches(6, 80), reaches(6, 81, w)], [true, true, false, false, false]);
});

test('services: names instead of addresses, and slices of no service, are nobody', () => {
  const named = slice('a/api', ['example.com'], [{ port: 81 }], { addressType: 'FQDN' });
  const { labels: _, ...metadata } = slice('a/api', [z], []).metadata;
  assert.deepEqual(sources(from({ services: { name: 'api' } }), 'a', named, { ...slice('a/api', [z], []), metadata }), []);
});

test('an http match is left out where others enforce it', () => {
  const policy = calicoPolicy('a/p', { types: ['Ingress'], ingress: [{ action: 'Allow', http: { methods: ['GET'], paths: [{ prefix: '/' }, { exact: '/x' }] } }] });
  assert.ok(isAllowed(policy, into('a/x', y, '10.0.0.1'), [], { httpRules: 'Ignore' }));
});

test('annotations of rules mean nothing', () => {
  assert.deepEqual(sources({ metadata: { annotations: { note: 'any text' } } }, 'a'), [y, z, w, outside]);
});

test('all conditions are wanted, of both ends', () => {
  const rule = { protocol: 'TCP', source: { nets: ['10.0.0.0/8'], ports: [40000] }, destination: { nets: ['10.0.0.1/32'], ports: [80] } };
  const base = into('a/x', y, '10.0.0.1');
  assert.ok(admits(rule, base, 'a'));
  for (const other of [{ source: outside }, { protocol: 17 }, { sourcePort: 1 }, { destinationPort: 81 }]) assert.ok(!admits(rule, { ...base, ...other }, 'a'), JSON.stringify(other));
});

test('Log decides nothing', () => {
  const policy = calicoPolicy('a/p', { types: ['Ingress'], ingress: [{ action: 'Log' }, { action: 'Allow', source: { nets: [`${y}/32`] } }] });
  assert.ok(isAllowed(policy, into('a/x', y, '10.0.0.1')));
  assert.ok(!isAllowed(policy, into('a/x', z, '10.0.0.1')));
});

test('the first rule that matches decides, and is named', () => {
  const policy = calicoPolicy('a/p', { types: ['Ingress'], ingress: [{ action: 'Log' }, { action: 'Deny', source: { nets: [`${y}/32`] } }, { action: 'Allow' }] });
  const verdict = judge(world([...cluster, policy])).verdict(into('a/x', y, '10.0.0.1'));
  assert.deepEqual(verdict.decisions, [
    { direction: 'ingress', action: 'deny', reason: 'rule', endpoint: 'a/x', tier: 'default', policy: { kind: 'NetworkPolicy', namespace: 'a', name: 'p' }, rule: 1 },
  ]);
});

test('a packet from outside that touches no workload meets no pod’s policy', () => {
  assert.ok(isAllowed(globalPolicy('none', { selector: 'all()' }), packet(outside, '10.0.0.1')));
});
