// The renderer alone: random tiers of random rules, in all that the calculation may say, against a plain reading of them. Both
// families, through the driver and a kernel in memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { contains, parseAddress, parseCidr } from '../../src/model/net/cidr.ts';
import type { ActiveEntity, ActiveRule, DesiredSet, EndpointTier } from '../../src/model/desired.ts';
import type { PortRange } from '../../src/model/net/port.ts';
import { protocolText } from '../../src/model/net/protocol.ts';
import type { Family, Packet } from '../../src/model/packet.ts';
import type { Action } from '../../src/model/verdict.ts';
import { loadKernel } from '../../src/simulate/kernel.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { Node } from '../dataplane/node.ts';
import { desired, endpoint, policy, profile, set, tier } from '../dataplane/objects.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import { runsOf, seedOf } from './seed.ts';

interface Pool {
  readonly sources: readonly string[];
  readonly pod: string;
  readonly nets: readonly string[];
  readonly icmp: number;
}

const pools: Readonly<Record<Family, Pool>> = {
  4: { sources: ['10.0.0.1', '10.0.0.2', '10.1.0.1', '192.0.2.1'], pod: '10.9.0.1', nets: ['10.0.0.0/24', '10.0.0.1/32', '10.0.0.0/8', '192.0.2.0/24', '0.0.0.0/0', 'fd00::/8', '10.9.0.1/32'], icmp: 1 },
  6: { sources: ['fd00::1', 'fd00::2', 'fd01::1', '2001:db8::1'], pod: 'fd09::1', nets: ['fd00::/64', 'fd00::1/128', 'fd00::/8', '2001:db8::/32', '::/0', '10.0.0.0/8', 'fd09::1/128'], icmp: 58 },
};

const netSets = ['s:a', 's:b', 's:c'] as const;
const portSets = ['n:a', 'n:b', 'n:c', 'n:d'] as const;
const numbers = [0, 53, 80, 443, 8080, 65_535] as const;
const withPorts = [6, 17, 132] as const;

interface Case {
  readonly tiers: readonly { readonly end: 'deny' | 'pass'; readonly policies: readonly (readonly ActiveRule[])[] }[];
  readonly sets: readonly DesiredSet[];
  readonly packets: readonly Packet[];
}

function caseOf(family: Family): fc.Arbitrary<Case> {
  const { sources, pod, nets, icmp } = pools[family];
  const some = <T>(values: readonly T[], maxLength: number): fc.Arbitrary<T[]> =>
    fc.oneof({ weight: 3, arbitrary: fc.constant<T[]>([]) }, { weight: 2, arbitrary: fc.array(fc.constantFrom(...values), { minLength: 1, maxLength }) });
  const range: fc.Arbitrary<PortRange> = fc.oneof(
    fc.constantFrom(...numbers).map((port) => ({ first: port, last: port })),
    fc.constantFrom({ first: 0, last: 100 }, { first: 80, last: 443 }, { first: 0, last: 65_535 }),
  );
  // More than a rule can say at once; what a packet has is anywhere among them.
  const many = [...numbers.slice(1), ...Array.from({ length: 45 }, (_, i) => 1_000 + i)].map((port) => ({ first: port, last: port }));
  const ranges = fc.oneof(
    { weight: 4, arbitrary: fc.constant<PortRange[]>([]) },
    { weight: 3, arbitrary: fc.array(range, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.shuffledSubarray(many, { minLength: 40 }) },
  );
  const entity = (hasPorts: boolean): fc.Arbitrary<ActiveEntity> =>
    fc.record({
      nets: some(nets, 3),
      notNets: some(nets, 3),
      sets: some(netSets, 2),
      notSets: some(netSets, 2),
      ports: hasPorts ? ranges : fc.constant([]),
      notPorts: hasPorts ? ranges : fc.constant([]),
      portSets: hasPorts ? some(portSets, 3) : fc.constant([]),
      notPortSets: hasPorts ? fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, { weight: 2, arbitrary: fc.shuffledSubarray([...portSets], { minLength: 1 }) }) : fc.constant([]),
      serviceSets: some(portSets, 1),
    });
  const calm = fc.constant<ActiveEntity>({ nets: [], notNets: [], sets: [], notSets: [], ports: [], notPorts: [], portSets: [], notPortSets: [], serviceSets: [] });
  const ends = (hasPorts: boolean): fc.Arbitrary<ActiveEntity> => fc.oneof({ weight: 1, arbitrary: calm }, { weight: 2, arbitrary: entity(hasPorts) });
  const icmpMatch = fc.oneof(fc.record({ type: fc.constantFrom(8, 128) }), fc.record({ type: fc.constantFrom(8, 128), code: fc.constantFrom(0, 1) }));
  const action = fc.constantFrom('allow' as const, 'allow', 'deny', 'pass', 'log');
  const rule: fc.Arbitrary<ActiveRule> = fc.oneof(
    fc.record({ action, protocol: fc.constantFrom(...withPorts), source: ends(true), destination: ends(true), index: fc.constant(0), comments: some(['a=b', 'x="$(y)"'], 2) }),
    fc.record({ action, source: ends(false), destination: ends(false), index: fc.constant(0) }),
    fc.record({ action, notProtocol: fc.constantFrom(6, 17), ipVersion: fc.constantFrom(4 as const, 6 as const), source: ends(false), destination: ends(false), index: fc.constant(0) }),
    fc.record(
      { action, protocol: fc.constant(icmp), icmp: icmpMatch, notIcmp: icmpMatch, source: ends(false), destination: calm, index: fc.constant(0) },
      { requiredKeys: ['action', 'protocol', 'source', 'destination', 'index'] },
    ),
  );
  // A list at each end, and one of ports.
  const list = fc.shuffledSubarray(nets.filter((net) => !net.endsWith('/0')), { minLength: 2, maxLength: 3 });
  const lists = fc.record({ nets: list, notNets: fc.constant([]), sets: fc.constant([]), notSets: fc.constant([]), ports: fc.oneof(fc.constant([]), fc.shuffledSubarray(many, { minLength: 20, maxLength: 40 })), notPorts: fc.constant([]), portSets: fc.constant([]), notPortSets: fc.constant([]), serviceSets: fc.constant([]) });
  const manyLists = fc.record({ action, protocol: fc.constantFrom(...withPorts), source: lists, destination: lists, index: fc.constant(0) });
  const manyExcluded = fc.record({ action, protocol: fc.constantFrom(...withPorts), source: calm, destination: fc.tuple(calm, fc.shuffledSubarray(many, { minLength: 40 })).map(([none, notPorts]) => ({ ...none, notPorts })), index: fc.constant(0) });
  const rules = fc.array(fc.oneof({ weight: 6, arbitrary: rule }, { weight: 2, arbitrary: manyLists }, { weight: 1, arbitrary: manyExcluded }), { maxLength: 3 });
  const members = fc.tuple(
    ...netSets.map((id) => fc.subarray([...sources, ...nets.filter((net) => !/\/(0|32|128)$/.test(net) && net.includes(':') === (family === 6))]).map((list) => set(id, list))),
    ...portSets.map((id) =>
      fc
        .subarray([...sources, pod].flatMap((address) => withPorts.flatMap((protocol) => [53, 80].map((port) => `${address},${protocolText(protocol)}:${port}`))))
        .map((list) => set(id, list, { type: 'ip-port' })),
    ),
  );
  const packet: fc.Arbitrary<Packet> = fc
    .record({ source: fc.constantFrom(...sources), sourcePort: fc.constantFrom(...numbers), destinationPort: fc.constantFrom(...numbers), protocol: fc.constantFrom(...withPorts, icmp, 47), type: fc.constantFrom(8, 128, 3), code: fc.constantFrom(0, 1) })
    .map(({ source, sourcePort, destinationPort, protocol, type, code }) => ({
      family,
      source,
      destination: pod,
      protocol,
      ...(withPorts.some((each) => each === protocol) ? { sourcePort, destinationPort } : {}),
      ...(protocol === icmp ? { icmp: { type, code } } : {}),
      inInterface: 'eth0',
      outInterface: 'calia1',
      connection: 'new',
    }));
  const oneTier = fc.record({ end: fc.constantFrom('deny' as const, 'pass' as const), policies: fc.array(rules, { minLength: 1, maxLength: 2 }) });
  return fc.record({ tiers: fc.array(oneTier, { maxLength: 3 }), sets: members, packets: fc.array(packet, { minLength: 25, maxLength: 25 }) });
}

// The plain reading.

function expectedOf({ tiers, sets }: Case, packet: Packet): Action {
  for (const { end, policies } of tiers) {
    const decided = policies.flat().find((rule) => rule.action !== 'log' && matches(rule, packet, sets));
    if (decided?.action === 'allow') return 'allow';
    if (decided?.action === 'deny') return 'deny';
    if (decided === undefined && end === 'deny') return 'deny';
  }
  // The profile allows.
  return 'allow';
}

function matches(rule: ActiveRule, packet: Packet, sets: readonly DesiredSet[]): boolean {
  const { icmp, notIcmp } = rule;
  if (rule.ipVersion !== undefined && rule.ipVersion !== packet.family) return false;
  if (rule.protocol !== undefined && rule.protocol !== packet.protocol) return false;
  if (rule.notProtocol !== undefined && rule.notProtocol === packet.protocol) return false;
  const isSame = (match: NonNullable<typeof icmp>): boolean => packet.icmp?.type === match.type && (match.code === undefined || packet.icmp.code === match.code);
  if ((icmp !== undefined && !isSame(icmp)) || (notIcmp !== undefined && isSame(notIcmp))) return false;
  const member = (id: string, end: 'source' | 'destination'): boolean => {
    const port = end === 'source' ? packet.sourcePort : packet.destinationPort;
    return (sets.find((each) => each.id === id)?.members ?? []).some((entry) => {
      const [net = '', service] = entry.split(',');
      return covers(net, packet[end]) && (service === undefined || service === `${protocolText(packet.protocol)}:${port}`);
    });
  };
  return (['source', 'destination'] as const).every((end) => {
    const entity = rule[end];
    const port = (end === 'source' ? packet.sourcePort : packet.destinationPort) ?? -1;
    const inside = ({ first, last }: PortRange): boolean => first <= port && port <= last;
    return (
      (entity.nets.length === 0 || entity.nets.some((net) => covers(net, packet[end]))) &&
      // One that names networks of the other family alone is about that family.
      (entity.notNets.length === 0 || entity.notNets.some((net) => net.includes(':') === (packet.family === 6))) &&
      !entity.notNets.some((net) => covers(net, packet[end])) &&
      entity.sets.every((id) => member(id, end)) &&
      !entity.notSets.some((id) => member(id, end)) &&
      (entity.ports.length + entity.portSets.length === 0 || entity.ports.some(inside) || entity.portSets.some((id) => member(id, end))) &&
      !entity.notPorts.some(inside) &&
      !entity.notPortSets.some((id) => member(id, end)) &&
      entity.serviceSets.every((id) => member(id, end))
    );
  });
}

function covers(net: string, address: string): boolean {
  const cidr = parseCidr(net);
  const parsed = parseAddress(address);
  return cidr !== undefined && parsed !== undefined && contains(cidr, parsed);
}

for (const family of [4, 6] as const) {
  const seed = seedOf();
  test(`what is rendered for IPv${family} decides as the rules read (seed ${seed})`, async () => {
    let allowed = 0;
    let judged = 0;
    await fc.assert(
      fc.asyncProperty(caseOf(family), async (drawn) => {
        const kernel = new FakeKernel();
        const node = await new Node(kernel, {}, { ruleTools: [kernel.ruleTool(family)] }).start();
        const policies = drawn.tiers.flatMap((each, i) => each.policies.map((ingress, j) => policy(`p${i}-${j}`, { ingress })));
        const tiers: EndpointTier[] = drawn.tiers.map(({ end, policies: list }, i) => tier({ name: `t${i}`, defaultAction: end, ingress: list.map((_, j) => `knp/default/p${i}-${j}`) }));
        await node.update(desired({ addedSets: drawn.sets, policies, profiles: [profile('kns.default')], endpoints: [endpoint('web', 'a1', { addresses: [pools[family].pod], tiers })] }));
        assert.deepEqual(node.messages('error'), []);
        const text = kernel.rulesText('filter', family);
        const linked = loadKernel({ [family === 4 ? 'ipv4' : 'ipv6']: text, sets: kernel.setsText() });
        for (const packet of drawn.packets) {
          const expected = expectedOf(drawn, packet);
          const { action, trace } = simulate(linked, packet);
          judged += 1;
          if (expected === 'allow') allowed += 1;
          assert.equal(action, expected, `${JSON.stringify(packet)}\n${trace.map((rule) => rule.text).join('\n')}\n${text}`);
        }
        await node.driver.stop();
      }),
      { seed, numRuns: runsOf(300) },
    );
    assert.ok(allowed > 0.15 * judged && allowed < 0.85 * judged, `${allowed} of ${judged} packets are allowed`);
  });
}
