// Reads the text of `ipset save`, of one set or all. Sets of types that are not known here, or with elements that are not, are kept
// as opaque: only a rule that asks one is an error.

import type { Family } from '../model/packet.ts';
import { parseIpv4, parseIpv6, parsePrefix } from './address.ts';
import { UnreadableState } from './errors.ts';
import type { KernelSet } from './kernel-set.ts';
import { AddressPortSet, opaqueSet, PrefixSet } from './kernel-set.ts';
import { protocolNumber } from './protocol-names.ts';

/** Throws UnreadableState for lines that `ipset save` does not print. */
export function parseSets(text: string): ReadonlyMap<string, KernelSet> {
  const sets = new Map<string, KernelSet>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const [command, name = '', argument = '', ...rest] = line.split(' ');
    const set = sets.get(name);
    if (command === 'create' && set === undefined && argument !== '') {
      sets.set(name, createSet(name, argument, rest));
    } else if (command === 'add' && set !== undefined && argument !== '') {
      const problem = addElement(set, argument, rest);
      if (problem !== undefined && set.problem === undefined) sets.set(name, opaqueSet(name, set.type, set.family, problem));
    } else {
      throw new UnreadableState(`no line of ipset save: ${line}`, index + 1);
    }
  }
  return sets;
}

function createSet(name: string, type: string, options: readonly string[]): KernelSet {
  const family: Family = options[options.indexOf('family') + 1] === 'inet6' ? 6 : 4;
  if (type === 'hash:net' || type === 'hash:ip') {
    // A hash:ip set may be declared to keep networks of one size instead of addresses.
    if (options.includes('netmask') || options.includes('bitmask')) return opaqueSet(name, type, family, `set ${name} masks its elements`);
    return new PrefixSet(name, type, family);
  }
  if (type === 'hash:ip,port') return new AddressPortSet(name, family);
  return opaqueSet(name, type, family, `set ${name} is of type ${type}, which is not known`);
}

/** Options behind an element (timeout, counters, comment) do not decide about membership; "nomatch" does, and is not known here. */
function addElement(set: KernelSet, element: string, options: readonly string[]): string | undefined {
  if (options.includes('nomatch')) return `set ${set.name} has an element "${element} nomatch"`;
  const unknown = `set ${set.name} has an element "${element}", which is not understood`;
  if (set instanceof PrefixSet) {
    const prefix = parsePrefix(element);
    if (prefix === undefined || prefix.family !== set.family) return unknown;
    set.add(prefix);
  } else if (set instanceof AddressPortSet) {
    const [, address = '', protocol = '', port = ''] = /^([^,]+),([^,:]+):(\S+)$/.exec(element) ?? [];
    const value = set.family === 4 ? parseIpv4(address) : parseIpv6(address);
    const number = protocolNumber(protocol);
    if (value === undefined || number === undefined) return unknown;
    const portNumber = portOf(port);
    if (portNumber === undefined) return unknown;
    set.add(value, number, portNumber);
  }
  return undefined;
}

/** "80", or "type/code" of ICMP (the names that ipset prints for some of them are not known here). */
function portOf(text: string): number | undefined {
  const [, first, code] = /^(\d{1,5})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  const port = code === undefined ? Number(first) : (Number(first) << 8) | Number(code);
  return port <= 65_535 ? port : undefined;
}
