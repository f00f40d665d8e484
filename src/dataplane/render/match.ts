// Match fragments, one function each. Everything that comes out of an object passes through encoding.ts here.

import type { PortRange } from '../../model/net/port.ts';
import { protocolText } from '../../model/net/protocol.ts';
import type { Family } from '../../model/packet.ts';
import type { IcmpMatch } from '../../model/rule.ts';
import { encodeCidr, encodeInterface, encodeSetName } from '../encoding.ts';
import { EncodingRefused } from '../errors.ts';
import { hex } from './rule.ts';
import type { Match } from './rule.ts';

export type End = 'source' | 'destination';

/** Protocols whose ports -m multiport understands. */
const portProtocols = new Set([6, 17, 33, 132, 136]);
/** A multiport match holds fifteen numbers; a range takes two. */
export const multiportSlots = 15;

export function markSet(bits: number): Match {
  return { text: `-m mark --mark ${hex(bits)}/${hex(bits)}` };
}

export function markClear(bits: number): Match {
  return { text: `-m mark --mark 0x0/${hex(bits)}` };
}

/** With `anyOf`, every interface with that prefix. */
export function inInterface(name: string, anyOf = false): Match {
  return { text: `-i ${interfacePattern(name, anyOf)}` };
}

export function outInterface(name: string, anyOf = false): Match {
  return { text: `-o ${interfacePattern(name, anyOf)}` };
}

function interfacePattern(name: string, anyOf: boolean): string {
  // Names have 15 characters at most: a longer prefix has nothing behind it.
  return `${encodeInterface(name)}${anyOf && name.length < 15 ? '+' : ''}`;
}

export function net(end: End, cidr: string, negated = false): Match {
  return { text: `${negated ? '! ' : ''}${end === 'source' ? '-s' : '-d'} ${encodeCidr(cidr)}` };
}

export function protocol(number: number, negated = false): Match {
  if (!Number.isInteger(number) || number < 1 || number > 255) throw new EncodingRefused('protocol number', String(number));
  return { text: `${negated ? '! ' : ''}-p ${protocolText(number)}` };
}

/** Addresses of one end in a hash:net set. */
export function set(end: End, name: string, negated = false): Match {
  return { text: `-m set ${negated ? '! ' : ''}--match-set ${encodeSetName(name)} ${flag(end)}`, set: name };
}

/** Address and port of one end in a hash:ip,port set. */
export function portSet(end: End, name: string, negated = false): Match {
  return { text: `-m set ${negated ? '! ' : ''}--match-set ${encodeSetName(name)} ${flag(end)},${flag(end)}`, set: name };
}

function flag(end: End): string {
  return end === 'source' ? 'src' : 'dst';
}

/** As many multiport matches as the ports need; one of them holds, or with `negated` all of them must. */
export function ports(end: End, ranges: readonly PortRange[], protocolNumber: number | undefined, negated = false): Match[] {
  if (protocolNumber === undefined || !portProtocols.has(protocolNumber)) {
    throw new EncodingRefused('protocol for ports', String(protocolNumber));
  }
  const option = `${negated ? '! ' : ''}${end === 'source' ? '--sports' : '--dports'}`;
  return chunks(ranges).map((chunk) => ({ text: `-m multiport ${option} ${chunk.join(',')}` }));
}

function chunks(ranges: readonly PortRange[]): string[][] {
  const all: string[][] = [];
  let chunk: string[] = [];
  let free = 0;
  for (const { first, last } of ranges) {
    if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || first > last || last > 65_535) {
      throw new EncodingRefused('port range', `${first}:${last}`);
    }
    const slots = first === last ? 1 : 2;
    if (slots > free) {
      chunk = [];
      all.push(chunk);
      free = multiportSlots;
    }
    chunk.push(first === last ? String(first) : `${first}:${last}`);
    free -= slots;
  }
  return all;
}

/** Type 255 means "any" to iptables; it is no type of a message and is refused. */
export function icmp(family: Family, { type, code }: IcmpMatch, negated = false): Match {
  const inRange = (value: number, limit: number): boolean => Number.isInteger(value) && value >= 0 && value <= limit;
  if (!inRange(type, 254) || (code !== undefined && !inRange(code, 255))) throw new EncodingRefused('ICMP type', `${type}/${code}`);
  const value = code === undefined ? String(type) : `${type}/${code}`;
  return { text: family === 4 ? `-m icmp ${negated ? '! ' : ''}--icmp-type ${value}` : `-m icmp6 ${negated ? '! ' : ''}--icmpv6-type ${value}` };
}

export function connectionState(states: string): Match {
  return { text: `-m conntrack --ctstate ${states}` };
}

/** `rate` as in "10/minute". */
export function limit(rate: string, burst: number): Match {
  if (!/^[1-9]\d{0,3}\/(?:second|minute|hour|day)$/.test(rate)) throw new EncodingRefused('rate', rate);
  return { text: `-m limit --limit ${rate}${burst > 0 ? ` --limit-burst ${burst}` : ''}` };
}
