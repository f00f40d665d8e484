// A packet in the form in which rules look at it: numbers instead of text, and no absent fields (which would make the objects of
// the hot path differ in shape). One per packet.

import type { Packet } from '../model/packet.ts';
import { parseIpv4, parseIpv6 } from './address.ts';
import { SimulationError } from './errors.ts';
import { protocols } from './protocol-names.ts';
import type { ConnectionState } from './rule.ts';

/** What a packet's fate depends on besides itself and the rules. */
export interface Circumstances {
  /** The packet's mark on arrival; default 0. */
  readonly mark?: number;
  /** Addresses that the node has itself (addrtype LOCAL), canonical; without them such a match is an error. */
  readonly localAddresses?: ReadonlySet<string>;
  /** Whether the reverse path of the packet's source is the interface it came by; without it -m rpfilter is an error. */
  readonly reversePathValid?: boolean;
  /** Whether a rate limit has tokens left; default true. */
  readonly limitsPermit?: boolean;
  /** NAT that conntrack has applied to the connection. */
  readonly translated?: { readonly source?: boolean; readonly destination?: boolean };
}

export interface PacketFacts {
  readonly packet: Packet;
  readonly circumstances: Circumstances;
  readonly source: number | bigint;
  readonly destination: number | bigint;
  readonly protocol: number;
  /** -1 where the packet has none. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  /** As ip,port sets see them: 0 for protocols without ports. */
  readonly sourceSetPort: number;
  readonly destinationSetPort: number;
  readonly inInterface: string;
  readonly outInterface: string;
  readonly states: number;
  mark: number;
}

/** Bits of connectionStates. */
export const stateBits: Readonly<Record<ConnectionState, number>> = {
  INVALID: 1, NEW: 2, RELATED: 4, ESTABLISHED: 8, UNTRACKED: 16, SNAT: 32, DNAT: 64,
};

const connectionBits: Readonly<Record<Packet['connection'], number>> = {
  invalid: stateBits.INVALID,
  new: stateBits.NEW,
  related: stateBits.RELATED,
  established: stateBits.ESTABLISHED,
  untracked: stateBits.UNTRACKED,
};

const noCircumstances: Circumstances = Object.freeze({});

/** Throws SimulationError where an address is none of the packet's family. */
export function factsOf(packet: Packet, circumstances: Circumstances = noCircumstances): PacketFacts {
  const source = packet.family === 4 ? parseIpv4(packet.source) : parseIpv6(packet.source);
  const destination = packet.family === 4 ? parseIpv4(packet.destination) : parseIpv6(packet.destination);
  if (source === undefined || destination === undefined) {
    throw new SimulationError(`packet from "${packet.source}" to "${packet.destination}" has no IPv${packet.family} addresses`);
  }
  const { protocol, icmp } = packet;
  const { translated } = circumstances;
  const sourcePort = packet.sourcePort ?? -1;
  const destinationPort = packet.destinationPort ?? -1;
  const icmpPort = icmp === undefined ? -1 : (icmp.type << 8) | icmp.code;
  return {
    packet,
    circumstances,
    source,
    destination,
    protocol,
    sourcePort,
    destinationPort,
    icmpType: icmp?.type ?? -1,
    icmpCode: icmp?.code ?? -1,
    sourceSetPort: setPort(protocol, sourcePort, icmpPort),
    destinationSetPort: setPort(protocol, destinationPort, icmpPort),
    inInterface: packet.inInterface ?? '',
    outInterface: packet.outInterface ?? '',
    states: connectionBits[packet.connection] | (translated?.source ? stateBits.SNAT : 0) | (translated?.destination ? stateBits.DNAT : 0),
    mark: (circumstances.mark ?? 0) >>> 0,
  };
}

/** ip_set_get_ip_port() of the kernel: ports of the four protocols that sets know, type and code of ICMP, else 0. */
function setPort(protocol: number, port: number, icmpPort: number): number {
  switch (protocol) {
    case protocols.tcp:
    case protocols.udp:
    case protocols.sctp:
    case protocols.udplite:
      return port;
    case protocols.icmp:
    case protocols.icmpv6:
      return icmpPort;
    default:
      return 0;
  }
}
