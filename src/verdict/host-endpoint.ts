// HostEndpoint: an interface of a node itself, or all of them. Selectors see it by its expected addresses; policies that select it
// are about the node's own traffic (host-path.ts). One that is broken anywhere polices nothing; to selectors it is what a broken network
// set is: every address where that can only close, and none elsewhere.

import type { WireObject } from '../model/verdict.ts';
import { readableLabels, readCalicoMetadata } from './calico-metadata.ts';
import { parseAddress } from './cidr.ts';
import type { Address } from './cidr.ts';
import type { LabelMap } from './label-selector.ts';
import { ownLabels } from './labels.ts';
import { readProtocol, transportNumbers } from './protocol.ts';
import { dnsSubdomainProblem, portNameProblem } from './names.ts';
import type { NamedPort } from './pods.ts';
import { fieldsOf, isAbsent, knowsAll, readAll, readFields, readList } from './wire.ts';
import type { Fields, Report } from './wire.ts';

export interface HostEndpoint {
  readonly kind: 'host';
  /** Its name. */
  readonly key: string;
  readonly node: string;
  /** "*" for all; "" where the interface is the one with an expected address. */
  readonly interfaceName: string;
  readonly addresses: readonly Address[];
  readonly ports: readonly NamedPort[];
  readonly profiles: readonly string[];
  /** All labels that selectors see. */
  readonly labels: LabelMap;
}

/** Its labels, as far as they can be read, are all that is known of it. */
export interface BrokenHostEndpoint {
  readonly kind: 'broken';
  readonly labels: LabelMap;
}

/** `labelsOf`: what a profile passes on. */
export function readHostEndpoint(object: WireObject, labelsOf: (profile: string) => LabelMap, report: Report): HostEndpoint | BrokenHostEndpoint {
  const metadata = readCalicoMetadata(object, 'cluster', report);
  const spec = readFields(object['spec'], 'spec', report);
  const profiles = spec && readEach(spec['profiles'], 'spec.profiles', report, readProfile);
  const named = spec?.['profiles'];
  const readable = profiles ?? (Array.isArray(named) ? named.filter((name): name is string => readProfile(name, '', () => {}) !== undefined) : []);
  const labels = new Map<string, string>();
  // Of several profiles the first one that passes a label on wins, and its own labels shadow them all.
  for (const profile of readable.toReversed()) for (const [key, value] of labelsOf(profile)) labels.set(key, value);
  for (const [key, value] of ownLabels(metadata?.labels ?? readableLabels(object))) labels.set(key, value);
  const parts = spec && readParts(spec, report);
  if (metadata === undefined || profiles === undefined || parts === undefined) return { kind: 'broken', labels };
  return { kind: 'host', key: metadata.name, ...parts, profiles, labels };
}

type Parts = Pick<HostEndpoint, 'node' | 'interfaceName' | 'addresses' | 'ports'>;

/** Undefined, and reported, where any of them is bad. */
function readParts(spec: Fields, report: Report): Parts | undefined {
  const isKnown = knowsAll(spec, ['node', 'interfaceName', 'expectedIPs', 'profiles', 'ports'], 'spec', report);
  const node = readText(spec['node'], 'spec.node', report);
  const nodeProblem = node === undefined ? undefined : dnsSubdomainProblem(node);
  if (nodeProblem !== undefined) report('spec.node', nodeProblem);
  const interfaceName = readText(spec['interfaceName'], 'spec.interfaceName', report);
  const addresses = readEach(spec['expectedIPs'], 'spec.expectedIPs', report, readExpected);
  const ports = readEach(spec['ports'], 'spec.ports', report, readPort);
  if (!isKnown || node === undefined || nodeProblem !== undefined || interfaceName === undefined || !addresses || !ports) return undefined;
  if (!/^(\*|[A-Za-z0-9_.-]{0,15})$/.test(interfaceName)) {
    report('spec.interfaceName', 'must be *, or the name of an interface');
    return undefined;
  }
  if (interfaceName === '' && addresses.length === 0) {
    report('spec', 'must have an interfaceName or expectedIPs');
    return undefined;
  }
  return { node, interfaceName, addresses, ports };
}

function readProfile(value: unknown, field: string, report: Report): string | undefined {
  const problem = typeof value === 'string' ? dnsSubdomainProblem(value) : 'must be a string';
  if (problem === undefined) return String(value);
  report(field, problem);
  return undefined;
}

function readEach<T>(value: unknown, field: string, report: Report, read: (value: unknown, field: string, report: Report) => T | undefined): readonly T[] | undefined {
  const list = readList(value, field, report);
  return list && readAll(list, field, (entry, at) => read(entry, at, report));
}

function readText(value: unknown, field: string, report: Report): string | undefined {
  if (isAbsent(value)) return '';
  if (typeof value === 'string') return value;
  report(field, 'must be a string');
  return undefined;
}

function readExpected(value: unknown, field: string, report: Report): Address | undefined {
  const address = typeof value === 'string' ? parseAddress(value) : undefined;
  if (address === undefined) report(field, `${JSON.stringify(value)} is no address`);
  return address;
}

function readPort(value: unknown, field: string, report: Report): NamedPort | undefined {
  const entry = fieldsOf(value);
  if (entry === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const isKnown = knowsAll(entry, ['name', 'protocol', 'port'], field, report);
  const { name, port } = entry;
  const protocol = readProtocol(entry['protocol'], `${field}.protocol`, report);
  const nameProblem = typeof name === 'string' ? portNameProblem(name) : 'must be a name';
  if (nameProblem !== undefined) report(`${field}.name`, nameProblem);
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65535) report(`${field}.port`, 'must be a whole number from 1 to 65535');
  else if (protocol !== undefined && !transportNumbers.includes(protocol)) report(`${field}.protocol`, 'has no ports');
  else if (isKnown && protocol !== undefined && nameProblem === undefined) return { name: String(name), protocol, port: Number(port) };
  return undefined;
}
