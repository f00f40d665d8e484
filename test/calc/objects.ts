// Builders of what sync tells calc, with everything that a test does not care about left at "any" or "none". Everything is in namespace
// "ns" unless it says otherwise.

import type { HostEndpoint } from '../../src/model/host-endpoint.ts';
import type { NetworkSet } from '../../src/model/network-set.ts';
import type { ServiceEndpoints } from '../../src/model/service-endpoints.ts';
import type { WorkloadEndpoint } from '../../src/model/endpoint.ts';
import { labelsOf } from '../../src/model/labels.ts';
import type { Policy } from '../../src/model/policy.ts';
import { policyKey } from '../../src/model/policy.ts';
import type { EntityMatch, Rule } from '../../src/model/rule.ts';
import { anyEntity } from '../../src/model/rule.ts';
import { parseSelector } from '../../src/model/selector/parse.ts';
import type { Update } from '../../src/model/update.ts';
import { localNode, originOf } from './worlds.ts';

export interface PodParts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly address?: string;
  /** Instead of `address`. */
  readonly addresses?: readonly string[];
  readonly local?: boolean;
  /** Local, but its interface is not known. */
  readonly bare?: boolean;
  readonly profiles?: readonly string[];
  readonly ports?: WorkloadEndpoint['ports'];
}

export function pod(name: string, { labels = {}, address = '10.0.0.1', addresses, local = false, bare = false, profiles = [], ports = [] }: PodParts = {}): Update {
  const value: WorkloadEndpoint = {
    origin: originOf('Pod', name, 'ns'),
    node: local ? localNode : 'node-1',
    ...(local && !bare ? { interfaceName: `cali-${name}` } : {}),
    addresses: addresses ?? [address],
    labels: labelsOf(Object.entries(labels)),
    profiles,
    ports,
  };
  return { op: 'upsert', kind: 'endpoint', key: `ns/${name}`, value };
}

export function gone(kind: Update['kind'], key: string): Update {
  return { op: 'delete', kind, key };
}

export function profile(name: string, labels: Readonly<Record<string, string>> = {}, ingress: readonly Rule[] = []): Update {
  const value = { origin: originOf('Namespace', name), name, labels: labelsOf(Object.entries(labels)), ingress, egress: [] };
  return { op: 'upsert', kind: 'profile', key: name, value };
}

export function tier(name: string, order: number, defaultAction: 'deny' | 'pass'): Update {
  return { op: 'upsert', kind: 'tier', key: name, value: { origin: originOf('Tier', name), name, order, defaultAction } };
}

export type EntityParts = Partial<Omit<EntityMatch, 'selector' | 'notSelector'>> & { readonly from?: string; readonly notFrom?: string };

/** One end of a rule: `from` and `notFrom` are its selectors. */
export function end({ from, notFrom, ...rest }: EntityParts): EntityMatch {
  return {
    ...anyEntity,
    ...rest,
    ...(from === undefined ? {} : { selector: parseSelector(from) }),
    ...(notFrom === undefined ? {} : { notSelector: parseSelector(notFrom) }),
  };
}

/** A rule about its source. */
export function rule(action: Rule['action'], source: EntityParts = {}, more: Partial<Rule> = {}): Rule {
  return { action, source: end(source), destination: anyEntity, index: 0, ...more };
}

export function policy(name: string, selector: string, ingress: readonly Rule[], more: Partial<Policy> = {}): Update {
  const value: Policy = {
    origin: originOf('NetworkPolicy', name, 'ns'),
    kind: 'knp',
    tier: 'default',
    order: 1000,
    selector: parseSelector(selector),
    types: { ingress: true, egress: false },
    ingress,
    egress: [],
    ...more,
  };
  return { op: 'upsert', kind: 'policy', key: policyKey(value.kind, value.origin.namespace, name), value };
}

/** A cluster-wide policy of Calico's own kind. */
export function globalPolicy(name: string, selector: string, ingress: readonly Rule[], more: Partial<Policy> = {}): Update {
  return policy(name, selector, ingress, { kind: 'gnp', origin: originOf('GlobalNetworkPolicy', name), ...more });
}

/** Of a namespace, or global where that is "". */
export function networkSet(name: string, labels: Readonly<Record<string, string>>, nets: readonly string[] | 'broken', namespace = ''): Update {
  const value: NetworkSet = {
    origin: originOf(namespace === '' ? 'GlobalNetworkSet' : 'NetworkSet', name, namespace),
    labels: labelsOf(Object.entries(labels)),
    profiles: namespace === '' ? [] : [`kns.${namespace}`],
    ...(nets === 'broken' ? { nets: [], isBroken: true } : { nets }),
  };
  return { op: 'upsert', kind: 'networkSet', key: `${namespace}/${name}`, value };
}

/** On this node, for interface eth0. */
export function host(name: string, labels: Readonly<Record<string, string>>, more: Partial<HostEndpoint> = {}): Update {
  const value: HostEndpoint = {
    origin: originOf('HostEndpoint', name),
    node: localNode,
    interfaceName: 'eth0',
    expectedAddresses: [],
    labels: labelsOf(Object.entries(labels)),
    profiles: [],
    ports: [],
    ...more,
  };
  return { op: 'upsert', kind: 'hostEndpoint', key: name, value };
}

export function slice(name: string, service: string, addresses: readonly string[] | 'broken', ports: ServiceEndpoints['ports'] = []): Update {
  const parts = addresses === 'broken' ? { addresses: [], ports: [], isBroken: true as const } : { addresses, ports };
  const value: ServiceEndpoints = { origin: originOf('EndpointSlice', name, 'ns'), service, ...parts };
  return { op: 'upsert', kind: 'serviceEndpoints', key: `ns/${name}`, value };
}
