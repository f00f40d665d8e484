// EndpointSlice (discovery.k8s.io/v1): the addresses and ports behind a Service, which `services` of Calico's rules mean. Ready or not
// does not count. In: the wire object. Out: its share of one Service; undefined without one. What is broken anywhere counts as every
// address where that can only close, and as none elsewhere, as a broken network set does.

import type { WireObject } from '../model/verdict.ts';
import { parseAddress } from './cidr.ts';
import type { Address } from './cidr.ts';
import { readMetadata } from './metadata.ts';
import { dnsSubdomainProblem } from './names.ts';
import { transportProtocols } from './pods.ts';
import { fieldsOf, isAbsent, readAll, readList } from './wire.ts';
import type { Report } from './wire.ts';

export interface EndpointSlice {
  /** "namespace/name" of the Service. */
  readonly service: string;
  /** "broken": nobody knows which. */
  readonly addresses: readonly Address[] | 'broken';
  readonly ports: readonly { readonly protocol: number; readonly port: number }[];
}

export function readEndpointSlice(object: WireObject, report: Report): EndpointSlice | undefined {
  const metadata = readMetadata(object, 'namespaced', report);
  const name = metadata?.labels.get('kubernetes.io/service-name') ?? '';
  if (metadata === undefined || name === '') return undefined;
  const nameProblem = dnsSubdomainProblem(name);
  if (nameProblem !== undefined) report('metadata.labels[kubernetes.io/service-name]', nameProblem);
  const type = object['addressType'];
  if (type === 'FQDN') return undefined;
  if (type !== 'IPv4' && type !== 'IPv6') report('addressType', 'must be IPv4, IPv6 or FQDN');
  const endpoints = readList(object['endpoints'], 'endpoints', report);
  const addresses = endpoints && readAll(endpoints, 'endpoints', (endpoint, field) => readAddresses(endpoint, type, field, report));
  const list = readList(object['ports'], 'ports', report);
  const ports = list && readAll(list, 'ports', (port, field) => readPort(port, field, report));
  if (nameProblem !== undefined) return undefined;
  const service = `${metadata.namespace}/${name}`;
  if (!addresses || !ports || (type !== 'IPv4' && type !== 'IPv6')) return { service, addresses: 'broken', ports: [] };
  return { service, addresses: addresses.flat(), ports: ports.flat() };
}

function readAddresses(value: unknown, type: unknown, field: string, report: Report): readonly Address[] | undefined {
  const endpoint = fieldsOf(value);
  if (endpoint === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const list = readList(endpoint['addresses'], `${field}.addresses`, report);
  const family = type === 'IPv6' ? 6 : 4;
  return (
    list &&
    readAll(list, `${field}.addresses`, (text, at) => {
      const address = typeof text === 'string' ? parseAddress(text) : undefined;
      if (address?.family === family) return address;
      report(at, `${JSON.stringify(text)} is no address of IPv${family}`);
      return undefined;
    })
  );
}

/** A port without a number is nobody's. */
function readPort(value: unknown, field: string, report: Report): EndpointSlice['ports'] | undefined {
  const port = fieldsOf(value);
  const protocol = transportProtocols.get(port?.['protocol'] ?? 'TCP');
  const number = port?.['port'];
  const isNumber = Number.isInteger(number) && Number(number) >= 1 && Number(number) <= 65535;
  if (port === undefined) report(field, 'must be an object');
  else if (protocol === undefined) report(`${field}.protocol`, `must be one of ${[...transportProtocols.keys()].join(', ')}`);
  else if (isAbsent(number)) return [];
  else if (isNumber) return [{ protocol, port: Number(number) }];
  else report(`${field}.port`, 'must be a whole number from 1 to 65535');
  return undefined;
}
