// One entry of `ports` of a NetworkPolicy. In: the wire form. Out: the protocol with all its ports, a range of them, or a name;
// undefined, with every problem reported, where the API server would refuse it.

import type { Packet } from '../model/packet.ts';
import { portNameProblem } from './names.ts';
import { transportProtocols } from './pods.ts';
import type { Pod } from './pods.ts';
import { fieldsOf, isAbsent, knowsAll } from './wire.ts';
import type { Report } from './wire.ts';

export interface RulePort {
  /** IANA number. */
  readonly protocol: number;
  readonly port: 'all' | { readonly first: number; readonly last: number } | { readonly name: string };
}

/** A name matches when one of the receivers offers the packet's port under that name. */
export function portMatches({ protocol, port }: RulePort, packet: Packet, receivers: readonly Pod[]): boolean {
  if (packet.protocol !== protocol) return false;
  if (port === 'all') return true;
  const number = packet.destinationPort;
  if (number === undefined) return false;
  if ('first' in port) return port.first <= number && number <= port.last;
  return receivers.some((pod) => pod.ports.some((offered) => offered.name === port.name && offered.protocol === protocol && offered.port === number));
}

export function readPort(value: unknown, field: string, report: Report): RulePort | undefined {
  const entry = fieldsOf(value);
  if (entry === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const isKnown = knowsAll(entry, ['protocol', 'port', 'endPort'], field, report);
  const protocol = transportProtocols.get(entry['protocol'] ?? 'TCP');
  if (protocol === undefined) report(`${field}.protocol`, `must be one of ${[...transportProtocols.keys()].join(', ')}`);
  const port = readNumbers(entry['port'], entry['endPort'], field, report);
  return isKnown && protocol !== undefined && port !== undefined ? { protocol, port } : undefined;
}

function readNumbers(port: unknown, endPort: unknown, field: string, report: Report): RulePort['port'] | undefined {
  const refuse = (at: string, problem: string): undefined => {
    report(`${field}.${at}`, problem);
    return undefined;
  };
  if (typeof port === 'number') {
    if (!isPortNumber(port)) return refuse('port', 'must be a whole number from 1 to 65535');
    if (isAbsent(endPort)) return { first: port, last: port };
    if (!isPortNumber(endPort)) return refuse('endPort', 'must be a whole number from 1 to 65535');
    if (endPort < port) return refuse('endPort', 'must not be less than port');
    return { first: port, last: endPort };
  }
  if (!isAbsent(endPort)) return refuse('endPort', 'may only be given with a numeric port');
  if (isAbsent(port)) return 'all';
  const problem = typeof port === 'string' ? portNameProblem(port) : 'must be a number or a name';
  return problem === undefined ? { name: port as string } : refuse('port', problem);
}

function isPortNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535;
}
