// What policies are about: the pods, with the labels that selectors see, and the labels of the namespaces; for Calico's policies
// also host endpoints, network sets and the endpoints of services.
//
// A pod has its own labels without those that pretend to be inherited (pcns.…, pcsa.…), three that name its namespace, its
// orchestrator and its service account, and the inherited ones: pcns.<key> of its Namespace and pcsa.<key> of its
// ServiceAccount. A Namespace that is absent (or unreadable) gives none, and what needs it fails closed: see isInNamespace in
// network-policy-peer.ts and the profile in endpoint-verdict.ts.

import type { InvalidObject, WireObject, World } from '../model/verdict.ts';
import { isCalico } from './calico-metadata.ts';
import { addressKey, isSameAddress, parseAddress } from './cidr.ts';
import type { Address } from './cidr.ts';
import { readEndpointSlice } from './endpoint-slice.ts';
import type { EndpointSlice } from './endpoint-slice.ts';
import { readHostEndpoint } from './host-endpoint.ts';
import type { BrokenHostEndpoint, HostEndpoint } from './host-endpoint.ts';
import type { LabelMap } from './label-selector.ts';
import { namespaceLabel, orchestratorLabel, ownLabels, serviceAccountLabel } from './labels.ts';
import { readMetadata } from './metadata.ts';
import { covers, readNetworkSet } from './network-set.ts';
import type { NetworkSet } from './network-set.ts';
import { interfaceName, readPod } from './pods.ts';
import type { NamedPort, Pod } from './pods.ts';
import { Profiles } from './profiles.ts';
import { reportOn } from './report.ts';
import type { Report } from './wire.ts';

export interface Endpoint extends Pod {
  readonly kind: 'pod';
  /** "namespace/name". */
  readonly key: string;
  /** All labels that selectors see. */
  readonly labels: LabelMap;
  /** Labels of its Namespace; undefined when there is none. */
  readonly namespaceLabels: LabelMap | undefined;
}

/** Whatever a selector of Calico's rules may mean. */
export interface Labelled {
  readonly labels: LabelMap;
  /** Network sets have none. */
  readonly ports: readonly NamedPort[];
}

export interface Cluster {
  readonly profiles: Profiles;
  /** Every pod that has this address, on any node. */
  endpointsAt(address: Address): readonly Endpoint[];
  /** Pods, host endpoints and network sets that have or cover this address; `brokenCounts`: broken ones cover every address. */
  labelledAt(address: Address, brokenCounts: boolean): readonly Labelled[];
  /** Shares of the Service "namespace/name". */
  slicesOf(service: string): readonly EndpointSlice[];
  /** The pod of the judged node behind an interface. */
  endpointBehind(interfaceName: string): Endpoint | undefined;
  /** The host endpoint that an interface of the judged node is. With "*" that is the one for all interfaces. */
  hostEndpointAt(interfaceName: string): HostEndpoint | undefined;
}

export function readCluster(world: World, invalid: InvalidObject[]): Cluster {
  const profiles = new Profiles();
  const pods: Pod[] = [];
  const slices: EndpointSlice[] = [];
  for (const object of world.objects) {
    const report = reportOn(object, invalid);
    if (object.apiVersion === 'v1') readCore(object, profiles, pods, report);
    if (object.apiVersion !== 'discovery.k8s.io/v1' || object.kind !== 'EndpointSlice') continue;
    const slice = readEndpointSlice(object, report);
    if (slice) slices.push(slice);
  }
  const sets: NetworkSet[] = [];
  const hosts: HostEndpoint[] = [];
  const brokenHosts: BrokenHostEndpoint[] = [];
  for (const object of world.objects.filter(isCalico)) {
    const report = reportOn(object, invalid);
    if (object.kind === 'NetworkSet' || object.kind === 'GlobalNetworkSet') sets.push(readNetworkSet(object, profiles.namespaces, report));
    if (object.kind !== 'HostEndpoint') continue;
    const host = readHostEndpoint(object, (profile) => profiles.labelsOf(profile), report);
    if (host.kind === 'host') hosts.push(host);
    else brokenHosts.push(host);
  }

  const byAddress = new Map<string, (Endpoint | HostEndpoint)[]>();
  const byInterface = new Map<string, Endpoint>();
  const [prefix = ''] = world.options.interfacePrefixes;
  const endpoints = pods.map((pod) => endpointOf(pod, profiles));
  for (const each of [...endpoints, ...hosts]) {
    for (const key of new Set(each.addresses.map(addressKey))) byAddress.set(key, [...(byAddress.get(key) ?? []), each]);
  }
  for (const endpoint of endpoints) {
    if (endpoint.node === world.node) byInterface.set(interfaceName(prefix, endpoint.namespace, endpoint.name), endpoint);
  }
  const local = hosts.filter(({ node }) => node === world.node).sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    profiles,
    endpointsAt: (address) => (byAddress.get(addressKey(address)) ?? []).filter((each) => each.kind === 'pod'),
    labelledAt: (address, brokenCounts) => [
      ...(byAddress.get(addressKey(address)) ?? []),
      ...sets.filter((set) => covers(set, address, brokenCounts)).map(({ labels }) => ({ labels, ports: [] })),
      ...(brokenCounts ? brokenHosts : []).map(({ labels }) => ({ labels, ports: [] })),
    ],
    slicesOf: (service) => slices.filter((slice) => slice.service === service),
    endpointBehind: (name) => byInterface.get(name),
    hostEndpointAt: (name) => local.find((host) => isInterface(host, name, world)),
  };
}

function readCore(object: WireObject, profiles: Profiles, pods: Pod[], report: Report): void {
  if (object.kind === 'Namespace') {
    const metadata = readMetadata(object, 'cluster', report);
    if (metadata) profiles.namespaces.set(metadata.name, metadata.labels);
  } else if (object.kind === 'ServiceAccount') {
    const metadata = readMetadata(object, 'namespaced', report);
    if (metadata) profiles.serviceAccounts.set(`${metadata.namespace}/${metadata.name}`, metadata.labels);
  } else if (object.kind === 'Pod') {
    const pod = readPod(object, report);
    if (pod) pods.push(pod);
  }
}

function endpointOf(pod: Pod, profiles: Profiles): Endpoint {
  const labels = new Map([
    ...profiles.labelsOf(`kns.${pod.namespace}`),
    ...profiles.labelsOf(`ksa.${pod.namespace}.${pod.serviceAccount}`),
    ...ownLabels(pod.ownLabels),
  ]);
  labels.set(namespaceLabel, pod.namespace);
  labels.set(orchestratorLabel, 'k8s');
  if (pod.serviceAccount !== '') labels.set(serviceAccountLabel, pod.serviceAccount);
  return { ...pod, kind: 'pod', key: `${pod.namespace}/${pod.name}`, labels, namespaceLabels: profiles.namespaces.get(pod.namespace) };
}

function isInterface(host: HostEndpoint, name: string, { options }: World): boolean {
  if (host.interfaceName !== '') return host.interfaceName === name;
  const there = (options.hostInterfaces?.[name] ?? []).map(parseAddress);
  return there.some((address) => address && host.addresses.some((expected) => isSameAddress(expected, address)));
}
