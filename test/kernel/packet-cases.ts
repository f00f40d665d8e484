// Rules and packets for which simulate must foresee what the kernel does. Each case has a chain of its own, entered by the client's (or
// for OUTPUT the server's) address of that case, so that all are loaded and tried at once. In a rule, CHAIN is that chain, CLIENT and
// SERVER are the case's addresses, CASE its number. What must come of each packet is written by hand.

import type { Hook } from '../../src/model/packet.ts';

export interface CasePacket {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly sourcePort?: number;
  readonly passes: boolean;
}

export interface PacketCase {
  readonly name: string;
  readonly rules: readonly string[];
  readonly packets: readonly CasePacket[];
  /** Default FORWARD. */
  readonly hook?: Hook;
  /** The mark that the packet carries when it reaches the filter table. */
  readonly mark?: number;
}

const tcp = (port: number, passes: boolean, sourcePort?: number): CasePacket => ({ protocol: 'tcp', port, passes, ...(sourcePort && { sourcePort }) });
const udp = (port: number, passes: boolean, sourcePort?: number): CasePacket => ({ protocol: 'udp', port, passes, ...(sourcePort && { sourcePort }) });

/** Shared sets; "CASE" sets are made per case below. */
export const packetSets: readonly string[] = [
  'create clients hash:net family inet maxelem 1000',
  'add clients 10.77.0.0/16',
  'create servers hash:net family inet maxelem 1000',
  'add servers 10.88.0.0/16',
  'create nobody hash:net family inet maxelem 1000',
  'create everybody hash:net family inet maxelem 1000',
  'add everybody 0.0.0.0/1',
  'add everybody 128.0.0.0/1',
];

export const packetCases: readonly PacketCase[] = [
  { name: 'a terminal rule by protocol', rules: ['-A CHAIN -p udp -j DROP'], packets: [tcp(80, true), udp(80, false)] },
  { name: 'a negated protocol', rules: ['-A CHAIN ! -p udp -j DROP'], packets: [tcp(80, false), udp(80, true)] },
  { name: 'a REJECT', rules: ['-A CHAIN -p tcp -j REJECT --reject-with tcp-reset', '-A CHAIN -j REJECT'], packets: [tcp(80, false), udp(80, false)] },
  { name: 'a source and a negated destination', rules: ['-A CHAIN -s CLIENT/32 ! -d 10.88.0.0/16 -j ACCEPT', '-A CHAIN -j DROP'], packets: [tcp(80, false)] },
  { name: 'a negated source that is another', rules: ['-A CHAIN ! -s 10.88.0.0/16 -d SERVER/32 -j ACCEPT', '-A CHAIN -j DROP'], packets: [tcp(80, true)] },
  { name: 'a prefix of an odd length', rules: ['-A CHAIN -s 10.76.0.0/15 -j DROP'], packets: [tcp(80, false)] },
  { name: 'a port', rules: ['-A CHAIN -p tcp -m tcp --dport 80 -j ACCEPT', '-A CHAIN -j DROP'], packets: [tcp(80, true), tcp(81, false), udp(80, false)] },
  { name: 'a negated port', rules: ['-A CHAIN -p tcp -m tcp ! --dport 80 -j DROP'], packets: [tcp(80, true), tcp(81, false)] },
  { name: 'a source port range', rules: ['-A CHAIN -p udp -m udp --sport 41000:41001 -j DROP'], packets: [udp(80, false, 41_001), udp(80, true, 41_002)] },
  {
    name: 'several ports',
    rules: ['-A CHAIN -p tcp -m multiport --dports 80,443:445 -j ACCEPT', '-A CHAIN -j DROP'],
    packets: [tcp(80, true), tcp(444, true), tcp(81, false), tcp(446, false)],
  },
  { name: 'negated several ports', rules: ['-A CHAIN -p tcp -m multiport ! --dports 80,443 -j DROP'], packets: [tcp(80, true), tcp(81, false)] },
  { name: 'ports of either end', rules: ['-A CHAIN -p udp -m multiport --ports 41010 -j DROP'], packets: [udp(80, false, 41_010), udp(80, true, 41_011)] },
  { name: 'a set by source', rules: ['-A CHAIN -m set --match-set clients src -j ACCEPT', '-A CHAIN -j DROP'], packets: [tcp(80, true)] },
  { name: 'a set by destination', rules: ['-A CHAIN -m set --match-set clients dst -j ACCEPT', '-A CHAIN -j DROP'], packets: [tcp(80, false)] },
  { name: 'a negated set', rules: ['-A CHAIN -m set ! --match-set servers dst -j ACCEPT', '-A CHAIN -j DROP'], packets: [tcp(80, false)] },
  { name: 'an empty set', rules: ['-A CHAIN -m set ! --match-set nobody dst -j DROP'], packets: [tcp(80, false)] },
  { name: 'a set of two halves', rules: ['-A CHAIN -m set --match-set everybody dst -j DROP'], packets: [udp(80, false)] },
  { name: 'a set of one dimension asked in two', rules: ['-A CHAIN -m set --match-set clients src,src -j DROP'], packets: [tcp(80, false)] },
  {
    name: 'a set of addresses and ports',
    rules: ['-A CHAIN -m set --match-set pairsCASE dst,dst -j ACCEPT', '-A CHAIN -j DROP'],
    packets: [tcp(80, true), tcp(81, false), udp(53, true), udp(80, false)],
  },
  { name: 'a negated set of addresses and ports', rules: ['-A CHAIN -m set ! --match-set pairsCASE dst,dst -j DROP'], packets: [tcp(80, true), tcp(81, false)] },
  { name: 'a set of two dimensions asked in one', rules: ['-A CHAIN -m set --match-set pairsCASE dst -j DROP'], packets: [tcp(80, true)] },
  { name: 'the negation of that', rules: ['-A CHAIN -m set ! --match-set pairsCASE dst -j DROP'], packets: [tcp(80, false)] },
  { name: 'interfaces by prefix', rules: ['-A CHAIN -i cali+ -o cali+ -j DROP'], packets: [tcp(80, false)] },
  { name: 'interfaces by name', rules: ['-A CHAIN -i caliclient -o caliclient -j DROP'], packets: [tcp(80, true)] },
  { name: 'a negated interface', rules: ['-A CHAIN ! -i cali+ -j DROP', '-A CHAIN ! -o calic+ -j DROP'], packets: [tcp(80, false)] },
  { name: 'an interface name that is only the beginning', rules: ['-A CHAIN -i cali -j DROP'], packets: [tcp(80, true)] },
  { name: 'the state NEW', rules: ['-A CHAIN -m conntrack --ctstate NEW -j DROP'], packets: [udp(80, false)] },
  { name: 'the states that a first packet is not in', rules: ['-A CHAIN -m conntrack --ctstate INVALID,RELATED,ESTABLISHED -j DROP'], packets: [udp(80, true)] },
  { name: 'a negated state', rules: ['-A CHAIN -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP'], packets: [udp(80, false)] },
  {
    name: 'a mark set and matched',
    rules: ['-A CHAIN -p tcp -j MARK --set-xmark 0x10000/0x10000', '-A CHAIN -m mark --mark 0x10000/0x10000 -j ACCEPT', '-A CHAIN -j DROP'],
    packets: [tcp(80, true), udp(80, false)],
  },
  {
    name: 'a mark that keeps the other bits',
    rules: ['-A CHAIN -j MARK --set-xmark 0x80000000/0x80000000', '-A CHAIN -j MARK --set-xmark 0x0/0x1', '-A CHAIN -m mark --mark 0x80000002 -j ACCEPT', '-A CHAIN -j DROP'],
    packets: [udp(80, true)],
    mark: 0x3,
  },
  { name: 'a mark that the packet came with', rules: ['-A CHAIN -m mark --mark 0x10000/0x10000 -j ACCEPT', '-A CHAIN -j DROP'], packets: [udp(80, true)], mark: 0x10000 },
  {
    name: 'a mark exchanged, and a value outside its mask',
    rules: ['-A CHAIN -j MARK --set-xmark 0x6/0x5', '-A CHAIN -m mark --mark 0x7/0x3 -j ACCEPT', '-A CHAIN -m mark ! --mark 0x4 -j DROP', '-A CHAIN -m mark --mark 0x4/0x4 -j DROP'],
    packets: [udp(80, false)],
    mark: 0x3,
  },
  { name: 'a jump that comes back', rules: ['-A CHAIN -j CHAIN-b', '-A CHAIN -j DROP', '-A CHAIN-b -p udp -j ACCEPT'], packets: [tcp(80, false), udp(80, true)] },
  { name: 'a RETURN', rules: ['-A CHAIN -j CHAIN-b', '-A CHAIN -j DROP', '-A CHAIN-b -j RETURN', '-A CHAIN-b -j ACCEPT'], packets: [tcp(80, false)] },
  {
    name: 'a goto that does not come back to its own chain',
    rules: ['-A CHAIN -j CHAIN-b', '-A CHAIN -p tcp -j DROP', '-A CHAIN-b -g CHAIN-c', '-A CHAIN-b -p udp -j DROP', '-A CHAIN-c -p sctp -j DROP'],
    packets: [tcp(80, false), udp(80, true)],
  },
  {
    name: 'a RETURN after a goto',
    rules: ['-A CHAIN -j CHAIN-b', '-A CHAIN -p tcp -j DROP', '-A CHAIN-b -g CHAIN-c', '-A CHAIN-b -p udp -j DROP', '-A CHAIN-c -j RETURN', '-A CHAIN-c -j DROP'],
    packets: [tcp(80, false), udp(80, true)],
  },
  { name: 'rules that decide nothing', rules: ['-A CHAIN -m comment --comment "cali:x"', '-A CHAIN -j LOG --log-prefix x', '-A CHAIN -j NFLOG --nflog-group 9', '-A CHAIN -j DROP'], packets: [udp(80, false)] },
  { name: 'INPUT', hook: 'INPUT', rules: ['-A CHAIN -i caliclient -p tcp -j DROP'], packets: [tcp(80, false), udp(80, true)] },
  { name: 'INPUT, where there is no out-interface', hook: 'INPUT', rules: ['-A CHAIN -o cali+ -j DROP', '-A CHAIN ! -o cali+ -j ACCEPT', '-A CHAIN -j DROP'], packets: [udp(80, true)] },
  { name: 'INPUT, where a negated out-interface matches', hook: 'INPUT', rules: ['-A CHAIN ! -o cali+ -j DROP'], packets: [udp(80, false)] },
  { name: 'INPUT, where the address is local', hook: 'INPUT', rules: ['-A CHAIN -m addrtype --dst-type LOCAL -j DROP'], packets: [udp(80, false)] },
  { name: 'FORWARD, where it is not', rules: ['-A CHAIN -m addrtype --dst-type LOCAL -j DROP', '-A CHAIN -m addrtype ! --src-type LOCAL -j ACCEPT', '-A CHAIN -j DROP'], packets: [udp(80, true)] },
  { name: 'OUTPUT', hook: 'OUTPUT', rules: ['-A CHAIN -o caliserver -p tcp -j DROP'], packets: [tcp(80, false), udp(80, true)] },
  { name: 'OUTPUT, where a negated in-interface matches', hook: 'OUTPUT', rules: ['-A CHAIN -i cali+ -j ACCEPT', '-A CHAIN ! -i cali+ -j DROP'], packets: [udp(80, false)] },
];
