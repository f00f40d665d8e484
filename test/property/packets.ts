// Random packets aimed at a world: at its pods, the edges of its blocks and the ports of its rules.
//
// A packet is drawn as an aim (small numbers that know nothing of the world) and then taken against a world, so that a failing
// world can shrink while its packets stay aimed at it.

import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { edges, toAddress } from './ipv4.ts';
import { chance, offeredPorts, outsideAddresses, portNumbers } from './vocabulary.ts';
import type { OfferedPort } from './vocabulary.ts';

const way = fc.oneof(
  { weight: 30, arbitrary: fc.constant('local-to-local' as const) },
  { weight: 28, arbitrary: fc.constant('into-local' as const) },
  { weight: 28, arbitrary: fc.constant('out-of-local' as const) },
  { weight: 6, arbitrary: fc.constant('local-to-host' as const) },
  { weight: 3, arbitrary: fc.constant('host-to-local' as const) },
  { weight: 2, arbitrary: fc.constant('passing' as const) },
);
const connection = fc.oneof(
  { weight: 90, arbitrary: fc.constant('new' as const) },
  { weight: 10, arbitrary: fc.constantFrom('established', 'related', 'invalid', 'untracked') },
);
const protocol = fc.oneof(
  { weight: 55, arbitrary: fc.constant(6) },
  { weight: 20, arbitrary: fc.constant(17) },
  { weight: 10, arbitrary: fc.constant(132) },
  { weight: 6, arbitrary: fc.constant(1) },
  { weight: 3, arbitrary: fc.constantFrom(4, 47, 136) },
);

const aim = fc.record({
  way,
  connection,
  protocol,
  near: fc.nat(0xffff),
  far: fc.nat(0xffff),
  /** What the far address is: a pod's, or something around the edge of a block or the outside. */
  farIsPod: fc.oneof({ weight: 7, arbitrary: fc.constant(true) }, { weight: 3, arbitrary: fc.constant(false) }),
  port: fc.nat(0xffff),
  /** The port is one that the receiver offers, if it offers any. */
  isOffered: chance(60),
  /** The interface belongs to no endpoint; the source (or, inward, the destination) is not the endpoint's own. */
  oddity: fc.oneof({ weight: 94, arbitrary: fc.constant('none' as const) }, { weight: 6, arbitrary: fc.constantFrom('unknown', 'foreign', 'tunnel') }),
});
type Aim = typeof aim extends fc.Arbitrary<infer T> ? T : never;

export function aims(count: number): fc.Arbitrary<readonly Aim[]> {
  return fc.array(aim, { minLength: count, maxLength: count, size: 'max' });
}

/** What can be aimed at; computed once per world. */
export interface Range {
  readonly local: readonly Target[];
  readonly pods: readonly Target[];
  /** Addresses of interest that need not be a pod's. */
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
}

export interface Target {
  readonly address: string;
  readonly interfaceName: string;
  /** Protocol and port of whatever its containers offer. */
  readonly offers: readonly (readonly [protocol: number, port: number])[];
}

export function rangeOf(world: World): Range {
  const prefix = world.options.interfacePrefixes[0] ?? '';
  const pods = world.objects.filter((object) => object.kind === 'Pod');
  const targets = pods.flatMap((pod) => {
    const address = ipv4Of(pod);
    return address === undefined ? [] : [{ pod, address, interfaceName: interfaceOf(prefix, pod), offers: offersOf(pod) }];
  });
  const strings = JSON.stringify(world.objects.filter((object) => object.kind === 'NetworkPolicy'));
  const blocks = [...strings.matchAll(/"([0-9.]{7,15}\/[0-9]{1,2})"/g)].flatMap(([, text = '']) => (Number(text.split('/')[1]) <= 32 ? [edges(text)] : []));
  const numbers = [...strings.matchAll(/"(?:port|endPort)":([0-9]+)/g)].map(([, text]) => Number(text)).flatMap((number) => [number, number, number - 1, number + 1]);
  return {
    local: targets.filter(({ pod }) => nodeOf(pod) === world.node),
    pods: targets,
    addresses: [...outsideAddresses, ...new Set(blocks.flatMap(([first, last]) => [first, first - 1, last, last + 1].map(toAddress)))],
    ports: [...portNumbers, ...offeredPorts.map(({ containerPort }) => containerPort), 7000, ...numbers].filter((number) => number >= 1 && number <= 65535),
  };
}

/** The packets that the aims are in this world. */
export function aimed(world: World, drawn: readonly Aim[]): readonly Packet[] {
  const range = rangeOf(world);
  return drawn.map((each) => packetAt(range, each));
}

/** IPv4 only: the family that the kernel side enforces. */
function packetAt(range: Range, drawn: Aim): Packet {
  const near = pick(range.local.length > 0 ? range.local : nowhere, drawn.near);
  const far = pick(range.pods.length > 0 && drawn.farIsPod ? range.pods : range.addresses.map(outside), drawn.far);
  const peer = pick(range.local.length > 0 ? range.local : nowhere, drawn.far);
  const stranger = 'cali00000000000';
  const nearInterface = drawn.oddity === 'unknown' ? (near.interfaceName.startsWith('cali') ? stranger : 'veth00000000000') : near.interfaceName;
  const nearAddress = drawn.oddity === 'foreign' ? far.address : near.address;
  const receiver = { 'local-to-local': peer, 'into-local': near, 'out-of-local': far, 'local-to-host': far, 'host-to-local': near, passing: near }[drawn.way];
  const rest = { family: 4, connection: drawn.connection, ...transport(range, drawn, receiver) } as const;
  switch (drawn.way) {
    case 'local-to-local':
      return { ...rest, source: nearAddress, destination: peer.address, inInterface: nearInterface, outInterface: peer.interfaceName };
    case 'into-local':
      return { ...rest, source: far.address, destination: nearAddress, inInterface: 'eth0', outInterface: nearInterface };
    case 'out-of-local':
      return { ...rest, source: nearAddress, destination: far.address, inInterface: nearInterface, outInterface: 'eth0' };
    case 'local-to-host':
      return { ...rest, source: nearAddress, destination: far.address, inInterface: nearInterface };
    case 'host-to-local':
      return { ...rest, source: far.address, destination: nearAddress, outInterface: nearInterface };
    case 'passing':
      return { ...rest, source: far.address, destination: near.address, inInterface: 'eth0', outInterface: 'flannel.1' };
  }
}

/** What a pod without an address gets, as far as the packets are concerned. */
export const futureAddress = '10.65.0.250';

const nowhere: readonly Target[] = [{ address: futureAddress, interfaceName: 'cali0123456789a', offers: [] }];

function outside(address: string): Target {
  return { address, interfaceName: 'eth0', offers: [] };
}

function transport(range: Range, drawn: Aim, receiver: Target): Pick<Packet, 'protocol' | 'sourcePort' | 'destinationPort' | 'icmp'> {
  if (drawn.oddity === 'tunnel') return drawn.port % 2 === 0 ? { protocol: 4 } : { protocol: 17, sourcePort: 40000, destinationPort: 4789 };
  if (drawn.protocol === 1) return { protocol: 1, icmp: { type: 8, code: 0 } };
  if (drawn.protocol === 4 || drawn.protocol === 47) return { protocol: drawn.protocol };
  const sourcePort = 32768 + (drawn.port % 1000);
  if (drawn.isOffered && receiver.offers.length > 0) {
    const [offeredProtocol, destinationPort] = pick(receiver.offers, drawn.port);
    return { protocol: drawn.port % 11 === 0 ? drawn.protocol : offeredProtocol, sourcePort, destinationPort };
  }
  return { protocol: drawn.protocol, sourcePort, destinationPort: pick(range.ports, drawn.port) };
}

function pick<T>(list: readonly T[], number: number): T {
  const value = list[number % list.length];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}

function nodeOf(pod: WireObject): unknown {
  return (pod['spec'] as { nodeName?: string }).nodeName;
}

/** Whatever address the object mentions, endpoint or not; one that it may get when it has none yet. */
function ipv4Of(pod: WireObject): string | undefined {
  const status = pod['status'] as { podIP?: string };
  const address = status.podIP ?? pod.metadata.annotations?.['cni.projectcalico.org/podIP']?.split('/')[0] ?? futureAddress;
  return /^([0-9]+\.){3}[0-9]+$/.test(address) ? address : undefined;
}

function offersOf(pod: WireObject): Target['offers'] {
  const { containers = [], initContainers = [] } = pod['spec'] as Partial<Record<'containers' | 'initContainers', readonly { ports?: readonly OfferedPort[] }[]>>;
  const numbers: Readonly<Record<string, number>> = { TCP: 6, UDP: 17, SCTP: 132 };
  return [...containers, ...initContainers].flatMap(({ ports = [] }) => ports.map((port) => [numbers[port.protocol ?? 'TCP'] ?? 0, port.containerPort] as const));
}

export function interfaceOf(prefix: string, pod: WireObject): string {
  return prefix + createHash('sha1').update(`${pod.metadata.namespace}.${pod.metadata.name}`).digest('hex').slice(0, 11);
}
