// HostEndpoint → HostEndpoint. Of one that breaks a rule of the API the interface is as if nobody had made an endpoint of it, as Calico
// has it. It is broken as a network set is: calc takes it for every address where that can only close, and for none elsewhere.

import { deepEqual } from '../../lib/deep-equal.ts';
import type { HostEndpoint } from '../../model/host-endpoint.ts';
import { labelsOf } from '../../model/labels.ts';
import { canonicalAddress } from '../../model/net/cidr.ts';
import type { EndpointPort } from '../../model/net/port.ts';
import { calicoVersions, originOf, readCalicoMeta } from './calico-metadata.ts';
import type { DecodeContext } from './decode-context.ts';
import { dnsSubdomainProblem, isPortNumber, portNameProblem } from './names.ts';
import { type Decoded, PartReport, ProblemList, type Report } from './problem.ts';
import type { Resource } from './resource.ts';
import { hasPorts, readProtocol } from './rule-protocol.ts';
import { type Fields, fieldsOf, isAbsent, knowsAll, readFields, readList, shown } from './wire.ts';

export const hostEndpoints: Resource<'hostEndpoint'> = {
  kind: 'HostEndpoint',
  ...calicoVersions,
  plural: 'hostendpoints',
  namespaced: false,
  valueKind: 'hostEndpoint',
  key: ({ name }) => name,
  decode: decodeHostEndpoint,
  // The generation does not count: nothing is made of it.
  same: (a, b) => deepEqual({ ...a, origin: undefined }, { ...b, origin: undefined }),
};

const fields = ['node', 'interfaceName', 'expectedIPs', 'profiles', 'ports'];

function decodeHostEndpoint(object: unknown, context: DecodeContext): Decoded<HostEndpoint> {
  const { problems, report } = new ProblemList();
  const meta = readCalicoMeta(object, hostEndpoints, report);
  const spec = readFields(fieldsOf(object)?.['spec'], 'spec', report) ?? {};
  knowsAll(spec, fields, 'spec', report);
  const node = readNode(spec['node'], report);
  const interfaceName = readInterface(spec['interfaceName'], report);
  const expectedAddresses = readTexts(spec, 'expectedIPs', canonicalAddress, 'is no address', report);
  const profiles = readTexts(spec, 'profiles', (text) => (dnsSubdomainProblem(text) === undefined ? text : undefined), 'is no name of a profile', report);
  if (problems.length === 0 && interfaceName === '' && expectedAddresses.length === 0) report('spec', 'names neither interfaceName nor expectedIPs', 'give one of them');
  const ports = readPorts(spec['ports'], report);
  if (meta === undefined) return { value: undefined, problems, consequence: 'the host endpoint is ignored' };
  const value: HostEndpoint = {
    origin: originOf(hostEndpoints, meta),
    node: context.text(node),
    interfaceName,
    expectedAddresses,
    labels: context.list(labelsOf(Object.entries(meta.labels))),
    profiles: context.list(profiles),
    ports: context.ports(ports),
  };
  if (problems.length === 0) return { value, problems };
  const consequence = 'nothing polices its interface; it is no address to rules that allow, and every address to rules that deny';
  return { value: { ...value, node: '', interfaceName: '', expectedAddresses: [], ports: [], isBroken: true }, problems, consequence };
}

function readNode(value: unknown, report: Report): string {
  const problem = typeof value === 'string' ? dnsSubdomainProblem(value) : 'must be a string';
  if (problem !== undefined) report('spec.node', isAbsent(value) ? 'is missing' : `${shown(value)} ${problem}`, 'give the name of a node');
  return problem === undefined ? (value as string) : '';
}

/** A name that the kernel could have, or "*". */
function readInterface(value: unknown, report: Report): string {
  if (isAbsent(value) || value === '') return '';
  if (typeof value === 'string' && /^(?:\*|[A-Za-z0-9_.-]{1,15})$/.test(value)) return value;
  report('spec.interfaceName', `${shown(value)} is no name of an interface`, 'use at most 15 letters, digits and "_.-", or "*" for all');
  return '';
}

function readTexts(spec: Fields, name: string, canonical: (text: string) => string | undefined, problem: string, report: Report): readonly string[] {
  const texts = (readList(spec[name], `spec.${name}`, report) ?? []).map((entry, i) => {
    const text = typeof entry === 'string' ? canonical(entry) : undefined;
    if (text === undefined) report(`spec.${name}[${i}]`, `${shown(entry)} ${problem}`);
    return text;
  });
  return [...new Set(texts.filter((text) => text !== undefined))];
}

function readPorts(value: unknown, report: Report): readonly EndpointPort[] {
  return (readList(value, 'spec.ports', report) ?? []).map((entry, i) => readPort(entry, `spec.ports[${i}]`, report)).filter((port) => port !== undefined);
}

function readPort(value: unknown, field: string, outer: Report): EndpointPort | undefined {
  const part = new PartReport(outer);
  const entry = fieldsOf(value);
  if (entry === undefined) part.report(field, 'must be an object');
  const { name, port } = entry ?? {};
  knowsAll(entry ?? {}, ['name', 'port', 'protocol'], field, part.report);
  const nameProblem = typeof name === 'string' ? portNameProblem(name) : 'must be a string';
  if (nameProblem !== undefined) part.report(`${field}.name`, `${shown(name)} ${nameProblem}`);
  if (!isPortNumber(port)) part.report(`${field}.port`, `${shown(port)} is no port`, 'use a number from 1 to 65535');
  const protocol = readProtocol(entry?.['protocol'], `${field}.protocol`, part.report);
  if (part.isSound && !hasPorts(protocol)) part.report(`${field}.protocol`, `${shown(entry?.['protocol'])} has no ports`, 'use TCP, UDP or SCTP');
  return part.isSound ? { name: name as string, protocol: protocol ?? 0, port: port as number } : undefined;
}
