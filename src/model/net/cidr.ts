// IP addresses and CIDRs as text and as numbers. In: text from the outside world. Out: canonical text, of which there is exactly
// one for each address or network, or undefined when the text is not strictly an address or CIDR.
//
// Strict means: what Go, the C library and the kernel could read in different ways is refused, never guessed.
//  - IPv4: four decimal parts without leading zeros ("010" is 8 to some readers and 10 to others).
//  - IPv6: RFC 4291 text, a dotted-quad tail allowed; no zone. Written as RFC 5952 says, always in hexadecimal.
//  - IPv4-mapped IPv6 (::ffff:10.0.0.1) is refused: Go calls it IPv4, the kernel never sees such a packet as IPv4.
//  - Prefix lengths: decimal without sign or leading zeros. Host bits are cleared, not refused.

import type { Family } from '../packet.ts';

export interface Address {
  readonly family: Family;
  /** Unsigned 32-bit words, most significant first: one for IPv4, four for IPv6. */
  readonly words: readonly number[];
}

/** A network: host bits are zero. */
export interface Cidr extends Address {
  readonly prefix: number;
}

/** The family of a canonical address or CIDR. */
export function familyOf(text: string): Family {
  return text.includes(':') ? 6 : 4;
}

/** "10.0.0.1", "fd00::1", or undefined. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

/** "10.0.0.0/8", "fd00::/64"; a bare address gets /32 or /128. Undefined when it is neither. */
export function canonicalCidr(text: string): string | undefined {
  const cidr = parseCidr(text);
  return cidr === undefined ? undefined : formatCidr(cidr);
}

export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const word = parseIpv4(text);
    return word === undefined ? undefined : { family: 4, words: [word] };
  }
  const words = parseIpv6(text);
  return words === undefined || isIpv4Mapped(words) ? undefined : { family: 6, words };
}

/** A CIDR, or a bare address as the network of that one address. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  const prefix = slash < 0 ? bits : parseDecimal(text.slice(slash + 1), bits);
  if (prefix === undefined) return undefined;
  return { family: address.family, words: address.words.map((word, i) => (word & wordMask(prefix, i)) >>> 0), prefix };
}

export function formatAddress(address: Address): string {
  return address.family === 4 ? formatIpv4(address.words[0] ?? 0) : formatIpv6(address.words);
}

export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr)}/${cidr.prefix}`;
}

/** Whether the address lies in the network; never across families. */
export function contains(cidr: Cidr, address: Address): boolean {
  if (cidr.family !== address.family) return false;
  return cidr.words.every((word, i) => (((address.words[i] ?? 0) ^ word) & wordMask(cidr.prefix, i)) === 0);
}

/** Whether each address of `inner` lies in `outer`; a network contains itself. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && contains(outer, inner);
}

/** The bits of word `index` that a prefix covers. */
function wordMask(prefix: number, index: number): number {
  const covered = Math.min(32, Math.max(0, prefix - 32 * index));
  // A shift by 32 is a shift by 0 in JavaScript.
  return covered === 0 ? 0 : (-1 << (32 - covered)) >>> 0;
}

/** Decimal digits only, no leading zero, at most `limit`. */
function parseDecimal(text: string, limit: number): number | undefined {
  if (text.length === 0 || text.length > 3 || (text.length > 1 && text[0] === '0')) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value > limit ? undefined : value;
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    const value = parseDecimal(part, 255);
    if (value === undefined) return undefined;
    word = word * 256 + value;
  }
  return word;
}

function parseIpv6(text: string): readonly number[] | undefined {
  const gap = text.indexOf('::');
  const head = parseGroups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  if (head === undefined) return undefined;
  if (gap < 0) return head.length === 8 ? toWords(head) : undefined;
  const tail = parseGroups(text.slice(gap + 2), true);
  // "::" stands for at least one group.
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return toWords([...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail]);
}

/** 16-bit groups of the text between the ends and "::"; only the last one of an address may be a dotted quad. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (endsAddress && i === parts.length - 1 && part.includes('.')) {
      const word = parseIpv4(part);
      if (word === undefined) return undefined;
      groups.push(word >>> 16, word & 0xffff);
    } else {
      const group = parseHex(part);
      if (group === undefined) return undefined;
      groups.push(group);
    }
  }
  return groups;
}

function parseHex(text: string): number | undefined {
  if (text.length === 0 || text.length > 4) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const lower = code | 0x20;
    if (code >= 48 && code <= 57) value = value * 16 + code - 48;
    else if (lower >= 97 && lower <= 102) value = value * 16 + lower - 87;
    else return undefined;
  }
  return value;
}

function toWords(groups: readonly number[]): readonly number[] {
  const words: number[] = [];
  for (let i = 0; i < 8; i += 2) words.push((groups[i] ?? 0) * 65_536 + (groups[i + 1] ?? 0));
  return words;
}

function isIpv4Mapped(words: readonly number[]): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::". */
function formatIpv6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let start = 0;
  let length = 0;
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && groups[end] === 0) end += 1;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = end + 1;
  }
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
