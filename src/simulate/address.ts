// Addresses as numbers: IPv4 in an unsigned 32-bit number, IPv6 in a bigint. Written apart from model/net on purpose: what reads
// the kernel back must not share a mistake with what wrote it.

import type { Family } from '../model/packet.ts';

/** A prefix of either family; bits of `value` beyond `length` are zero. */
export type Prefix =
  | { readonly family: 4; readonly value: number; readonly length: number }
  | { readonly family: 6; readonly value: bigint; readonly length: number };

/** Dotted quad without leading zeros, else undefined. */
export function parseIpv4(text: string): number | undefined {
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i === text.length ? 46 : text.charCodeAt(i);
    if (code === 46) {
      if (octet < 0) return undefined;
      value = value * 256 + octet;
      octet = -1;
      octets += 1;
    } else {
      if (code < 48 || code > 57 || octet === 0) return undefined;
      octet = (octet < 0 ? 0 : octet * 10) + code - 48;
      if (octet > 255) return undefined;
    }
  }
  return octets === 4 ? value : undefined;
}

/** Any RFC 4291 spelling without a zone, else undefined. */
export function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] as string, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...tail]) value = (value << 16n) | BigInt(group);
  return value;
}

function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const words = text.split(':');
  for (const [index, word] of words.entries()) {
    if (mayEndInIpv4 && index === words.length - 1 && word.includes('.')) {
      const embedded = parseIpv4(word);
      if (embedded === undefined) return undefined;
      groups.push(embedded >>> 16, embedded & 0xffff);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(word)) return undefined;
      groups.push(Number.parseInt(word, 16));
    }
  }
  return groups;
}

/** "address", "address/length" or, for IPv4, "address/255.255.0.0"; host bits are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const mask = slash < 0 ? undefined : text.slice(slash + 1);
  const ipv4 = parseIpv4(address);
  if (ipv4 !== undefined) {
    const length = mask === undefined ? 32 : (lengthOf(mask, 32) ?? lengthOfMask(mask));
    return length === undefined ? undefined : { family: 4, value: (ipv4 & mask4(length)) >>> 0, length };
  }
  const ipv6 = parseIpv6(address);
  if (ipv6 === undefined) return undefined;
  const length = mask === undefined ? 128 : lengthOf(mask, 128);
  return length === undefined ? undefined : { family: 6, value: ipv6 & mask6(length), length };
}

function lengthOf(text: string, longest: number): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) <= longest ? Number(text) : undefined;
}

function lengthOfMask(text: string): number | undefined {
  const mask = parseIpv4(text);
  if (mask === undefined) return undefined;
  for (let length = 0; length <= 32; length += 1) if (mask4(length) >>> 0 === mask) return length;
  return undefined;
}

/** The signed 32-bit mask of a prefix length. */
export function mask4(length: number): number {
  return length === 0 ? 0 : -1 << (32 - length);
}

export function mask6(length: number): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(128 - length);
}

export function ipv4Text(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** RFC 5952, as the kernel's tools print it: the longest run of two or more zero groups is cut, the first one of equals. */
export function ipv6Text(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${ipv4Text(Number(value & 0xffffffffn))}`;
  }
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const words = groups.map((group) => group.toString(16));
  if (best.length < 2) return words.join(':');
  return `${words.slice(0, best.start).join(':')}::${words.slice(best.start + best.length).join(':')}`;
}

export function prefixText(prefix: Prefix): string {
  return `${prefix.family === 4 ? ipv4Text(prefix.value) : ipv6Text(prefix.value)}/${prefix.length}`;
}

/** True where the text is a plain address of the family. */
export function isAddress(text: string, family: Family): boolean {
  return (family === 4 ? parseIpv4(text) : parseIpv6(text)) !== undefined;
}
