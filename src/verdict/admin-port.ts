// One entry of `protocols` (ClusterNetworkPolicy) or `ports` (its predecessors) of the network policy API. In: the wire form. Out: the
// ports it means, any of which may match; undefined, and reported, where the API refuses it. A name means a port of whatever protocol.

import type { RulePort } from './network-policy-port.ts';
import { transportProtocols } from './pods.ts';
import { fieldsOf, isAbsent, knowsAll } from './wire.ts';
import type { Fields, Report } from './wire.ts';

export function readAdminPorts(value: unknown, style: 'ports' | 'protocols', field: string, report: Report): readonly RulePort[] | undefined {
  const isNew = style === 'protocols';
  const choice = choose(value, isNew ? ['tcp', 'udp', 'sctp', 'destinationNamedPort'] : ['portNumber', 'portRange', 'namedPort'], field, report);
  if (choice === undefined) return undefined;
  const at = `${field}.${choice.name}`;
  if (choice.name === 'destinationNamedPort' || choice.name === 'namedPort') return readName(choice.value, at, report);
  return isNew ? readProtocolPort(choice.name, choice.value, at, report) : readNumbered(choice.name, choice.value, at, report);
}

/** The one field that the object has. */
function choose(value: unknown, names: readonly string[], field: string, report: Report): { readonly name: string; readonly value: unknown } | undefined {
  const fields = fieldsOf(value) ?? {};
  if (!knowsAll(fields, names, field, report)) return undefined;
  const [name, ...more] = names.filter((each) => !isAbsent(fields[each]));
  if (name !== undefined && more.length === 0) return { name, value: fields[name] };
  report(field, `must have exactly one of ${names.join(', ')}`);
  return undefined;
}

function readName(value: unknown, field: string, report: Report): readonly RulePort[] | undefined {
  // Of any text, unlike in other policies: the API does not look at it. What cannot be a name is nobody's.
  const isName = typeof value === 'string' && value.length > 0 && value.isWellFormed();
  if (isName) return [...transportProtocols.values()].map((protocol) => ({ protocol, port: { name: value } }));
  report(field, 'must be a name');
  return undefined;
}

/** tcp, udp, sctp: { destinationPort: { number } | { range: { start, end } } }. */
function readProtocolPort(protocolName: string, value: unknown, field: string, report: Report): readonly RulePort[] | undefined {
  const outer = choose(value, ['destinationPort'], field, report);
  const inner = outer && choose(outer.value, ['number', 'range'], `${field}.destinationPort`, report);
  if (inner === undefined) return undefined;
  const at = `${field}.destinationPort.${inner.name}`;
  const port = inner.name === 'number' ? readNumber(inner.value, at, report) : readRange(fieldsOf(inner.value), ['start', 'end'], at, report);
  const protocol = transportProtocols.get(protocolName.toUpperCase());
  return port === undefined || protocol === undefined ? undefined : [{ protocol, port }];
}

/** portNumber: { protocol, port }; portRange: { protocol, start, end }. */
function readNumbered(name: string, value: unknown, field: string, report: Report): readonly RulePort[] | undefined {
  const fields = fieldsOf(value);
  const protocol = transportProtocols.get(isAbsent(fields?.['protocol']) || fields['protocol'] === '' ? 'TCP' : fields['protocol']);
  if (protocol === undefined) report(`${field}.protocol`, `must be one of ${[...transportProtocols.keys()].join(', ')}`);
  let port: { readonly first: number; readonly last: number } | undefined;
  if (name === 'portRange') port = readRange(fields, ['protocol', 'start', 'end'], field, report, 1);
  else if (fields && knowsAll(fields, ['protocol', 'port'], field, report)) port = readNumber(fields['port'], `${field}.port`, report);
  else if (!fields) report(field, 'must be an object');
  return port === undefined || protocol === undefined ? undefined : [{ protocol, port }];
}

function readNumber(value: unknown, field: string, report: Report): { readonly first: number; readonly last: number } | undefined {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65535) return { first: Number(value), last: Number(value) };
  report(field, 'must be a whole number from 1 to 65535');
  return undefined;
}

/** `shortest`: how many ports there must be; the older API took ranges of one. */
function readRange(value: Fields | undefined, names: readonly string[], field: string, report: Report, shortest = 2): { readonly first: number; readonly last: number } | undefined {
  if (value === undefined) report(field, 'must be an object');
  if (value === undefined || !knowsAll(value, names, field, report)) return undefined;
  const start = readNumber(value['start'], `${field}.start`, report);
  const end = readNumber(value['end'], `${field}.end`, report);
  if (start === undefined || end === undefined) return undefined;
  if (end.last - start.first + 1 >= shortest) return { first: start.first, last: end.last };
  report(field, 'must start before it ends');
  return undefined;
}
