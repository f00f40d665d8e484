// The one gate through which text reaches a kernel tool. In: addresses, names and comments out of objects that somebody else
// wrote. Out: the same text, or a refusal. So a newline in an object's name never becomes a command, and an address that two
// readers could read differently never becomes a rule.

import { canonicalAddress, canonicalCidr } from '../model/net/cidr.ts';
import { EncodingRefused } from './errors.ts';

/** A network as rules carry it, "10.0.0.0/8". */
export function encodeCidr(text: string): string {
  if (canonicalCidr(text) !== text) throw new EncodingRefused('CIDR', text);
  return text;
}

/** "10.0.0.1". */
export function encodeAddress(text: string): string {
  if (canonicalAddress(text) !== text) throw new EncodingRefused('address', text);
  return text;
}

/** A member of a hash:net ("10.0.0.1", "10.0.0.0/8") or hash:ip,port ("10.0.0.1,tcp:80") set. */
export function encodeMember(text: string): string {
  const comma = text.indexOf(',');
  if (comma >= 0) {
    encodeAddress(text.slice(0, comma));
    if (!/^(?:tcp|udp|sctp|udplite):(?:0|[1-9]\d{0,4})$/.test(text.slice(comma + 1))) throw new EncodingRefused('member', text);
    return text;
  }
  return text.includes('/') ? encodeCidr(text) : encodeAddress(text);
}

/** Name of a link. A "+" would be a wildcard to iptables. */
export function encodeInterface(name: string): string {
  if (!/^[A-Za-z0-9_.-]{1,15}$/.test(name) || name.startsWith('-')) throw new EncodingRefused('interface name', name);
  return name;
}

export function encodeSetName(name: string): string {
  if (!/^[A-Za-z0-9:_-]{1,31}$/.test(name)) throw new EncodingRefused('set name', name);
  return name;
}

/** Between quotes: Felix's alphabet, and the kernel's limit, so that iptables-save prints it as it was written. */
export function encodeComment(text: string): string {
  return text.replace(/[^\w @%+=:,./-]/g, '_').slice(0, 255);
}

/** The last check before a line is written: printable ASCII only. */
export function assertPrintable(line: string): void {
  if (/[^\x20-\x7e]/.test(line)) throw new EncodingRefused('line', line);
}
