// Names of IP protocols as the kernel's tools print and read them. They come from /etc/protocols where that exists and from the
// tools' own short table where it does not, so one number may appear under several names, or as a number.

/** Debian's /etc/protocols, number by number: the name that iptables-save prints. */
const printed: Readonly<Record<string, number>> = {
  hopopt: 0, icmp: 1, igmp: 2, ggp: 3, ipencap: 4, st: 5, tcp: 6, egp: 8, igp: 9, pup: 12, udp: 17, hmp: 20, 'xns-idp': 22,
  rdp: 27, 'iso-tp4': 29, dccp: 33, xtp: 36, ddp: 37, 'idpr-cmtp': 38, ipv6: 41, 'ipv6-route': 43, 'ipv6-frag': 44, idrp: 45,
  rsvp: 46, gre: 47, esp: 50, ah: 51, skip: 57, 'ipv6-icmp': 58, 'ipv6-nonxt': 59, 'ipv6-opts': 60, rspf: 73, vmtp: 81,
  eigrp: 88, ospf: 89, 'ax.25': 93, ipip: 94, etherip: 97, encap: 98, pim: 103, ipcomp: 108, vrrp: 112, l2tp: 115, isis: 124,
  sctp: 132, fc: 133, 'mobility-header': 135, udplite: 136, 'mpls-in-ip': 137, manet: 138, hip: 139, shim6: 140, wesp: 141,
  rohc: 142, ethernet: 143,
};

/** Other spellings: iptables' own table, and /etc/protocols of other distributions. */
const aliases: Readonly<Record<string, number>> = {
  'ip-encap': 4, ipv4: 4, icmpv6: 58, 'ipsec-esp': 50, 'ipv6-crypt': 50, 'ipsec-ah': 51, 'ipv6-auth': 51, ospfigp: 89,
  ospfig: 89, 'ipv6-mh': 135, mh: 135, carp: 112, cphb: 73,
};

const numbers = new Map<string, number>(Object.entries({ ...aliases, ...printed }));
const names = new Map<number, string>(Object.entries(printed).map(([name, number]) => [number, name]));

/** The number of a name or of decimal text, whatever the case; undefined when unknown. 0 and "all" mean any protocol. */
export function protocolNumber(text: string): number | undefined {
  const name = text.toLowerCase();
  if (name === 'all' || name === 'ip') return 0;
  if (/^\d{1,3}$/.test(name)) return Number(name) < 256 ? Number(name) : undefined;
  return numbers.get(name);
}

/** As iptables-save prints it where /etc/protocols is Debian's. */
export function protocolName(number: number): string {
  return names.get(number) ?? String(number);
}

export const protocols = Object.freeze({ icmp: 1, tcp: 6, udp: 17, dccp: 33, icmpv6: 58, sctp: 132, udplite: 136 });
