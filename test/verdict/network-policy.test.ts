import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { into, namespace, outOf, pod, policy, world } from './small-world.ts';

const ports = {
  containers: [{ ports: [{ name: 'http', containerPort: 8080 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }, { containerPort: 9 }] }, {}],
  initContainers: [{ ports: [{ name: 'setup', containerPort: 7000, protocol: 'TCP' }] }],
};
const cluster: readonly WireObject[] = [
  namespace('shop', { env: 'prod' }),
  namespace('lab', { env: 'test' }),
  pod('shop/web', '10.0.0.1', { labels: { app: 'web' }, spec: ports }),
  pod('shop/db', '10.0.0.2', { labels: { app: 'db' } }),
  pod('lab/web', '10.0.1.1', { labels: { app: 'web' }, node: 'there', spec: { containers: [{ ports: [{ name: 'http', containerPort: 81 }] }] } }),
  pod('lab/plain', '10.0.1.2', { node: 'there' }),
  pod('orphan/web', '10.0.2.1', { labels: { app: 'web' }, node: 'there' }),
];

function isAllowed(packet: Packet, ...policies: readonly WireObject[]): boolean {
  const judged = judge(world([...cluster, ...policies]));
  assert.deepEqual(judged.invalid, []);
  return judged.verdict(packet).action === 'allow';
}

/** The sources that shop/web lets in: its two namesakes, its neighbour, an unlabelled pod, and an outside address. */
function sources(...peers: readonly unknown[]): readonly string[] {
  const open = policy('shop/open', { podSelector: {}, ingress: [{ from: peers }] });
  return ['10.0.0.2', '10.0.1.1', '10.0.1.2', '10.0.2.1', '192.0.2.1'].filter((source) => isAllowed(into('shop/web', source, '10.0.0.1'), open));
}

/** Those of the packets, "tcp 80" for short, that shop/web lets in with these ports. */
function admitted(list: unknown, ...packets: readonly string[]): readonly string[] {
  const open = policy('shop/open', { podSelector: {}, ingress: [{ ports: list }] });
  return packets.filter((text) => isAllowed(into('shop/web', '192.0.2.1', '10.0.0.1', shape(text)), open));
}

function shape(text: string): Partial<Packet> {
  const [name = '', port = '0'] = text.split(' ');
  return { protocol: { tcp: 6, udp: 17, sctp: 132 }[name] ?? 0, destinationPort: Number(port) };
}

const ping = { family: 4, source: '192.0.2.1', destination: '10.0.0.1', protocol: 1, icmp: { type: 8, code: 0 }, inInterface: 'eth0', connection: 'new' } as const;

test('only the selected pods are isolated, and only in the listed directions', () => {
  const deny = policy('shop/deny', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] });
  assert.ok(!isAllowed(into('shop/web', '192.0.2.1', '10.0.0.1'), deny));
  assert.ok(isAllowed(outOf('shop/web', '10.0.0.1', '192.0.2.1'), deny));
  assert.ok(isAllowed(into('shop/db', '192.0.2.1', '10.0.0.2'), deny));
});

test('a policy selects pods of its own namespace only', () => {
  const deny = policy('lab/deny', { podSelector: {} });
  assert.ok(isAllowed(into('shop/web', '192.0.2.1', '10.0.0.1'), deny));
});

test('without policyTypes a policy isolates ingress, and egress only when it has egress rules', () => {
  const out = outOf('shop/web', '10.0.0.1', '192.0.2.1');
  const elsewhere = [{ to: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }];
  assert.ok(!isAllowed(into('shop/web', '192.0.2.1', '10.0.0.1'), policy('shop/p', { podSelector: {}, egress: elsewhere })));
  assert.ok(!isAllowed(out, policy('shop/p', { podSelector: {}, egress: elsewhere })));
  assert.ok(isAllowed(out, policy('shop/p', { podSelector: {}, egress: [] })));
  assert.ok(isAllowed(out, policy('shop/p', { podSelector: {}, policyTypes: [] })));
});

test('rules of a direction that is not listed have no effect', () => {
  const p = policy('shop/p', { podSelector: {}, policyTypes: ['Ingress'], egress: [{ to: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }] });
  assert.ok(isAllowed(outOf('shop/web', '10.0.0.1', '192.0.2.1'), p));
});

test('policies add up: what any of them allows is allowed', () => {
  const one = policy('shop/one', { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] });
  const none = policy('shop/none', { podSelector: {} });
  assert.ok(isAllowed(into('shop/web', '192.0.2.1', '10.0.0.1'), none, one));
  assert.ok(!isAllowed(into('shop/web', '192.0.2.1', '10.0.0.1', { destinationPort: 81 }), none, one));
});

test('an empty rule allows everything, no rule nothing', () => {
  const inward = into('shop/web', '192.0.2.1', '10.0.0.1');
  assert.ok(isAllowed(inward, policy('shop/p', { podSelector: {}, ingress: [{}] })));
  assert.ok(isAllowed(inward, policy('shop/p', { podSelector: {}, ingress: [{ from: [], ports: [] }] })));
  assert.ok(!isAllowed(inward, policy('shop/p', { podSelector: {}, ingress: [] })));
});

test('a pod selector alone means pods of the policy\'s namespace', () => {
  assert.deepEqual(sources({ podSelector: {} }), ['10.0.0.2']);
  assert.deepEqual(sources({ podSelector: { matchLabels: { app: 'web' } } }), []);
});

test('a namespace selector alone means all pods of those namespaces', () => {
  assert.deepEqual(sources({ namespaceSelector: { matchLabels: { env: 'test' } } }), ['10.0.1.1', '10.0.1.2']);
  assert.deepEqual(sources({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } }), ['10.0.0.2']);
});

test('both selectors in one peer must match, in two peers either', () => {
  const namespaceSelector = { matchLabels: { env: 'test' } };
  const podSelector = { matchLabels: { app: 'web' } };
  assert.deepEqual(sources({ namespaceSelector, podSelector }), ['10.0.1.1']);
  assert.deepEqual(sources({ namespaceSelector }, { podSelector: { matchLabels: { app: 'db' } } }), ['10.0.0.2', '10.0.1.1', '10.0.1.2']);
});

test('an empty namespace selector means pods of every namespace that exists, and no other address', () => {
  assert.deepEqual(sources({ namespaceSelector: {} }), ['10.0.0.2', '10.0.1.1', '10.0.1.2']);
});

test('a negative namespace selector does not let in pods whose Namespace is absent', () => {
  assert.deepEqual(sources({ namespaceSelector: { matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }] } }), ['10.0.1.1', '10.0.1.2']);
  assert.deepEqual(sources({ namespaceSelector: { matchExpressions: [{ key: 'closed', operator: 'DoesNotExist' }] } }), ['10.0.0.2', '10.0.1.1', '10.0.1.2']);
});

test('a negative pod selector lets in pods without the label', () => {
  const podSelector = { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] };
  assert.deepEqual(sources({ namespaceSelector: {}, podSelector }), ['10.0.0.2', '10.0.1.2']);
});

test('an address block means every address in it, pods included, except the holes', () => {
  assert.deepEqual(sources({ ipBlock: { cidr: '10.0.0.0/8' } }), ['10.0.0.2', '10.0.1.1', '10.0.1.2', '10.0.2.1']);
  assert.deepEqual(sources({ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/16'] } }), ['192.0.2.1']);
  assert.deepEqual(sources({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/24', '10.0.1.2/32'] } }), ['10.0.1.1', '10.0.2.1']);
  assert.deepEqual(sources({ ipBlock: { cidr: '10.0.1.99/24' } }), ['10.0.1.1', '10.0.1.2']);
});

test('a hole of one block does not close another block', () => {
  assert.deepEqual(sources({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.1.0/24'] } }, { ipBlock: { cidr: '10.0.1.2/32' } }), ['10.0.0.2', '10.0.1.2', '10.0.2.1']);
});

test('on egress the peers are destinations', () => {
  const p = policy('shop/p', { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: { matchLabels: { app: 'db' } } }] }] });
  assert.ok(isAllowed(outOf('shop/web', '10.0.0.1', '10.0.0.2'), p));
  assert.ok(!isAllowed(outOf('shop/web', '10.0.0.1', '10.0.1.1'), p));
});

test('ports are of one protocol, TCP unless said otherwise', () => {
  assert.deepEqual(admitted([{ port: 53 }], 'tcp 53', 'udp 53', 'sctp 53', 'tcp 54'), ['tcp 53']);
  assert.deepEqual(admitted([{ port: 53, protocol: 'UDP' }], 'tcp 53', 'udp 53', 'sctp 53'), ['udp 53']);
  assert.deepEqual(admitted([{ port: 53, protocol: 'SCTP' }, { port: 53, protocol: null }], 'tcp 53', 'udp 53', 'sctp 53'), ['tcp 53', 'sctp 53']);
});

test('a protocol without a port means all its ports', () => {
  assert.deepEqual(admitted([{ protocol: 'UDP' }], 'udp 1', 'udp 65535', 'tcp 1'), ['udp 1', 'udp 65535']);
  assert.deepEqual(admitted([{}], 'udp 1', 'tcp 65535'), ['tcp 65535']);
  assert.deepEqual(admitted([{ port: 80 }, { protocol: 'TCP' }], 'tcp 80', 'tcp 81'), ['tcp 80', 'tcp 81']);
});

test('endPort makes an inclusive range', () => {
  assert.deepEqual(admitted([{ port: 100, endPort: 102 }], 'tcp 99', 'tcp 100', 'tcp 102', 'tcp 103'), ['tcp 100', 'tcp 102']);
  assert.deepEqual(admitted([{ port: 65535, endPort: 65535 }], 'tcp 65534', 'tcp 65535'), ['tcp 65535']);
});

test('without ports every protocol is meant', () => {
  const to = { ...ping, outInterface: into('shop/web', '', '').outInterface ?? '' };
  assert.ok(isAllowed(to, policy('shop/p', { podSelector: {}, ingress: [{ ports: [] }] })));
  assert.ok(!isAllowed(to, policy('shop/p', { podSelector: {}, ingress: [{ ports: [{ protocol: 'TCP' }, { protocol: 'UDP' }, { protocol: 'SCTP' }] }] })));
});

test('peers and ports of one rule are both wanted', () => {
  const p = policy('shop/p', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }, { from: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 81 }] }] });
  const reaches = (source: string, destinationPort: number): boolean => isAllowed(into('shop/web', source, '10.0.0.1', { destinationPort }), p);
  assert.deepEqual([reaches('10.0.0.2', 80), reaches('10.0.0.2', 81), reaches('192.0.2.1', 80), reaches('192.0.2.1', 81)], [true, false, false, true]);
});

test('on ingress a name is looked up on the receiving pod, init containers included', () => {
  assert.deepEqual(admitted([{ port: 'http' }], 'tcp 8080', 'tcp 81', 'udp 8080'), ['tcp 8080']);
  assert.deepEqual(admitted([{ port: 'dns', protocol: 'UDP' }, { port: 'dns' }], 'udp 53', 'tcp 53'), ['udp 53']);
  assert.deepEqual(admitted([{ port: 'setup' }], 'tcp 7000'), ['tcp 7000']);
  assert.deepEqual(admitted([{ port: 'none' }], 'tcp 8080', 'tcp 9'), []);
});

test('of several pods that share the receiving address any one may offer the name', () => {
  const twin = pod('lab/twin', '10.0.0.1', { node: 'there', spec: { containers: [{ ports: [{ name: 'http', containerPort: 82 }] }] } });
  const open = policy('shop/open', { podSelector: {}, ingress: [{ ports: [{ port: 'http' }] }] });
  const inward = into('shop/web', '192.0.2.1', '10.0.0.1', { destinationPort: 82 });
  assert.ok(!isAllowed(inward, open));
  assert.ok(isAllowed(inward, open, twin));
});

test('on egress a name is looked up on the pods that the peer means', () => {
  const reaches = (peer: unknown, destination: string, destinationPort: number): boolean =>
    isAllowed(
      outOf('shop/db', '10.0.0.2', destination, { destinationPort }),
      policy('shop/p', { podSelector: {}, policyTypes: ['Egress'], egress: [{ ...(peer === undefined ? {} : { to: [peer] }), ports: [{ port: 'http' }] }] }),
    );
  const everywhere = { namespaceSelector: {} };
  assert.deepEqual([reaches(everywhere, '10.0.0.1', 8080), reaches(everywhere, '10.0.1.1', 81), reaches(everywhere, '10.0.1.1', 8080)], [true, true, false]);
  assert.ok(!reaches({ podSelector: {} }, '10.0.1.1', 81));
});

test('on egress without pods in the peer a name is looked up on whichever pod has the address', () => {
  const reaches = (peers: readonly unknown[], destination: string, destinationPort: number): boolean =>
    isAllowed(
      outOf('shop/db', '10.0.0.2', destination, { destinationPort }),
      policy('shop/p', { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: peers, ports: [{ port: 'http' }] }] }),
    );
  assert.deepEqual([reaches([], '10.0.1.1', 81), reaches([], '192.0.2.1', 81)], [true, false]);
  assert.deepEqual([reaches([{ ipBlock: { cidr: '10.0.1.0/24' } }], '10.0.1.1', 81), reaches([{ ipBlock: { cidr: '10.9.0.0/16' } }], '10.0.1.1', 81)], [true, false]);
});

test('pods of an absent Namespace are denied where no policy applies, and policed where one does', () => {
  const orphan = pod('gone/x', '10.0.3.1');
  assert.ok(!isAllowed(outOf('gone/x', '10.0.3.1', '192.0.2.1'), orphan));
  assert.ok(isAllowed(outOf('gone/x', '10.0.3.1', '192.0.2.1'), orphan, policy('gone/p', { podSelector: {}, policyTypes: ['Egress'], egress: [{}] })));
});

test('IPv6 is judged like IPv4, and blocks of one family say nothing about the other', () => {
  const dual = pod('shop/dual', '', { status: { podIPs: [{ ip: '10.0.0.9' }, { ip: 'fd00::9' }] } });
  const p = policy('shop/p', { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 'fd00:1::/32', except: ['fd00:1:0:1::/64'] } }] }] });
  const reaches = (source: string, destination: string): boolean => isAllowed(into('shop/dual', source, destination), dual, p);
  assert.deepEqual([reaches('fd00:1::1', 'fd00::9'), reaches('fd00:1:0:1::1', 'fd00::9'), reaches('192.0.2.1', '10.0.0.9')], [true, false, false]);
});
