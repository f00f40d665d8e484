// Where the addresses of a world are, and what of a drawn packet can be put on a wire: every interface and every source, but not every
// address, nor every state of a connection.

import type { Packet } from '../../../src/model/packet.ts';
import { hookOf } from '../../../src/model/packet.ts';
import type { Judge, World } from '../../../src/model/verdict.ts';
import { rangeOf } from '../../property/packets.ts';
import { answeredProtocols } from '../harness/wire-packet.ts';

const ICMP = 1;
const ECHO = 8;
const TCP = 6;
export const NODE_ADDRESS = '172.31.0.1';
/** Where everything is that is not on the node. */
export const UPLINK = 'eth0';
/** All that leads from the node to the rest of the world. */
export const links: readonly string[] = [UPLINK, 'flannel.1', 'eth1', 'eth2'];

export class Places {
  /** The interface behind which an address is; of pods that share one, the first has it. */
  readonly homes: ReadonlyMap<string, string>;

  constructor(world: World) {
    const homes = new Map<string, string>();
    for (const { address, interfaceName } of rangeOf(world).local) if (!homes.has(address)) homes.set(address, interfaceName);
    this.homes = homes;
  }

  /** The packet is meant to go another way than its address says. */
  needsDetour(packet: Packet): boolean {
    return packet.inInterface !== undefined && this.#homeOf(packet.destination) !== packet.outInterface;
  }

  /** The packets as they can be sent, those that can. */
  sendableOf(packets: readonly Packet[]): readonly Packet[] {
    return packets.flatMap((packet) => this.#sendable(packet) ?? []);
  }

  #sendable(drawn: Packet): Packet | undefined {
    const { sourcePort } = drawn;
    const hook = hookOf(drawn);
    const isHosts = sourcePort === undefined || sourcePort % 3 === 0;
    const packet: Packet = {
      ...drawn,
      connection: connectionOf(drawn),
      ...(hook === 'INPUT' && isHosts ? { destination: NODE_ADDRESS } : {}),
      ...(hook === 'OUTPUT' && isHosts ? { source: NODE_ADDRESS } : {}),
    };
    if (!isRouted(packet.source) || !isRouted(packet.destination)) return undefined;
    if (packet.protocol !== ICMP || !this.needsDetour(packet)) return packet;
    // Two messages between the same addresses cannot go different ways.
    const home = this.#homeOf(packet.destination);
    return home !== undefined && links.includes(home) && links.includes(packet.outInterface ?? '') ? { ...packet, outInterface: home } : undefined;
  }

  /** Whether an answer must come, or must not; undefined where it would go another way. */
  answered({ verdict }: Judge, packet: Packet): boolean | undefined {
    if (verdict(packet).action === 'deny') return false;
    const { source, destination, inInterface, outInterface, sourcePort, destinationPort, ...rest } = packet;
    if (packet.connection !== 'new' || !answeredProtocols.has(packet.protocol)) return undefined;
    if (this.#homeOf(source) !== inInterface || this.#homeOf(destination) !== outInterface) return undefined;
    const answer: Packet = {
      ...rest,
      connection: 'established',
      source: destination,
      destination: source,
      ...(outInterface === undefined ? {} : { inInterface: outInterface }),
      ...(inInterface === undefined ? {} : { outInterface: inInterface }),
      ...(sourcePort === undefined || destinationPort === undefined ? {} : { sourcePort: destinationPort, destinationPort: sourcePort }),
    };
    return verdict(answer).action === 'allow';
  }

  /** Undefined: the host itself. */
  #homeOf(address: string): string | undefined {
    return address === NODE_ADDRESS ? undefined : (this.homes.get(address) ?? UPLINK);
  }
}

/** As far as it comes about by what a packet is. ICMP that does not ask anything is invalid to connection tracking, if it looks at it. */
function connectionOf({ connection, protocol, icmp }: Packet): Packet['connection'] {
  if (connection === 'untracked' || (protocol === ICMP && icmp?.type !== ECHO)) return 'untracked';
  return connection === 'invalid' && protocol === TCP ? 'invalid' : 'new';
}

/** Neither "this network", nor loopback, nor multicast and what is reserved above it. */
function isRouted(address: string): boolean {
  const first = Number(address.split('.')[0]);
  return first !== 0 && first !== 127 && first < 224;
}
