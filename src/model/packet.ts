// A packet as the node's filter hooks see it, after DNAT and before SNAT. The one question that verdict, simulate and a
// real probe all answer is asked with this type.

export type Family = 4 | 6;

export interface Packet {
  readonly family: Family;
  /** Canonical addresses (RFC 5952 for IPv6). */
  readonly source: string;
  readonly destination: string;
  /** IANA protocol number: 6 TCP, 17 UDP, 132 SCTP, 1 ICMP, 58 ICMPv6, … */
  readonly protocol: number;
  /** Present for TCP, UDP, SCTP and UDP-Lite. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmp?: { readonly type: number; readonly code: number };
  /** Interface by which it enters the node; absent when a process of the host sends it. */
  readonly inInterface?: string;
  /** Interface by which it leaves the node; absent when it is for a process of the host. */
  readonly outInterface?: string;
  /** Conntrack's view. */
  readonly connection: 'new' | 'established' | 'related' | 'invalid' | 'untracked';
}

/** Where the packet meets the filter table. */
export type Hook = 'INPUT' | 'FORWARD' | 'OUTPUT';

/** The filter hook a packet passes, by the interfaces it names. */
export function hookOf(packet: Packet): Hook {
  if (packet.inInterface === undefined) return 'OUTPUT';
  return packet.outInterface === undefined ? 'INPUT' : 'FORWARD';
}
