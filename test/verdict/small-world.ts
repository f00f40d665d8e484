// Short ways to write the wire objects and packets of the judge's tests. The expected results stay in the tests, by hand.
//
// The interface names are computed here a second time with Node's own hash, so a test may say "from pod a/x to pod b/y".

import { createHash } from 'node:crypto';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';

type Labels = Record<string, string>;

export function namespace(name: string, labels: Labels = {}): WireObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } } };
}

export interface PodShape {
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly metadata?: Record<string, unknown>;
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
  readonly node?: string;
}

/** `pod('web/front', '10.0.0.1')`: on node "here" unless said otherwise. */
export function pod(key: string, address: string, shape: PodShape = {}): WireObject {
  const [ns = '', name = ''] = key.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: ns, labels: shape.labels ?? {}, annotations: shape.annotations ?? {}, ...shape.metadata },
    spec: { nodeName: shape.node ?? 'here', serviceAccountName: 'default', ...shape.spec },
    status: shape.status ?? (address === '' ? { phase: 'Pending' } : { phase: 'Running', podIP: address, podIPs: [{ ip: address }] }),
  };
}

export function policy(key: string, spec: Record<string, unknown>): WireObject {
  const [ns = '', name = ''] = key.split('/');
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: ns }, spec };
}

export function world(objects: readonly WireObject[], options: Partial<World['options']> = {}): World {
  return { node: 'here', objects, options: { interfacePrefixes: ['cali'], defaultEndpointToHostAction: 'ACCEPT', ...options } };
}

export function interfaceOf(key: string, prefix = 'cali'): string {
  return prefix + createHash('sha1').update(key.replace('/', '.')).digest('hex').slice(0, 11);
}

/** A new TCP connection to port 80, forwarded from and to interfaces that are no workload's unless said otherwise. */
export function packet(source: string, destination: string, rest: Partial<Packet> = {}): Packet {
  return {
    family: source.includes(':') ? 6 : 4,
    source,
    destination,
    protocol: 6,
    sourcePort: 40000,
    destinationPort: 80,
    inInterface: 'eth0',
    outInterface: 'eth0',
    connection: 'new',
    ...rest,
  };
}

export function into(key: string, source: string, destination: string, rest: Partial<Packet> = {}): Packet {
  return packet(source, destination, { outInterface: interfaceOf(key), ...rest });
}

export function outOf(key: string, source: string, destination: string, rest: Partial<Packet> = {}): Packet {
  return packet(source, destination, { inInterface: interfaceOf(key), ...rest });
}

/** To a process of the node itself. */
export function toHost(key: string, source: string, destination: string): Packet {
  const { outInterface: _, ...rest } = outOf(key, source, destination);
  return rest;
}

/** From a process of the node itself. */
export function fromHost(key: string, source: string, destination: string): Packet {
  const { inInterface: _, ...rest } = into(key, source, destination);
  return rest;
}

type Json = Record<string, unknown>;

function calico(kind: string, key: string, spec: Json, metadata: Json = {}): WireObject {
  const [first = '', second] = key.split('/');
  const identity = second === undefined ? { name: first } : { name: second, namespace: first };
  return { apiVersion: 'crd.projectcalico.org/v1', kind, metadata: { ...identity, ...metadata }, spec };
}

/** GlobalNetworkPolicy `globalPolicy('name', …)`. */
export function globalPolicy(name: string, spec: Json, metadata: Json = {}): WireObject {
  return calico('GlobalNetworkPolicy', name, spec, metadata);
}

/** Calico's NetworkPolicy `calicoPolicy('namespace/name', …)`. */
export function calicoPolicy(key: string, spec: Json, metadata: Json = {}): WireObject {
  return calico('NetworkPolicy', key, spec, metadata);
}

export function tier(name: string, spec: Json): WireObject {
  return calico('Tier', name, spec);
}

/** NetworkSet 'namespace/name', GlobalNetworkSet 'name'. */
export function networkSet(key: string, nets: readonly unknown[], labels: Labels = {}): WireObject {
  return calico(key.includes('/') ? 'NetworkSet' : 'GlobalNetworkSet', key, { nets }, { labels });
}

export function hostEndpoint(name: string, spec: Json, labels: Labels = {}): WireObject {
  return calico('HostEndpoint', name, { node: 'here', ...spec }, { labels });
}

/** `slice('namespace/service', ['10.0.0.1'], [{ port: 80 }])`. */
export function slice(key: string, addresses: readonly string[], ports: readonly Json[], more: Json = {}): WireObject {
  const [ns = '', service = ''] = key.split('/');
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-1`, namespace: ns, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: false } })),
    ports,
    ...more,
  };
}

export function clusterPolicy(name: string, spec: Json): WireObject {
  return { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name }, spec };
}

export function adminPolicy(kind: 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy', name: string, spec: Json): WireObject {
  return { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind, metadata: { name }, spec };
}

/** A namespace with two pods. */
export const xAndY: readonly WireObject[] = [
  namespace('a'),
  pod('a/x', '10.0.0.1', { labels: { app: 'x' } }),
  pod('a/y', '10.0.0.2', { labels: { app: 'y' } }),
];

/** Of "in x:80", "in x:443", "out x", "in y", "out y": what these policies leave of it. */
export function allowedAmongXAndY(...policies: readonly WireObject[]): readonly string[] {
  const judged = judge(world([...xAndY, ...policies]));
  const packets = {
    'in x:80': into('a/x', '192.0.2.1', '10.0.0.1'),
    'in x:443': into('a/x', '192.0.2.1', '10.0.0.1', { destinationPort: 443 }),
    'out x': outOf('a/x', '10.0.0.1', '192.0.2.1'),
    'in y': into('a/y', '192.0.2.1', '10.0.0.2'),
    'out y': outOf('a/y', '10.0.0.2', '192.0.2.1'),
  };
  return Object.entries(packets).flatMap(([name, packet]) => (judged.verdict(packet).action === 'allow' ? [name] : []));
}
