// The ports of one entry of a NetworkPolicy. In: the wire list. Out: what a packet's protocol and port may be, one entry per
// protocol (all of them ORed); "any" when the list is absent or empty. Undefined, with every problem reported, where the API
// server would refuse an entry.
//
// Ranges that touch or overlap are folded, so that the number of kernel rules does not depend on how the list is written.

import type { Port, PortRange } from '../../model/net/port.ts';
import { protocolNumbers } from '../../model/net/protocol.ts';
import { isPortNumber, portNameProblem } from './names.ts';
import type { Report } from './problem.ts';
import { fieldsOf, isAbsent, knowsAll, readList, shown } from './wire.ts';

export interface ProtocolPorts {
  readonly protocol: number;
  /** Numbers ascending, then names; empty: all ports of the protocol. */
  readonly ports: readonly Port[];
}

/** Ports that one entry of a list names. */
export interface PortEntry {
  readonly protocol: number;
  /** Absent: all ports. */
  readonly port: Port | undefined;
}

const protocols = ['TCP', 'UDP', 'SCTP'];

export function readPolicyPorts(value: unknown, field: string, report: Report): 'any' | readonly ProtocolPorts[] | undefined {
  const list = readList(value, field, report);
  if (list === undefined) return undefined;
  if (list.length === 0) return 'any';
  const entries = list.map((entry, i) => readEntry(entry, `${field}[${i}]`, report));
  return entries.every((entry) => entry !== undefined) ? byProtocol(entries) : undefined;
}

export function byProtocol(entries: readonly PortEntry[]): readonly ProtocolPorts[] {
  const numbers = [...new Set(entries.map((entry) => entry.protocol))].sort((a, b) => a - b);
  return numbers.map((protocol) => ({ protocol, ports: merge(entries.filter((entry) => entry.protocol === protocol)) }));
}

export function hasNames(ports: readonly Port[]): boolean {
  return ports.some((port) => 'name' in port);
}

function readEntry(value: unknown, field: string, report: Report): PortEntry | undefined {
  const entry = fieldsOf(value);
  if (entry === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const known = knowsAll(entry, ['protocol', 'port', 'endPort'], field, report);
  const name = isAbsent(entry['protocol']) ? 'TCP' : entry['protocol'];
  const protocol = typeof name === 'string' && protocols.includes(name) ? protocolNumbers[name] : undefined;
  if (protocol === undefined) report(`${field}.protocol`, `${shown(name)} is no protocol`, `use one of ${protocols.join(', ')}`);
  const port = readPort(entry['port'], entry['endPort'], field, report);
  return known && protocol !== undefined && port !== undefined ? { protocol, port: port === 'all' ? undefined : port } : undefined;
}

function readPort(port: unknown, endPort: unknown, field: string, report: Report): Port | 'all' | undefined {
  if (isAbsent(port) || typeof port === 'string') {
    if (!isAbsent(endPort)) {
      report(`${field}.endPort`, 'needs a numeric port beside it', 'give the first port of the range as a number in port');
      return undefined;
    }
    if (isAbsent(port)) return 'all';
    const problem = portNameProblem(port);
    if (problem !== undefined) report(`${field}.port`, `${shown(port)} ${problem}`, 'write a number without quotes, or the name of a container port');
    return problem === undefined ? { name: port } : undefined;
  }
  if (!isPortNumber(port)) {
    report(`${field}.port`, `${shown(port)} is no port`, 'use a number from 1 to 65535, or the name of a container port');
    return undefined;
  }
  if (isAbsent(endPort)) return { first: port, last: port };
  if (!isPortNumber(endPort) || endPort < port) {
    report(`${field}.endPort`, `${shown(endPort)} is no end of a range from ${port}`, `use a number from ${port} to 65535`);
    return undefined;
  }
  return { first: port, last: endPort };
}

/** An entry without a port is all ports, and so wins over the others. */
function merge(entries: readonly PortEntry[]): readonly Port[] {
  const ranges: PortRange[] = [];
  const names = new Set<string>();
  for (const { port } of entries) {
    if (port === undefined) return [];
    if ('name' in port) names.add(port.name);
    else ranges.push(port);
  }
  return [...fold(ranges), ...[...names].sort().map((name) => ({ name }))];
}

function fold(ranges: PortRange[]): readonly PortRange[] {
  const folded: PortRange[] = [];
  for (const range of ranges.sort((a, b) => a.first - b.first)) {
    const previous = folded.at(-1);
    if (previous === undefined || range.first > previous.last + 1) folded.push(range);
    else if (range.last > previous.last) folded[folded.length - 1] = { first: previous.first, last: range.last };
  }
  return folded;
}
