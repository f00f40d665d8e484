import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { calicoPolicy, fromHost, globalPolicy, hostEndpoint, interfaceOf, into, namespace, networkSet, outOf, packet, pod, policy, tier, toHost, world } from './small-world.ts';

const cluster: readonly WireObject[] = [namespace('a'), pod('a/x', '10.0.0.1')];
const node = '192.0.2.9';
const peer = '198.51.100.1';
const eth0 = hostEndpoint('eth0', { interfaceName: 'eth0', expectedIPs: [node] }, { role: 'node' });
const every = hostEndpoint('every', { interfaceName: '*' }, { role: 'node' });
const allow = [{ action: 'Allow' }];
const deny = [{ action: 'Deny' }];

function received(rest: Partial<Packet> = {}): Packet {
  const { outInterface: _, ...received } = packet(peer, node, rest);
  return received;
}

function sent(rest: Partial<Packet> = {}): Packet {
  const { inInterface: _, ...sent } = packet(node, peer, rest);
  return sent;
}

/** "direction action reason" of each decision. */
function decisions(what: Packet, objects: readonly WireObject[], options: Partial<World['options']> = {}): readonly string[] {
  const judged = judge(world([...cluster, ...objects], options));
  assert.deepEqual(judged.invalid, []);
  const verdict = judged.verdict(what);
  assert.equal(verdict.action, verdict.decisions.at(-1)?.action);
  return verdict.decisions.map(({ direction, action, reason }) => `${direction} ${action} ${reason}`);
}

test('an interface that is no host endpoint is not policed', () => {
  const closed = globalPolicy('p', {});
  assert.deepEqual(decisions(received(), [closed]), ['ingress allow not-policed']);
  assert.deepEqual(decisions(received({ inInterface: 'eth1' }), [closed, eth0]), ['ingress allow not-policed']);
  assert.deepEqual(decisions(received(), [closed, hostEndpoint('other', { node: 'there', interfaceName: 'eth0' })]), ['ingress allow not-policed']);
});

test('without policies a host endpoint denies what begins and ends at the host, unless a profile allows', () => {
  assert.deepEqual(decisions(received(), [eth0]), ['ingress deny no-profile']);
  assert.deepEqual(decisions(sent(), [eth0]), ['egress deny no-profile']);
  const withProfile = (...profiles: readonly string[]): readonly string[] => decisions(received(), [hostEndpoint('eth0', { interfaceName: 'eth0', profiles })]);
  assert.deepEqual(withProfile('projectcalico-default-allow'), ['ingress allow profile']);
  assert.deepEqual(withProfile('kns.a'), ['ingress allow profile']);
  assert.deepEqual(withProfile('kns.gone', 'kns.a'), ['ingress deny no-profile']);
  assert.deepEqual(withProfile('ksa.a.default', 'kns.a'), ['ingress deny no-profile']);
});

test('a profile of a service account has no rules', () => {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'my.default', namespace: 'a' } };
  assert.deepEqual(decisions(received(), [account, hostEndpoint('eth0', { interfaceName: 'eth0', profiles: ['ksa.a.my.default', 'kns.a'] })]), ['ingress allow profile']);
});

test('global policies that select it decide; those of namespaces and of Kubernetes never do', () => {
  assert.deepEqual(decisions(received(), [eth0, globalPolicy('p', { selector: 'role == "node"', ingress: allow })]), ['ingress allow rule']);
  assert.deepEqual(decisions(sent(), [eth0, globalPolicy('p', { selector: 'role == "node"', ingress: allow })]), ['egress deny end-of-tier']);
  assert.deepEqual(decisions(received(), [eth0, globalPolicy('p', { selector: 'role == "other"', ingress: allow })]), ['ingress deny no-profile']);
  assert.deepEqual(decisions(received(), [eth0, globalPolicy('p', { namespaceSelector: 'all()', ingress: allow })]), ['ingress deny no-profile']);
  assert.deepEqual(decisions(received(), [eth0, calicoPolicy('a/p', { ingress: allow }), policy('a/q', { podSelector: {}, ingress: [{}] })]), ['ingress deny no-profile']);
});

test('it is matched by the name of the interface, by an expected address, or by "*" where nothing else is', () => {
  const open = globalPolicy('p', { ingress: allow });
  const named = (what: Packet, objects: readonly WireObject[], options: Partial<World['options']> = {}): string | undefined =>
    judge(world([...objects, open], options)).verdict(what).decisions[0]?.endpoint;
  const byAddress = hostEndpoint('by-address', { expectedIPs: [node] });
  const hostInterfaces = { eth0: ['192.0.2.1'], eth1: [node, 'fd00::9'] };
  assert.equal(named(received(), [eth0, every]), 'eth0');
  assert.equal(named(received({ inInterface: 'eth1' }), [eth0, every]), 'every');
  assert.equal(named(received({ inInterface: 'eth1' }), [byAddress, every], { hostInterfaces }), 'by-address');
  assert.equal(named(received(), [byAddress], { hostInterfaces }), undefined);
  assert.equal(named(received(), [eth0, hostEndpoint('a-first', { interfaceName: 'eth0' })]), 'a-first');
});

test('conntrack comes before failsafe ports, and those before policies', () => {
  const closed = [eth0, globalPolicy('p', { ingress: deny, egress: deny })];
  const options = { failsafeInbound: [{ protocol: 6, port: 22 }, { protocol: 6, port: 80, net: '203.0.113.0/24' }], failsafeOutbound: [{ protocol: 17, port: 53 }] };
  assert.deepEqual(decisions(received({ connection: 'established' }), closed, options), ['ingress allow conntrack']);
  assert.deepEqual(decisions(received({ connection: 'invalid', destinationPort: 22 }), closed, options), ['ingress deny conntrack']);
  assert.deepEqual(decisions(received({ destinationPort: 22 }), closed, options), ['ingress allow failsafe']);
  assert.deepEqual(decisions(received({ destinationPort: 80 }), closed, options), ['ingress deny rule']);
  assert.deepEqual(decisions({ ...received({ destinationPort: 80 }), source: '203.0.113.5' }, closed, options), ['ingress allow failsafe']);
  assert.deepEqual(decisions(sent({ protocol: 17, destinationPort: 53 }), closed, options), ['egress allow failsafe']);
  assert.deepEqual(decisions(sent({ destinationPort: 22 }), closed, options), ['egress deny rule']);
});

test('forwarded traffic is asked about policies with applyOnForward only, and passes where there are none', () => {
  const through = packet(peer, '10.9.9.9', { outInterface: 'eth1' });
  assert.deepEqual(decisions(through, [eth0, globalPolicy('p', {})]), ['ingress allow not-policed']);
  assert.deepEqual(decisions(through, [eth0, globalPolicy('p', { applyOnForward: true, types: ['Ingress'] })]), ['ingress deny end-of-tier']);
  assert.deepEqual(decisions(through, [eth0, globalPolicy('p', { applyOnForward: true, ingress: allow })]), ['ingress allow rule']);
  const outward = packet('10.9.9.9', peer, { inInterface: 'eth1' });
  assert.deepEqual(decisions(outward, [eth0, globalPolicy('p', { applyOnForward: true, types: ['Egress'], egress: deny })]), ['egress deny rule']);
  assert.deepEqual(decisions(through, [eth0, globalPolicy('p', { applyOnForward: true, types: ['Ingress'], ingress: [{ action: 'Pass' }] })]), ['ingress allow not-policed']);
});

test('what is forwarded to and from pods passes both the host’s and the pods’ policies', () => {
  const forward = globalPolicy('p', { selector: 'role == "node"', applyOnForward: true, ingress: allow, egress: allow });
  const closedPods = globalPolicy('q', { namespaceSelector: 'all()', types: ['Ingress'] });
  assert.deepEqual(decisions(into('a/x', peer, '10.0.0.1'), [eth0, forward]), ['ingress allow rule', 'ingress allow profile']);
  assert.deepEqual(decisions(into('a/x', peer, '10.0.0.1'), [eth0, forward, closedPods]), ['ingress allow rule', 'ingress deny end-of-tier']);
  assert.deepEqual(decisions(outOf('a/x', '10.0.0.1', peer), [eth0, forward]), ['egress allow profile', 'egress allow rule']);
});

test('"*" is about workload interfaces, too, of what is forwarded', () => {
  const forward = globalPolicy('p', { selector: 'role == "node"', applyOnForward: true, types: ['Ingress'], ingress: deny });
  const between = packet('10.0.0.1', '10.0.0.1', { inInterface: interfaceOf('a/x'), outInterface: interfaceOf('a/x') });
  assert.deepEqual(decisions(between, [every, forward]), ['ingress deny rule']);
  assert.deepEqual(decisions(between, [eth0, forward]), ['egress allow profile', 'ingress allow profile']);
});

test('the host may talk to its own pods, and pods to it, whatever host endpoints there are', () => {
  const closed = [every, globalPolicy('p', { selector: 'role == "node"', ingress: deny, egress: deny })];
  assert.deepEqual(decisions(fromHost('a/x', node, '10.0.0.1'), closed), ['egress allow not-policed']);
  assert.deepEqual(decisions(toHost('a/x', '10.0.0.1', node), closed), ['egress allow profile', 'egress allow endpoint-to-host']);
});

const untracked = (spec: Record<string, unknown>): WireObject => globalPolicy('untracked', { selector: 'role == "node"', doNotTrack: true, applyOnForward: true, ...spec });

test('untracked policies decide before conntrack; what they allow meets no other policy of the host', () => {
  const closed = globalPolicy('p', { ingress: deny, egress: deny });
  assert.deepEqual(decisions(received(), [eth0, closed, untracked({ ingress: allow })]), ['ingress allow rule']);
  assert.deepEqual(decisions(received({ connection: 'established' }), [eth0, untracked({ ingress: deny })]), ['ingress deny rule']);
  assert.deepEqual(decisions(sent(), [eth0, closed, untracked({ egress: allow })]), ['egress allow rule']);
});

test('untracked policies that say nothing leave it to the others', () => {
  const rule = [{ action: 'Allow', protocol: 'UDP' }];
  assert.deepEqual(decisions(received(), [eth0, untracked({ ingress: rule }), globalPolicy('p', { ingress: allow })]), ['ingress allow rule']);
  assert.deepEqual(decisions(received(), [eth0, untracked({ ingress: rule })]), ['ingress deny no-profile']);
});

test('a packet that was let in untracked is new to a pod, whatever conntrack says', () => {
  const pods = globalPolicy('q', { namespaceSelector: 'all()', types: ['Ingress'] });
  assert.deepEqual(decisions(into('a/x', peer, '10.0.0.1', { connection: 'established' }), [eth0, pods, untracked({ ingress: allow })]), ['ingress allow rule', 'ingress deny end-of-tier']);
});

test('"*" knows no untracked policies', () => {
  assert.deepEqual(decisions(received(), [every, untracked({ ingress: allow })]), ['ingress deny no-profile']);
});

test('untracked replies of failsafe connections pass', () => {
  const options = { failsafeOutbound: [{ protocol: 17, port: 53 }] };
  const reply = received({ protocol: 17, sourcePort: 53, connection: 'untracked' });
  assert.deepEqual(decisions(reply, [eth0, untracked({ ingress: deny }), globalPolicy('p', { ingress: allow })], options), ['ingress allow rule']);
  assert.deepEqual(decisions(reply, [eth0, untracked({ ingress: deny })]), ['ingress deny rule']);
});

const preDnat = (rules: readonly unknown[]): WireObject => globalPolicy('pre', { selector: 'role == "node"', preDNAT: true, applyOnForward: true, types: ['Ingress'], ingress: rules });

test('pre-DNAT policies decide before it is known where a packet goes; what they allow meets no other policy of the host', () => {
  const closed = globalPolicy('p', { selector: 'role == "node"', applyOnForward: true, ingress: deny });
  for (const host of [eth0, every]) {
    assert.deepEqual(decisions(received(), [host, closed, preDnat(allow)]), ['ingress allow rule']);
    assert.deepEqual(decisions(received(), [host, preDnat(deny)]), ['ingress deny rule']);
    assert.deepEqual(decisions(into('a/x', peer, '10.0.0.1'), [host, preDnat(deny)]), ['ingress deny rule']);
    assert.deepEqual(decisions(received({ connection: 'established' }), [host, preDnat(deny)]), ['ingress allow conntrack']);
    assert.deepEqual(decisions(received(), [host, preDnat([]), globalPolicy('q', { ingress: allow })]), ['ingress allow rule']);
  }
  assert.deepEqual(decisions(into('a/x', peer, '10.0.0.1', { connection: 'invalid' }), [eth0, preDnat(allow)]), ['ingress deny conntrack']);
});

test('tiers of host endpoints: Pass, order and end', () => {
  const first = tier('first', { order: 1 });
  const passing = globalPolicy('p', { tier: 'first', ingress: [{ action: 'Pass' }] });
  assert.deepEqual(decisions(received(), [eth0, first, passing, globalPolicy('q', { ingress: allow })]), ['ingress allow rule']);
  assert.deepEqual(decisions(sent(), [eth0, first, passing]), ['egress deny end-of-tier']);
});

test('a host endpoint is a peer by its expected addresses only', () => {
  const open = globalPolicy('p', { namespaceSelector: 'all()', types: ['Ingress'], ingress: [{ action: 'Allow', source: { selector: 'role == "node"' } }] });
  assert.deepEqual(decisions(into('a/x', node, '10.0.0.1'), [eth0, open]), ['ingress allow rule']);
  assert.deepEqual(decisions(into('a/x', node, '10.0.0.1'), [every, open], { hostInterfaces: { eth0: [node] } }), ['ingress deny end-of-tier']);
  const remote = hostEndpoint('remote', { node: 'there', interfaceName: 'eth0', expectedIPs: [peer, 'fd00::9'] }, { role: 'node' });
  assert.deepEqual(decisions(into('a/x', peer, '10.0.0.1'), [remote, open]), ['ingress allow rule']);
});

test('its labels: those of its profiles are inherited, its own come first, pretended ones do not count', () => {
  const selected = (selector: string, spec: Record<string, unknown>, labels: Record<string, string>): boolean => {
    const host = hostEndpoint('eth0', { interfaceName: 'eth0', ...spec }, labels);
    return decisions(received(), [namespace('b', { env: 'prod' }), host, globalPolicy('p', { selector, ingress: allow })]).includes('ingress allow rule');
  };
  assert.ok(selected('pcns.env == "prod"', { profiles: ['kns.b'] }, {}));
  assert.ok(!selected('pcns.env == "prod"', {}, { 'pcns.env': 'prod' }));
  assert.ok(!selected('has(projectcalico.org/namespace)', { profiles: ['kns.b'] }, { 'projectcalico.org/namespace': 'b' }));
});

test('a broken host endpoint is absent, and named', () => {
  const fields = (object: WireObject): readonly string[] => judge(world([object])).invalid.map(({ field }) => field);
  const broken: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ node: '', interfaceName: 'eth0' }, 'spec.node'],
    [{}, 'spec'],
    [{ interfaceName: 'a name too long' }, 'spec.interfaceName'],
    [{ interfaceName: '*', expectedIPs: ['10.0.0.0/8'] }, 'spec.expectedIPs[0]'],
    [{ interfaceName: '*', profiles: [7] }, 'spec.profiles[0]'],
    [{ interfaceName: '*', interface: 'eth0' }, 'spec.interface'],
    [{ interfaceName: '*', ports: [{ name: 'x', protocol: 'TCP', port: 0 }] }, 'spec.ports[0].port'],
    [{ interfaceName: '*', ports: [{ name: 'x', protocol: 'ICMP', port: 1 }] }, 'spec.ports[0].protocol'],
    [{ interfaceName: '*', ports: [{ protocol: 'TCP', port: 1 }] }, 'spec.ports[0].name'],
  ];
  for (const [spec, field] of broken) {
    const host = hostEndpoint('host', spec);
    assert.deepEqual(fields(host), [field]);
    assert.equal(judge(world([host])).verdict(received()).decisions[0]?.reason, 'not-policed');
  }
});

test('network sets do not become hosts', () => {
  assert.deepEqual(decisions(received(), [networkSet('set', [node], { role: 'node' }), globalPolicy('p', { selector: 'role == "node"', ingress: deny })]), ['ingress allow not-policed']);
});

test('to selectors a broken host endpoint is everybody where it can only close, and nobody elsewhere', () => {
  const broken = hostEndpoint('h', { interfaceName: 'eth0', expectedIPs: ['192.0.2.1', '192.0.2.0/24'] }, { role: 'node' });
  const action = (verb: string, selector: string): string => {
    const policy = globalPolicy('p', { types: ['Ingress'], selector: 'projectcalico.org/orchestrator == "k8s"', ingress: [{ action: verb, source: { selector } }, ...(verb === 'Allow' ? [] : [{ action: 'Allow' }])] });
    return judge(world([namespace('a'), pod('a/x', '10.0.0.1'), broken, policy])).verdict(into('a/x', '198.51.100.1', '10.0.0.1', { inInterface: 'eth1' })).action;
  };
  assert.deepEqual([action('Allow', 'role == "node"'), action('Deny', 'role == "node"'), action('Pass', 'role == "node"'), action('Deny', 'role == "other"')], ['deny', 'deny', 'allow', 'allow']);
});
