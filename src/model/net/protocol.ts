// IP protocols: the API's names and IANA's numbers.

export const protocolNumbers: Readonly<Record<string, number>> = Object.freeze({
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  SCTP: 132,
  UDPLite: 136,
});

/** Lower-case name as iptables and ipset spell it, or the number in decimal. */
export function protocolText(protocol: number): string {
  for (const [name, number] of Object.entries(protocolNumbers)) if (number === protocol) return name.toLowerCase();
  return String(protocol);
}
