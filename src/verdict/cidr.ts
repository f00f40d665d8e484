// Addresses and CIDRs as big integers: slow and plain. In: text as the API serves it. Out: undefined for whatever is not
// written strictly (leading zeros, zones, IPv4-mapped IPv6, a prefix that is not plain decimal).

import { isIPv4, isIPv6 } from 'node:net';
import type { Family } from '../model/packet.ts';
import type { Report } from './wire.ts';

export interface Address {
  readonly family: Family;
  readonly bits: bigint;
}

export interface Cidr {
  readonly family: Family;
  /** Host bits are zero. */
  readonly bits: bigint;
  readonly prefixLength: number;
}

export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, bits: bitsOfIpv4(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const bits = bitsOfIpv6(text);
  // ::ffff:a.b.c.d: the API refuses it, for it is not clear which family it means.
  return bits >> 32n === 0xffffn ? undefined : { family: 6, bits };
}

export function parseCidr(text: string): Cidr | undefined {
  const [addressText = '', prefixText = '', ...more] = text.split('/');
  const address = parseAddress(addressText);
  if (address === undefined || more.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(prefixText)) return undefined;
  const prefixLength = Number(prefixText);
  if (prefixLength > width(address.family)) return undefined;
  return { family: address.family, bits: network(address.bits, address.family, prefixLength), prefixLength };
}

/** A CIDR, or an address, which is the network of itself alone; undefined, and reported, if it is neither. */
export function readNet(value: unknown, field: string, report: Report): Cidr | undefined {
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  const net = address ? { ...address, prefixLength: width(address.family) } : typeof value === 'string' ? parseCidr(value) : undefined;
  if (net === undefined) report(field, `${JSON.stringify(value)} is no CIDR`);
  return net;
}

export function contains(cidr: Cidr, address: Address): boolean {
  return cidr.family === address.family && network(address.bits, address.family, cidr.prefixLength) === cidr.bits;
}

/** Whether `inner` is a part of `outer`, and not the whole of it. */
export function isStrictlyWithin(inner: Cidr, outer: Cidr): boolean {
  return inner.prefixLength > outer.prefixLength && contains(outer, inner);
}

export function isSameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.bits === b.bits;
}

/** One text per address, for use as a key. */
export function addressKey(address: Address): string {
  return `${address.family}:${address.bits}`;
}

export function width(family: Family): number {
  return family === 4 ? 32 : 128;
}

function network(bits: bigint, family: Family, prefixLength: number): bigint {
  const hostBits = BigInt(width(family) - prefixLength);
  return (bits >> hostBits) << hostBits;
}

function bitsOfIpv4(text: string): bigint {
  return text.split('.').reduce((bits, octet) => bits * 256n + BigInt(octet), 0n);
}

/** Takes text that isIPv6() accepted: "::" once at most, and dotted decimal at the end only. */
function bitsOfIpv6(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const before = groups(head);
  if (tail === undefined) return join(before);
  const after = groups(tail);
  return join([...before, ...Array<bigint>(8 - before.length - after.length).fill(0n), ...after]);
}

function groups(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const embedded = bitsOfIpv4(group);
    return [embedded >> 16n, embedded & 0xffffn];
  });
}

function join(parts: readonly bigint[]): bigint {
  return parts.reduce((bits, group) => (bits << 16n) | group, 0n);
}
