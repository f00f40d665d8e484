// What must happen to a packet on one node, from the wire objects alone: the oracle that the agent's own calculation is
// compared with. Naive on purpose, and written from the specifications (Kubernetes' NetworkPolicy API, Calico's data model and
// its order of checks at the hooks); it shares no code with what it judges.
//
//   workload = an interface whose name starts with one of the prefixes
//
//   from a workload ─▶ known? ─▶ own source? ─▶ conntrack ─▶ no tunnel? ─▶ egress policy ─┬▶ to the host: the configured action
//   to a workload   ─▶ known? ────────────────▶ conntrack ─▶ ingress policy ◀─────────────┘  (forwarded to a workload)
//   from the host to a workload, and whatever touches no workload: not policed
//
// A connection that conntrack knows is accepted where it is first met: between two pods of the node that is the sender's side,
// and the receiver's (even if unknown) is not asked. A packet that conntrack does not track is judged as a new one.

import { hookOf } from '../model/packet.ts';
import type { Packet } from '../model/packet.ts';
import type { Decision, InvalidObject, Judge, Verdict, World } from '../model/verdict.ts';
import { isSameAddress, parseAddress } from './cidr.ts';
import type { Address } from './cidr.ts';
import { readCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { endpointVerdict } from './endpoint-verdict.ts';
import { readNetworkPolicy } from './network-policy.ts';
import { defaultTier } from './policy.ts';
import type { Policy, Tier } from './policy.ts';
import { reportOn } from './report.ts';

interface Rulebook {
  readonly options: World['options'];
  readonly cluster: Cluster;
  readonly tiers: readonly Tier[];
  readonly policies: readonly Policy[];
}

interface AddressedPacket {
  readonly packet: Packet;
  readonly source: Address;
  readonly destination: Address;
}

/** A decision, and whether it ends the packet's way: an allowed packet may have further checks before it. */
interface Step {
  readonly decision: Decision;
  readonly isFinal: boolean;
}

/** Packets must have canonical addresses; one that does not is a mistake of the caller and throws. */
export function judge(world: World): Judge {
  const invalid: InvalidObject[] = [];
  const cluster = readCluster(world, invalid);
  const policies = world.objects
    .filter((object) => object.apiVersion === 'networking.k8s.io/v1' && object.kind === 'NetworkPolicy')
    .map((object) => readNetworkPolicy(object, reportOn(object, invalid)));
  const rulebook: Rulebook = { options: world.options, cluster, tiers: [defaultTier], policies };
  return { invalid, verdict: (packet) => verdict(rulebook, packet) };
}

function verdict(rulebook: Rulebook, packet: Packet): Verdict {
  const addressed = { packet, source: addressOf(packet.source), destination: addressOf(packet.destination) };
  const decisions: Decision[] = [];
  for (const step of steps(rulebook, addressed)) {
    decisions.push(step.decision);
    if (step.isFinal || step.decision.action === 'deny') return { action: step.decision.action, decisions };
  }
  return { action: 'allow', decisions };
}

function* steps(rulebook: Rulebook, addressed: AddressedPacket): Generator<Step> {
  const { packet } = addressed;
  const { inInterface, outInterface } = packet;
  const isWorkload = (name: string | undefined): name is string =>
    name !== undefined && rulebook.options.interfacePrefixes.some((prefix) => name.startsWith(prefix));
  const hook = hookOf(packet);
  if (hook === 'OUTPUT' || (!isWorkload(inInterface) && !isWorkload(outInterface))) {
    yield final({ direction: hook === 'OUTPUT' ? 'egress' : 'ingress', action: 'allow', reason: 'not-policed' });
    return;
  }
  if (isWorkload(inInterface)) {
    if (hook === 'INPUT' && isNeighbourDiscovery(packet)) {
      yield final({ direction: 'egress', action: 'allow', reason: 'endpoint-to-host' });
      return;
    }
    yield fromWorkload(rulebook, addressed, inInterface);
    if (hook === 'INPUT') yield toHost(rulebook, inInterface);
  }
  if (isWorkload(outInterface)) yield toWorkload(rulebook, addressed, outInterface);
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

function conntrack({ connection }: Packet): 'allow' | 'deny' | undefined {
  if (connection === 'established' || connection === 'related') return 'allow';
  return connection === 'invalid' ? 'deny' : undefined;
}

/** VXLAN on its well-known port, and IP in IP: a pod must not speak for the overlay. */
function isTunnel(packet: Packet): boolean {
  return packet.protocol === 4 || (packet.protocol === 17 && packet.destinationPort === 4789);
}

/** What IPv6 cannot work without, and Calico lets every interface send to the host: MLD, router and neighbour discovery. */
function isNeighbourDiscovery({ family, protocol, icmp }: Packet): boolean {
  return family === 6 && protocol === 58 && icmp !== undefined && [130, 131, 132, 133, 135, 136].includes(icmp.type);
}

function final(decision: Decision): Step {
  return { decision, isFinal: true };
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new TypeError(`${JSON.stringify(text)} is no address`);
  return address;
}
