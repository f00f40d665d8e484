// What must happen to a packet on one node, from the wire objects alone: the oracle that the agent's own calculation is
// compared with. Naive on purpose, and written from the specifications (Kubernetes' policy APIs, Calico's data model and its order
// of checks at the hooks); it shares no code with what it judges.
//
//   workload = an interface whose name starts with one of the prefixes
//
//   from a workload ─▶ known? ─▶ own source? ─▶ conntrack ─▶ no tunnel? ─▶ egress policy ─┬▶ to the host: the configured action
//   to a workload   ─▶ known? ────────────────▶ conntrack ─▶ ingress policy ◀─────────────┘  (forwarded to a workload)
//   from the host to a workload, and whatever touches no workload: not policed
//   before, after and instead of that, where the interface is a host endpoint: see host-path.ts
//
// A connection that conntrack knows is accepted where it is first met: between two pods of the node that is the sender's side,
// and the receiver's (even if unknown) is not asked. A packet that conntrack does not track is judged as a new one.

import { hookOf } from '../model/packet.ts';
import type { Packet } from '../model/packet.ts';
import type { Decision, InvalidObject, Judge, Verdict, World } from '../model/verdict.ts';
import { isSameAddress, parseAddress } from './cidr.ts';
import type { Address } from './cidr.ts';
import { readCluster } from './cluster.ts';
import { endpointVerdict } from './endpoint-verdict.ts';
import { forwarded, ownTraffic, preDnatVerdict, untrackedVerdict } from './host-path.ts';
import { readPolicies } from './policies.ts';
import { conntrack, final } from './rulebook.ts';
import type { AddressedPacket, Rulebook, Step } from './rulebook.ts';

/** Packets must have canonical addresses; one that does not is a mistake of the caller and throws. */
export function judge(world: World): Judge {
  const invalid: InvalidObject[] = [];
  const cluster = readCluster(world, invalid);
  const rulebook: Rulebook = { options: world.options, cluster, ...readPolicies(world, invalid) };
  return { invalid, verdict: (packet) => verdict(rulebook, packet) };
}

function verdict(rulebook: Rulebook, packet: Packet): Verdict {
  const addressed = { packet, source: addressOf(packet.source), destination: addressOf(packet.destination) };
  const decisions: Decision[] = [];
  for (const step of steps(rulebook, addressed)) {
    decisions.push(step.decision);
    if (step.isFinal || step.decision.action === 'deny') return { action: step.decision.action, decisions };
  }
  if (decisions.length > 0) return { action: 'allow', decisions };
  const direction = hookOf(packet) === 'OUTPUT' ? 'egress' : 'ingress';
  return { action: 'allow', decisions: [{ direction, action: 'allow', reason: 'not-policed' }] };
}

/** Nothing at all: not policed. */
function* steps(rulebook: Rulebook, received: AddressedPacket): Generator<Step> {
  const { inInterface, outInterface } = received.packet;
  const isWorkload = (name: string | undefined): name is string =>
    name !== undefined && rulebook.options.interfacePrefixes.some((prefix) => name.startsWith(prefix));
  let isAccepted = false;
  let addressed = received;

  // Where a packet is first met: as it comes in or, from the host itself, as it goes out.
  const [direction, interfaceName] = inInterface === undefined ? (['egress', outInterface] as const) : (['ingress', inInterface] as const);
  const untracked = interfaceName !== undefined && !isWorkload(inInterface) && untrackedVerdict(rulebook, received, direction, interfaceName);
  if (untracked) {
    yield { decision: untracked, isFinal: false };
    isAccepted = true;
    addressed = { ...received, packet: { ...received.packet, connection: 'untracked' } };
  }
  const preDnat = inInterface !== undefined && !isAccepted && preDnatVerdict(rulebook, addressed, inInterface);
  if (preDnat) {
    yield { decision: preDnat, isFinal: false };
    isAccepted = true;
  }

  switch (hookOf(addressed.packet)) {
    case 'INPUT':
      if (isWorkload(inInterface)) yield* fromWorkloadToHost(rulebook, addressed, inInterface);
      else if (inInterface !== undefined && !isAccepted) yield* ownTraffic(rulebook, addressed, 'ingress', inInterface);
      return;
    case 'OUTPUT':
      if (!isWorkload(outInterface) && outInterface !== undefined && !isAccepted) yield* ownTraffic(rulebook, addressed, 'egress', outInterface);
      return;
    case 'FORWARD':
      if (inInterface !== undefined && !isAccepted) yield* forwarded(rulebook, addressed, 'ingress', inInterface);
      if (isWorkload(inInterface)) yield fromWorkload(rulebook, addressed, inInterface);
      if (isWorkload(outInterface)) yield toWorkload(rulebook, addressed, outInterface);
      if (outInterface !== undefined) yield* forwarded(rulebook, addressed, 'egress', outInterface);
  }
}

function* fromWorkloadToHost(rulebook: Rulebook, addressed: AddressedPacket, inInterface: string): Generator<Step> {
  if (isNeighbourDiscovery(addressed.packet)) {
    yield final({ direction: 'egress', action: 'allow', reason: 'endpoint-to-host' });
    return;
  }
  yield fromWorkload(rulebook, addressed, inInterface);
  yield toHost(rulebook, inInterface);
}

function fromWorkload(rulebook: Rulebook, addressed: AddressedPacket, inInterface: string): Step {
  const { packet, source } = addressed;
  const direction = 'egress';
  const endpoint = rulebook.cluster.endpointBehind(inInterface);
  if (endpoint === undefined) return final({ direction, action: 'deny', reason: 'unknown-interface' });
  const about = { direction, endpoint: endpoint.key } as const;
  if (!endpoint.addresses.some((own) => isSameAddress(own, source))) return final({ ...about, action: 'deny', reason: 'spoofed' });
  const known = conntrack(packet);
  if (known !== undefined) return final({ ...about, action: known, reason: 'conntrack' });
  if (isTunnel(packet)) return final({ ...about, action: 'deny', reason: 'tunnel' });
  const { cluster, tiers, policies } = rulebook;
  return { decision: endpointVerdict({ direction, endpoint, cluster, ...addressed }, tiers, policies), isFinal: false };
}

function toWorkload(rulebook: Rulebook, addressed: AddressedPacket, outInterface: string): Step {
  const direction = 'ingress';
  const endpoint = rulebook.cluster.endpointBehind(outInterface);
  if (endpoint === undefined) return final({ direction, action: 'deny', reason: 'unknown-interface' });
  const known = conntrack(addressed.packet);
  if (known !== undefined) return final({ direction, endpoint: endpoint.key, action: known, reason: 'conntrack' });
  const { cluster, tiers, policies } = rulebook;
  return { decision: endpointVerdict({ direction, endpoint, cluster, ...addressed }, tiers, policies), isFinal: false };
}

/** RETURN leaves it to rules that are not ours; as far as we are concerned the packet is allowed. */
function toHost({ cluster, options }: Rulebook, inInterface: string): Step {
  const endpoint = cluster.endpointBehind(inInterface);
  const action = options.defaultEndpointToHostAction === 'DROP' ? 'deny' : 'allow';
  return final({ direction: 'egress', action, reason: 'endpoint-to-host', ...(endpoint && { endpoint: endpoint.key }) });
}

/** VXLAN on its well-known port, and IP in IP: a pod must not speak for the overlay. */
function isTunnel(packet: Packet): boolean {
  return packet.protocol === 4 || (packet.protocol === 17 && packet.destinationPort === 4789);
}

/** What IPv6 cannot work without, and Calico lets every interface send to the host: MLD, router and neighbour discovery. */
function isNeighbourDiscovery({ family, protocol, icmp }: Packet): boolean {
  return family === 6 && protocol === 58 && icmp !== undefined && [130, 131, 132, 133, 135, 136].includes(icmp.type);
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new TypeError(`${JSON.stringify(text)} is no address`);
  return address;
}
