// Every shape of rule that the renderer knows, at its largest, for either family: what fakes, simulation and real kernels must take.

import type { ActivePolicy, ActiveRule, Desired, DesiredSet } from '../../src/model/desired.ts';
import type { Family } from '../../src/model/packet.ts';
import { desired, endpoint, entity, policy, ports, profile, rule, set, tier } from './objects.ts';

interface Words {
  readonly nets: readonly [string, string];
  readonly inner: readonly [string, string];
  readonly address: string;
  readonly icmp: number;
}

const words: Readonly<Record<Family, Words>> = {
  4: { nets: ['10.0.0.0/8', '192.168.0.0/16'], inner: ['10.1.0.0/16', '10.2.0.0/16'], address: '10.0.0.9', icmp: 1 },
  6: { nets: ['fd00::/8', '2001:db8::/32'], inner: ['fd01::/16', 'fd02::/16'], address: 'fd00::9', icmp: 58 },
};

/** As many as the API takes. */
const fifty = Array.from({ length: 50 }, (_, i) => i);
const ranges = ports(...fifty.map((i) => [1_000 + 10 * i, 1_005 + 10 * i] as const));
const manyNames = fifty.map((i) => `n:${i}`);

function rules(family: Family): ActiveRule[] {
  const { nets, inner, icmp } = words[family];
  const everywhere = entity({ nets, notNets: inner, sets: ['s:a', 's:b'], notSets: ['s:c'], ports: ranges, portSets: ['n:0', 'n:1'], notPorts: ranges, notPortSets: manyNames });
  return [
    rule({ protocol: 6, source: everywhere, destination: everywhere, comments: Array.from({ length: 60 }, (_, i) => `key-${i}="v\\${i}$(é)"`) }),
    rule({ protocol: 17, source: entity({ sets: ['s:a'] }), destination: entity({ serviceSets: ['svc:a'] }), comments: [`long=${'x'.repeat(400)}`, ''] }),
    rule({ source: entity({ serviceSets: ['svc:a'] }) }),
    rule({ action: 'deny', destination: entity({ serviceSets: ['svcd:a'] }) }),
    rule({ action: 'pass', protocol: 132, source: entity({ notNets: nets }), destination: entity({ nets, notNets: [inner[0]] }) }),
    rule({ action: 'pass', notProtocol: 6, comments: ['owner=team a'] }),
    rule({ action: 'deny', protocol: icmp, icmp: { type: 128, code: 0 }, notIcmp: { type: 3, code: 4 } }),
    rule({ action: 'log', protocol: icmp, notIcmp: { type: 8 }, source: entity({ nets }) }),
    rule({ action: 'log', comments: ['why=because'] }),
    rule({ protocol: 136, destination: entity({ ports: ports(0, [0, 65_535]) }) }),
    rule({ protocol: 47, ipVersion: family }),
    rule({ ipVersion: family === 4 ? 6 : 4 }),
    rule({}),
  ];
}

export function shapes(family: Family): Desired {
  const { address } = words[family];
  const all: ActivePolicy[] = (['first', 'second', 'third'] as const).map((name) => policy(name, { tier: name, ingress: rules(family), egress: rules(family).toReversed() }));
  const keys = all.map(({ key }) => key);
  const sets: DesiredSet[] = [
    set('s:a', [address]),
    set('s:b', [family === 4 ? '0.0.0.0/1' : '8000::/1']),
    set('s:c', [], { use: 'deny' }),
    set('svc:a', [`${address},tcp:80`, `${address},sctp:7`], { type: 'ip-port' }),
    set('svcd:a', [`${address},udp:53`], { type: 'ip-port', use: 'deny' }),
    ...manyNames.map((id) => set(id, [`${address},tcp:80`], { type: 'ip-port' })),
  ];
  return desired({
    addedSets: sets,
    policies: all,
    profiles: [profile('kns.default')],
    endpoints: [
      endpoint('web', 'a1', {
        addresses: [address],
        tiers: keys.map((key, i) => tier({ name: `tier-${i}`, defaultAction: i === 1 ? 'pass' : 'deny', ingress: [key], egress: [key] })),
      }),
    ],
  });
}
