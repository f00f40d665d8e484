import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from '../../src/model/packet.ts';
import type { World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { fromHost, interfaceOf, into, namespace, outOf, packet, pod, policy, toHost, world } from './small-world.ts';

/** "action reason" of each decision, e.g. ["allow profile", "deny end-of-tier"]. */
function decisions(where: World, what: Packet): readonly string[] {
  const verdict = judge(where).verdict(what);
  assert.equal(verdict.action, verdict.decisions.at(-1)?.action);
  return verdict.decisions.map(({ action, reason }) => `${action} ${reason}`);
}

const isolateEgress = policy('a/no-egress', { podSelector: {}, policyTypes: ['Egress'] });
const isolateIngress = policy('a/no-ingress', { podSelector: {}, policyTypes: ['Ingress'] });
const pods = [namespace('a'), pod('a/x', '10.0.0.1'), pod('a/y', '10.0.0.2'), pod('a/far', '10.0.1.1', { node: 'there' }), pod('a/starting', '')];
const between = { inInterface: interfaceOf('a/x'), outInterface: interfaceOf('a/y') };

test('traffic that touches no workload interface is not policed', () => {
  assert.deepEqual(decisions(world([...pods, isolateIngress]), packet('10.0.1.1', '10.0.0.1')), ['allow not-policed']);
  assert.deepEqual(decisions(world(pods), packet('192.0.2.1', '192.0.2.2', { connection: 'invalid' })), ['allow not-policed']);
});

test('the host may talk to any workload interface, even an unknown one', () => {
  assert.deepEqual(decisions(world([...pods, isolateIngress]), fromHost('a/x', '192.0.2.1', '10.0.0.1')), ['allow not-policed']);
  assert.deepEqual(decisions(world(pods), fromHost('a/unknown', '192.0.2.1', '10.0.0.1')), ['allow not-policed']);
});

test('without policies a pod may send and receive: its namespace allows', () => {
  assert.deepEqual(decisions(world(pods), outOf('a/x', '10.0.0.1', '192.0.2.1')), ['allow profile']);
  assert.deepEqual(decisions(world(pods), into('a/x', '192.0.2.1', '10.0.0.1')), ['allow profile']);
  assert.deepEqual(decisions(world(pods), packet('10.0.0.1', '10.0.0.2', between)), ['allow profile', 'allow profile']);
});

test('between two pods of the node both must allow, the sender first', () => {
  const traffic = packet('10.0.0.1', '10.0.0.2', between);
  assert.deepEqual(decisions(world([...pods, isolateIngress]), traffic), ['allow profile', 'deny end-of-tier']);
  assert.deepEqual(decisions(world([...pods, isolateEgress]), traffic), ['deny end-of-tier']);
});

test('a pod that reaches itself through the node passes both of its policies', () => {
  const hairpin = packet('10.0.0.1', '10.0.0.1', { inInterface: interfaceOf('a/x'), outInterface: interfaceOf('a/x') });
  assert.deepEqual(decisions(world([...pods, isolateIngress]), hairpin), ['allow profile', 'deny end-of-tier']);
});

test('an interface of the prefix that is no endpoint of this node is denied, even for established traffic', () => {
  for (const key of ['a/nobody', 'a/far', 'a/starting']) {
    assert.deepEqual(decisions(world(pods), outOf(key, '10.0.0.9', '192.0.2.1', { connection: 'established' })), ['deny unknown-interface'], key);
    assert.deepEqual(decisions(world(pods), into(key, '192.0.2.1', '10.0.0.9', { connection: 'established' })), ['deny unknown-interface'], key);
    assert.deepEqual(decisions(world(pods), toHost(key, '10.0.0.9', '192.0.2.1')), ['deny unknown-interface'], key);
  }
});

test('every prefix makes workload interfaces, and the first one names them', () => {
  const two = world(pods, { interfacePrefixes: ['veth', 'cali'] });
  const from = (inInterface: string): Packet => packet('10.0.0.1', '192.0.2.1', { inInterface });
  assert.deepEqual(decisions(two, from(interfaceOf('a/x', 'veth'))), ['allow profile']);
  assert.deepEqual(decisions(two, from(interfaceOf('a/x', 'cali'))), ['deny unknown-interface']);
  assert.deepEqual(decisions(two, from('eth1')), ['allow not-policed']);
});

test('a pod speaks with its own addresses only, whatever conntrack says', () => {
  for (const connection of ['new', 'established', 'related', 'invalid', 'untracked'] as const) {
    assert.deepEqual(decisions(world(pods), outOf('a/x', '10.0.0.2', '192.0.2.1', { connection })), ['deny spoofed'], connection);
  }
});

test('an address of the other family is not its own', () => {
  assert.deepEqual(decisions(world(pods), outOf('a/x', 'fd00::1', 'fd00::2')), ['deny spoofed']);
});

test('established and related traffic is allowed in spite of policies, invalid traffic denied in spite of none', () => {
  const closed = world([...pods, isolateEgress, isolateIngress]);
  for (const connection of ['established', 'related'] as const) {
    assert.deepEqual(decisions(closed, outOf('a/x', '10.0.0.1', '192.0.2.1', { connection })), ['allow conntrack'], connection);
    assert.deepEqual(decisions(closed, into('a/x', '192.0.2.1', '10.0.0.1', { connection })), ['allow conntrack'], connection);
  }
  assert.deepEqual(decisions(world(pods), outOf('a/x', '10.0.0.1', '192.0.2.1', { connection: 'invalid' })), ['deny conntrack']);
  assert.deepEqual(decisions(world(pods), into('a/x', '192.0.2.1', '10.0.0.1', { connection: 'invalid' })), ['deny conntrack']);
});

test('established traffic between two pods of the node is accepted at the sender; the receiver is not asked', () => {
  const traffic = packet('10.0.0.1', '10.0.0.2', { ...between, connection: 'established' });
  assert.deepEqual(decisions(world([...pods, isolateIngress]), traffic), ['allow conntrack']);
  assert.deepEqual(decisions(world(pods), { ...traffic, outInterface: interfaceOf('a/nobody') }), ['allow conntrack']);
});

test('established traffic to the host is accepted before the configured action', () => {
  const dropped = world(pods, { defaultEndpointToHostAction: 'DROP' });
  assert.deepEqual(decisions(dropped, { ...toHost('a/x', '10.0.0.1', '192.0.2.1'), connection: 'established' }), ['allow conntrack']);
});

test('untracked traffic is judged as new', () => {
  const closed = world([...pods, isolateEgress]);
  assert.deepEqual(decisions(closed, outOf('a/x', '10.0.0.1', '192.0.2.1', { connection: 'untracked' })), ['deny end-of-tier']);
});

test('pods may not send tunnel packets, but may receive them', () => {
  const vxlan = { protocol: 17, destinationPort: 4789 };
  const { sourcePort: _, destinationPort: __, ...ipip } = { ...outOf('a/x', '10.0.0.1', '192.0.2.1'), protocol: 4 };
  assert.deepEqual(decisions(world(pods), outOf('a/x', '10.0.0.1', '192.0.2.1', vxlan)), ['deny tunnel']);
  assert.deepEqual(decisions(world(pods), ipip), ['deny tunnel']);
  assert.deepEqual(decisions(world(pods), into('a/x', '192.0.2.1', '10.0.0.1', vxlan)), ['allow profile']);
  assert.deepEqual(decisions(world(pods), outOf('a/x', '10.0.0.1', '192.0.2.1', { destinationPort: 4789 })), ['allow profile']);
});

test('what a pod sends to its host passes its egress policy and then the configured action', () => {
  const traffic = toHost('a/x', '10.0.0.1', '192.0.2.1');
  assert.deepEqual(decisions(world(pods, { defaultEndpointToHostAction: 'ACCEPT' }), traffic), ['allow profile', 'allow endpoint-to-host']);
  assert.deepEqual(decisions(world(pods, { defaultEndpointToHostAction: 'DROP' }), traffic), ['allow profile', 'deny endpoint-to-host']);
  assert.deepEqual(decisions(world(pods, { defaultEndpointToHostAction: 'RETURN' }), traffic), ['allow profile', 'allow endpoint-to-host']);
  assert.deepEqual(decisions(world([...pods, isolateEgress]), traffic), ['deny end-of-tier']);
});

test('neighbour discovery to the host is always allowed', () => {
  const { sourcePort: _, destinationPort: __, ...solicitation } = { ...toHost('a/x', 'fe80::1', 'ff02::1:ff00:1'), protocol: 58 };
  assert.deepEqual(decisions(world(pods), { ...solicitation, icmp: { type: 135, code: 0 } }), ['allow endpoint-to-host']);
  assert.deepEqual(decisions(world(pods), { ...solicitation, icmp: { type: 128, code: 0 } }), ['deny spoofed']);
});

test('a decision names endpoint, tier, policy and rule', () => {
  const open = policy('a/open', { podSelector: {}, ingress: [{ ports: [{ port: 443 }] }, { ports: [{ port: 80 }] }] });
  assert.deepEqual(judge(world([...pods, open])).verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions, [
    {
      direction: 'ingress',
      action: 'allow',
      reason: 'rule',
      endpoint: 'a/x',
      tier: 'default',
      policy: { kind: 'NetworkPolicy', namespace: 'a', name: 'open' },
      rule: 1,
    },
  ]);
  assert.deepEqual(judge(world([...pods, isolateIngress])).verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions, [
    { direction: 'ingress', action: 'deny', reason: 'end-of-tier', endpoint: 'a/x', tier: 'default' },
  ]);
});

test('of two policies that allow, the first by name is named', () => {
  const open = (name: string): ReturnType<typeof policy> => policy(`a/${name}`, { podSelector: {}, ingress: [{}] });
  const decided = (...names: string[]): string | undefined =>
    judge(world([...pods, ...names.map(open)])).verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions[0]?.policy?.name;
  assert.equal(decided('b', 'c'), 'b');
  assert.equal(decided('c', 'b'), 'b');
  // The tie is broken by "name/namespace/kind", in which "-" comes before "/".
  assert.equal(decided('b', 'b-c'), 'b-c');
});

test('policies of other kinds and groups are not taken for NetworkPolicy', () => {
  for (const other of [{ apiVersion: 'example.com/v1' }, { kind: 'StagedKubernetesNetworkPolicy', apiVersion: 'crd.projectcalico.org/v1' }]) {
    assert.deepEqual(decisions(world([...pods, { ...isolateIngress, ...other }]), into('a/x', '192.0.2.1', '10.0.0.1')), ['allow profile']);
  }
});
