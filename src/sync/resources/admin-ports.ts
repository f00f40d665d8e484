// The ports of a rule of an administrator's policy, which v1alpha2 calls protocols and v1alpha1 ports. In: the wire list. Out: as
// policy-ports.ts; names are those of any protocol. Undefined, with every problem reported, where the API server would refuse it.

import type { Port } from '../../model/net/port.ts';
import { protocolNumbers } from '../../model/net/protocol.ts';
import { isPortNumber } from './names.ts';
import { byProtocol, type PortEntry } from './policy-ports.ts';
import type { Report } from './problem.ts';
import { type Fields, fieldsOf, isAbsent, knowsAll, readList, shown } from './wire.ts';

export interface AdminPorts {
  /** Absent: any. */
  readonly protocol?: number;
  readonly ports: readonly Port[];
}

/** A port of a protocol, or a name. */
type Entry = PortEntry | { readonly name: string };

type ReadEntry = (entry: Fields, choice: string, field: string, report: Report) => Entry | undefined;

export type ReadAdminPorts = (value: unknown, field: string, report: Report) => readonly AdminPorts[] | 'any' | undefined;

/** v1alpha2: tcp, udp, sctp, each with a destinationPort, or destinationNamedPort. */
export const readProtocols: ReadAdminPorts = (value, field, report) => readPortList(value, 25, ['tcp', 'udp', 'sctp', 'destinationNamedPort'], readProtocolEntry, field, report);

/** v1alpha1: portNumber, portRange, both with a protocol, or namedPort. */
export const readPorts: ReadAdminPorts = (value, field, report) => readPortList(value, 100, ['portNumber', 'portRange', 'namedPort'], readPortEntry, field, report);

function readPortList(value: unknown, limit: number, choices: readonly string[], read: ReadEntry, field: string, report: Report): ReturnType<ReadAdminPorts> {
  if (isAbsent(value)) return 'any';
  const list = readList(value, field, report);
  if (list === undefined) return undefined;
  const fits = list.length > 0 && list.length <= limit;
  if (!fits) report(field, `must have 1 to ${limit} entries`);
  const entries = list.map((entry, i) => readChoice(entry, choices, read, `${field}[${i}]`, report));
  if (!fits || !entries.every((entry) => entry !== undefined)) return undefined;
  const names = new Set(entries.flatMap((entry) => ('name' in entry ? [entry.name] : [])));
  const named = names.size === 0 ? [] : [{ ports: [...names].sort().map((name) => ({ name })) }];
  return [...byProtocol(entries.filter((entry): entry is PortEntry => !('name' in entry))), ...named];
}

function readChoice(value: unknown, choices: readonly string[], read: ReadEntry, field: string, report: Report): Entry | undefined {
  const entry = fieldsOf(value);
  const given = entry && choices.filter((name) => !isAbsent(entry[name]));
  const [choice] = given ?? [];
  if (entry === undefined || choice === undefined || given?.length !== 1) {
    report(field, entry === undefined ? 'must be an object' : `must have exactly one of ${choices.join(', ')}`);
    return undefined;
  }
  return knowsAll(entry, choices, field, report) ? read(entry, choice, `${field}.${choice}`, report) : undefined;
}

function readProtocolEntry(entry: Fields, choice: string, field: string, report: Report): Entry | undefined {
  if (choice === 'destinationNamedPort') return readName(entry[choice], field, report);
  const match = fieldsOf(entry[choice]);
  if (match === undefined || isAbsent(match['destinationPort'])) {
    report(field, 'has no destinationPort');
    return undefined;
  }
  const known = knowsAll(match, ['destinationPort'], field, report);
  const port = fieldsOf(match['destinationPort']) ?? {};
  const at = `${field}.destinationPort`;
  if (isAbsent(port['number']) === isAbsent(port['range'])) {
    report(at, 'must have either number or range');
    return undefined;
  }
  if (!known || !knowsAll(port, ['number', 'range'], at, report)) return undefined;
  const range = isAbsent(port['range']) ? readNumber(port['number'], `${at}.number`, report) : readRange(port['range'], [], `${at}.range`, report);
  return range && { protocol: protocolNumbers[choice.toUpperCase()] ?? 0, port: range };
}

function readPortEntry(entry: Fields, choice: string, field: string, report: Report): Entry | undefined {
  if (choice === 'namedPort') return readName(entry[choice], field, report);
  const match = fieldsOf(entry[choice]);
  if (match === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const name = isAbsent(match['protocol']) || match['protocol'] === '' ? 'TCP' : match['protocol'];
  const protocol = name === 'TCP' || name === 'UDP' || name === 'SCTP' ? protocolNumbers[name] : undefined;
  if (protocol === undefined) report(`${field}.protocol`, `${shown(name)} is no protocol`, 'use one of TCP, UDP, SCTP');
  const isRange = choice === 'portRange';
  const known = isRange || knowsAll(match, ['protocol', 'port'], field, report);
  const range = isRange ? readRange(match, ['protocol'], field, report, true) : readNumber(match['port'], `${field}.port`, report);
  return known && protocol !== undefined && range !== undefined ? { protocol, port: range } : undefined;
}

function readNumber(value: unknown, field: string, report: Report): Port | undefined {
  if (isPortNumber(value)) return { first: value, last: value };
  report(field, `${shown(value)} is no port`, 'use a number from 1 to 65535');
  return undefined;
}

/** `mayBeOne`: the first versions of the API took ranges of one port. */
function readRange(value: unknown, others: readonly string[], field: string, report: Report, mayBeOne = false): Port | undefined {
  const range = fieldsOf(value);
  const { start, end } = range ?? {};
  if (range === undefined || !isPortNumber(start) || !isPortNumber(end) || start > end || (start === end && !mayBeOne)) {
    report(field, `${shown(value)} is no range of ports`, 'give start and end from 1 to 65535, start less than end');
    return undefined;
  }
  return knowsAll(range, [...others, 'start', 'end'], field, report) ? { first: start, last: end } : undefined;
}

/** The API takes any text. One that no port can have is the name of none. */
function readName(value: unknown, field: string, report: Report): Entry | undefined {
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return { name: value };
  report(field, `${shown(value)} is no name of a port`);
  return undefined;
}
