// The named ports of a pod. In: its spec. Out: what policies can refer to by name, from containers and init containers
// (sidecars are init containers); ephemeral containers have no ports. A bad one is reported and left out.

import type { EndpointPort } from '../../model/net/port.ts';
import { protocolNumbers } from '../../model/net/protocol.ts';
import { isPortNumber, portNameProblem } from './names.ts';
import type { Report } from './problem.ts';
import { type Fields, fieldsOf, isAbsent, readList, shown } from './wire.ts';

const none: readonly EndpointPort[] = Object.freeze([]);

export function readPodPorts(spec: Fields, report: Report): readonly EndpointPort[] {
  // Each once: a pod may have very many.
  const ports = new Map<string, EndpointPort>();
  for (const list of ['containers', 'initContainers']) {
    for (const [i, container] of (readList(spec[list], `spec.${list}`, report) ?? []).entries()) {
      const field = `spec.${list}[${i}].ports`;
      for (const [j, entry] of (readList(fieldsOf(container)?.['ports'], field, report) ?? []).entries()) {
        const port = readPort(entry, `${field}[${j}]`, report);
        if (port === undefined) continue;
        const key = `${port.name} ${port.protocol} ${port.port}`;
        if (!ports.has(key)) ports.set(key, port);
      }
    }
  }
  return ports.size === 0 ? none : [...ports.values()];
}

function readPort(value: unknown, field: string, report: Report): EndpointPort | undefined {
  const entry = fieldsOf(value);
  if (entry === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const { name, containerPort } = entry;
  if (isAbsent(name) || name === '') return undefined;
  const nameProblem = typeof name === 'string' ? portNameProblem(name) : 'must be a string';
  const protocolName = isAbsent(entry['protocol']) || entry['protocol'] === '' ? 'TCP' : entry['protocol'];
  const isProtocol = protocolName === 'TCP' || protocolName === 'UDP' || protocolName === 'SCTP';
  const protocol = isProtocol ? protocolNumbers[protocolName] : undefined;
  if (nameProblem !== undefined) report(`${field}.name`, `${shown(name)} ${nameProblem}`);
  if (protocol === undefined) report(`${field}.protocol`, `${shown(protocolName)} is no protocol`, 'use one of TCP, UDP, SCTP');
  if (!isPortNumber(containerPort)) report(`${field}.containerPort`, `${shown(containerPort)} is no port`, 'use a number from 1 to 65535');
  if (nameProblem !== undefined || protocol === undefined || !isPortNumber(containerPort)) return undefined;
  return { name: name as string, protocol, port: containerPort };
}
