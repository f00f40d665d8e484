// discovery.k8s.io/v1 EndpointSlice → ServiceEndpoints: the addresses and ports of a part of a service's endpoints, ready or not.
// Nothing: slices that belong to no service, and those of host names. One that breaks a rule of the API in any part is broken: calc then
// takes it for every address where that can only close, and for none elsewhere. One whose service cannot be read is absent: no rule
// can name it.

import { deepEqual } from '../../lib/deep-equal.ts';
import { canonicalAddress, familyOf } from '../../model/net/cidr.ts';
import { protocolNumbers } from '../../model/net/protocol.ts';
import type { ServiceEndpoints } from '../../model/service-endpoints.ts';
import type { DecodeContext } from './decode-context.ts';
import { dnsSubdomainProblem, isPortNumber } from './names.ts';
import { readMeta, readStringMap } from './object-meta.ts';
import { type Decoded, nothing, ProblemList, type Report } from './problem.ts';
import type { Resource } from './resource.ts';
import { type Fields, fieldsOf, isAbsent, readList, shown } from './wire.ts';

const serviceLabel = 'kubernetes.io/service-name';

export const endpointSlices: Resource<'serviceEndpoints'> = {
  kind: 'EndpointSlice',
  apiVersion: 'discovery.k8s.io/v1',
  plural: 'endpointslices',
  namespaced: true,
  valueKind: 'serviceEndpoints',
  key: ({ namespace, name }) => `${namespace}/${name}`,
  decode: decodeEndpointSlice,
  // The generation does not count: nothing is made of it.
  same: (a, b) => deepEqual({ ...a, origin: undefined }, { ...b, origin: undefined }),
};

function decodeEndpointSlice(object: unknown, context: DecodeContext): Decoded<ServiceEndpoints> {
  const { problems, report } = new ProblemList();
  const meta = readMeta(object, true, report);
  const service = meta && readStringMap(meta.fields['labels'], 'metadata.labels', report)?.[serviceLabel];
  const slice = fieldsOf(object) ?? {};
  if (problems.length === 0 && (service === undefined || service === '' || slice['addressType'] === 'FQDN')) return nothing;
  const serviceProblem = service === undefined ? undefined : dnsSubdomainProblem(service);
  if (serviceProblem !== undefined) report(`metadata.labels[${serviceLabel}]`, `${shown(service)} ${serviceProblem}`);
  const { addressType } = slice;
  if (addressType !== 'IPv4' && addressType !== 'IPv6') report('addressType', `${shown(addressType)} is no type of addresses`, 'use one of IPv4, IPv6, FQDN');
  const addresses = readAddresses(slice, addressType === 'IPv6' ? 6 : 4, report);
  const ports = readPorts(slice, report);
  if (meta === undefined || service === undefined || serviceProblem !== undefined) {
    return { value: undefined, problems, consequence: 'the endpoints in it are none of their service' };
  }
  const { kind, apiVersion } = endpointSlices;
  const value: ServiceEndpoints = {
    origin: { kind, apiVersion, namespace: context.text(meta.namespace), name: meta.name, generation: meta.generation },
    service: context.text(`${meta.namespace}/${service}`),
    addresses,
    ports,
  };
  if (problems.length === 0) return { value, problems };
  const consequence = 'it is no endpoint to rules that allow, and every address to rules that deny';
  return { value: { ...value, addresses: [], ports: [], isBroken: true }, problems, consequence };
}

function readAddresses(slice: Fields, family: 4 | 6, report: Report): readonly string[] {
  const addresses = new Set<string>();
  for (const [i, endpoint] of (readList(slice['endpoints'], 'endpoints', report) ?? []).entries()) {
    const field = `endpoints[${i}].addresses`;
    const fields = fieldsOf(endpoint);
    if (fields === undefined) report(`endpoints[${i}]`, 'must be an object');
    for (const [j, text] of (readList(fields?.['addresses'], field, report) ?? []).entries()) {
      const address = typeof text === 'string' ? canonicalAddress(text) : undefined;
      if (address === undefined || familyOf(address) !== family) report(`${field}[${j}]`, `${shown(text)} is no address of IPv${family}`);
      else addresses.add(address);
    }
  }
  return [...addresses];
}

/** A port without a number stands for all of them, which no rule can match. */
function readPorts(slice: Fields, report: Report): ServiceEndpoints['ports'] {
  const ports = new Map<string, ServiceEndpoints['ports'][number]>();
  for (const [i, entry] of (readList(slice['ports'], 'ports', report) ?? []).entries()) {
    const fields = fieldsOf(entry);
    if (fields === undefined) report(`ports[${i}]`, 'must be an object');
    const { protocol: name, port } = fields ?? {};
    const protocol = isAbsent(name) ? protocolNumbers['TCP'] : name === 'TCP' || name === 'UDP' || name === 'SCTP' ? protocolNumbers[name] : undefined;
    if (protocol === undefined) report(`ports[${i}].protocol`, `${shown(name)} is no protocol`, 'use one of TCP, UDP, SCTP');
    if (isAbsent(port)) continue;
    if (!isPortNumber(port)) report(`ports[${i}].port`, `${shown(port)} is no port`, 'use a number from 1 to 65535');
    if (protocol !== undefined && isPortNumber(port)) ports.set(`${protocol}/${port}`, { protocol, port });
  }
  return [...ports.values()];
}
