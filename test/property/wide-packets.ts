// Random packets of both families aimed at a world with every kind of policy: from and to its local pods, and between them and
// whatever its objects name. Drawn as in packets.ts: as aims that are then taken against a world.

import * as fc from 'fast-check';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { interfaceOf } from './packets.ts';
import { outsideAddresses, portNumbers } from './vocabulary.ts';

const aim = fc.record({
  way: fc.constantFrom('between', 'between', 'in', 'in', 'out', 'out', 'passing'),
  /** One in three packets is of IPv6. */
  isSix: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  near: fc.nat(0xffff),
  far: fc.nat(0xffff),
  farIsPod: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  protocol: fc.oneof({ weight: 6, arbitrary: fc.constant(6) }, { weight: 3, arbitrary: fc.constant(17) }, { weight: 3, arbitrary: fc.constant('icmp' as const) }, { weight: 1, arbitrary: fc.constantFrom(132, 136, 47) }),
  port: fc.nat(0xffff),
  /** The port is one that the receiver offers, if it offers any. */
  isOffered: fc.boolean(),
  /** Some interfaces of the host are host endpoints. */
  hostInterface: fc.constantFrom('eth0', 'eth1', 'eth2'),
  sourcePort: fc.constantFrom(32768, 32999, 33000, 33001),
});
export type WideAim = typeof aim extends fc.Arbitrary<infer T> ? T : never;

export function wideAims(count: number): fc.Arbitrary<readonly WideAim[]> {
  return fc.array(aim, { minLength: count, maxLength: count, size: 'max' });
}

interface Target {
  readonly address: string;
  readonly interfaceName: string;
}

type Offer = readonly [protocol: number, port: number];

/** None where the world has no local pod of the family. */
export function wideAimed(world: World, aims: readonly WideAim[]): readonly Packet[] {
  const ranges = { 4: rangeOf(world, 4), 6: rangeOf(world, 6) };
  return aims.flatMap((drawn) => packetAt(ranges[drawn.isSix ? 6 : 4], drawn, drawn.isSix ? 6 : 4));
}

interface Range {
  readonly local: readonly Target[];
  readonly pods: readonly Target[];
  readonly others: readonly Target[];
  readonly ports: readonly number[];
  /** By address: ports of containers, of host endpoints and of services. */
  readonly offers: ReadonlyMap<string, readonly Offer[]>;
}

function rangeOf(world: World, family: 4 | 6): Range {
  const prefix = world.options.interfacePrefixes[0] ?? '';
  const pods = world.objects.filter((object) => object.kind === 'Pod');
  const targetsOf = (pod: WireObject): readonly Target[] => {
    const { podIPs = [] } = pod['status'] as { readonly podIPs?: readonly { readonly ip: string }[] };
    const addresses = podIPs.map(({ ip }) => canonical(ip)).filter((address) => isOf(address, family));
    return addresses.map((address) => ({ address, interfaceName: interfaceOf(prefix, pod) }));
  };
  const isLocal = (pod: WireObject): boolean => (pod['spec'] as { readonly nodeName?: string }).nodeName === world.node;
  const text = JSON.stringify(world.objects.filter((object) => object.kind !== 'Pod'));
  const named = [...text.matchAll(/"([0-9a-f:.]{3,40})(?:\/[0-9]{1,3})?"/g)].map(([, address = '']) => address).filter((address) => isOf(address, family));
  const numbers = [...text.matchAll(/"(?:port|number|start|end|ports|notPorts)":\[?"?([0-9]+)/g)].map(([, number]) => Number(number));
  const around = numbers.flatMap((number) => [number, number + 1]).filter((number) => number > 0 && number < 65536);
  const outside = family === 4 ? outsideAddresses : ['2001:db8::9', '2001:db8:1::1', 'fd00:66::1'];
  return {
    local: pods.filter(isLocal).flatMap(targetsOf),
    pods: pods.flatMap(targetsOf),
    others: [...outside, ...new Set(named)].map((address) => ({ address, interfaceName: 'eth0' })),
    ports: [...portNumbers, ...around, 8080, 8090, 8082, 5353, 2905, 7000],
    offers: offersOf(world),
  };
}

interface WirePort {
  readonly protocol?: string;
  readonly port?: number;
  readonly containerPort?: number;
}

function offersOf(world: World): ReadonlyMap<string, readonly Offer[]> {
  const offers = new Map<string, Offer[]>();
  const numbers: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, SCTP: 132 };
  const add = (addresses: readonly string[], ports: readonly WirePort[]): void => {
    const found = ports.flatMap(({ protocol = 'TCP', port, containerPort = port }): Offer[] => (containerPort === undefined || containerPort > 65_535 ? [] : [[numbers[protocol] ?? 6, containerPort]]));
    for (const address of addresses.map(canonical)) offers.set(address, [...(offers.get(address) ?? []), ...found]);
  };
  for (const object of world.objects) {
    const spec = object['spec'] as { readonly expectedIPs?: readonly string[]; readonly ports?: readonly WirePort[]; readonly containers?: readonly { readonly ports?: readonly WirePort[] }[] } | undefined;
    const status = object['status'] as { readonly podIPs?: readonly { readonly ip: string }[] } | undefined;
    const endpoints = object['endpoints'] as readonly { readonly addresses: readonly string[] }[] | undefined;
    if (object.kind === 'Pod') add((status?.podIPs ?? []).map(({ ip }) => ip), (spec?.containers ?? []).flatMap(({ ports = [] }) => ports));
    if (object.kind === 'HostEndpoint') add(spec?.expectedIPs ?? [], spec?.ports ?? []);
    if (object.kind === 'EndpointSlice') add((endpoints ?? []).flatMap(({ addresses }) => addresses), object['ports'] as readonly WirePort[]);
  }
  return offers;
}

function canonical(address: string): string {
  return address.replace(/:0:0::/, '::');
}

/** Canonical addresses only. */
function isOf(address: string, family: 4 | 6): boolean {
  if (family === 4) return /^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}$/.test(address) && address.split('.').every((octet) => Number(octet) < 256);
  return /^(fd00|2001:db8)[0-9a-f:]*$/.test(address) && !/:0:0:|:0::/.test(address);
}

function packetAt(range: Range, drawn: WideAim, family: 4 | 6): readonly Packet[] {
  const near = range.local[drawn.near % Math.max(1, range.local.length)];
  const peer = range.local[drawn.far % Math.max(1, range.local.length)];
  const candidates = drawn.farIsPod && range.pods.length > 0 ? range.pods : range.others;
  const far = candidates[drawn.far % candidates.length];
  if (near === undefined || peer === undefined || far === undefined) return [];
  const receiver = drawn.way === 'between' ? peer : drawn.way === 'out' ? far : near;
  const rest = { family, connection: 'new', ...transport(range, drawn, family, receiver) } as const;
  switch (drawn.way) {
    case 'between':
      return [{ ...rest, source: near.address, destination: peer.address, inInterface: near.interfaceName, outInterface: peer.interfaceName }];
    case 'in':
      return [{ ...rest, source: far.address, destination: near.address, inInterface: drawn.hostInterface, outInterface: near.interfaceName }];
    case 'passing':
      return [{ ...rest, source: far.address, destination: near.address, inInterface: drawn.hostInterface, outInterface: 'eth2' }];
    default:
      return [{ ...rest, source: near.address, destination: far.address, inInterface: near.interfaceName, outInterface: drawn.hostInterface }];
  }
}

function transport(range: Range, drawn: WideAim, family: 4 | 6, receiver: Target): Pick<Packet, 'protocol' | 'sourcePort' | 'destinationPort' | 'icmp'> {
  const icmp = [[8, 0], [0, 0], [3, 1], [3, 3]][drawn.port % 4] ?? [8, 0];
  if (drawn.protocol === 'icmp') return { protocol: family === 4 ? 1 : 58, icmp: { type: icmp[0] ?? 8, code: icmp[1] ?? 0 } };
  if (drawn.protocol === 47) return { protocol: 47 };
  const offers = drawn.isOffered ? (range.offers.get(receiver.address) ?? []) : [];
  const offer = offers[drawn.port % Math.max(1, offers.length)];
  if (offer !== undefined) return { protocol: offer[0], sourcePort: drawn.sourcePort, destinationPort: offer[1] };
  return { protocol: drawn.protocol, sourcePort: drawn.sourcePort, destinationPort: range.ports[drawn.port % range.ports.length] ?? 80 };
}
