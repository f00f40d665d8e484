// What policies are about: the pods, with the labels that selectors see, and the labels of the namespaces.
//
// A pod has its own labels without those that pretend to be inherited (pcns.…, pcsa.…), three that name its namespace, its
// orchestrator and its service account, and the inherited ones: pcns.<key> of its Namespace and pcsa.<key> of its
// ServiceAccount. A Namespace that is absent (or unreadable) gives none, and what needs it fails closed: see isInNamespace in
// network-policy.ts and the profile in endpoint-verdict.ts.

import type { InvalidObject, World } from '../model/verdict.ts';
import { addressKey } from './cidr.ts';
import type { Address } from './cidr.ts';
import type { LabelMap } from './label-selector.ts';
import { readMetadata } from './metadata.ts';
import { interfaceName, readPod } from './pods.ts';
import type { Pod } from './pods.ts';
import { reportOn } from './report.ts';

export interface Endpoint extends Pod {
  /** "namespace/name". */
  readonly key: string;
  /** All labels that selectors see. */
  readonly labels: LabelMap;
  /** Labels of its Namespace; undefined when there is none. */
  readonly namespaceLabels: LabelMap | undefined;
}

export interface Cluster {
  /** Every endpoint that has this address, on any node. */
  endpointsAt(address: Address): readonly Endpoint[];
  /** The endpoint of the judged node behind an interface. */
  endpointBehind(interfaceName: string): Endpoint | undefined;
}

export function readCluster(world: World, invalid: InvalidObject[]): Cluster {
  const namespaces = new Map<string, LabelMap>();
  const serviceAccounts = new Map<string, LabelMap>();
  const pods: Pod[] = [];
  for (const object of world.objects) {
    if (object.apiVersion !== 'v1') continue;
    const report = reportOn(object, invalid);
    if (object.kind === 'Namespace') {
      const metadata = readMetadata(object, 'cluster', report);
      if (metadata) namespaces.set(metadata.name, metadata.labels);
    } else if (object.kind === 'ServiceAccount') {
      const metadata = readMetadata(object, 'namespaced', report);
      if (metadata) serviceAccounts.set(`${metadata.namespace}/${metadata.name}`, metadata.labels);
    } else if (object.kind === 'Pod') {
      const pod = readPod(object, report);
      if (pod) pods.push(pod);
    }
  }

  const byAddress = new Map<string, Endpoint[]>();
  const byInterface = new Map<string, Endpoint>();
  const [prefix = ''] = world.options.interfacePrefixes;
  for (const pod of pods) {
    const namespaceLabels = namespaces.get(pod.namespace);
    const serviceAccountLabels = serviceAccounts.get(`${pod.namespace}/${pod.serviceAccount}`);
    const labels = labelsOf(pod, namespaceLabels, serviceAccountLabels);
    const endpoint: Endpoint = { ...pod, key: `${pod.namespace}/${pod.name}`, labels, namespaceLabels };
    for (const key of new Set(pod.addresses.map(addressKey))) byAddress.set(key, [...(byAddress.get(key) ?? []), endpoint]);
    if (pod.node === world.node) byInterface.set(interfaceName(prefix, pod.namespace, pod.name), endpoint);
  }
  return {
    endpointsAt: (address) => byAddress.get(addressKey(address)) ?? [],
    endpointBehind: (name) => byInterface.get(name),
  };
}

function labelsOf(pod: Pod, namespaceLabels: LabelMap | undefined, serviceAccountLabels: LabelMap | undefined): LabelMap {
  const labels = new Map<string, string>();
  if (namespaceLabels !== undefined) {
    for (const [key, value] of namespaceLabels) labels.set(`pcns.${key}`, value);
    labels.set('pcns.projectcalico.org/name', pod.namespace);
  }
  if (serviceAccountLabels !== undefined) {
    for (const [key, value] of serviceAccountLabels) labels.set(`pcsa.${key}`, value);
    labels.set('pcsa.projectcalico.org/name', pod.serviceAccount);
  }
  for (const [key, value] of pod.ownLabels) if (!/^pc(ns|sa)\./.test(key)) labels.set(key, value);
  labels.set('projectcalico.org/namespace', pod.namespace);
  labels.set('projectcalico.org/orchestrator', 'k8s');
  if (pod.serviceAccount === '') labels.delete('projectcalico.org/serviceaccount');
  else labels.set('projectcalico.org/serviceaccount', pod.serviceAccount);
  return labels;
}
