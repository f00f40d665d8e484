// Pods as policies see them: those with a network interface of their own and an address.
//
// In: a Pod as the API serves it. Out: undefined for a pod that is no endpoint (host network, not scheduled, finished, without
// an address; none of this is an error) and, reported, for one whose names, labels or addresses are unreadable: such a pod is
// absent, so that its interface belongs to nobody and its traffic is denied.

import { createHash } from 'node:crypto';
import type { WireObject } from '../model/verdict.ts';
import type { Address } from './cidr.ts';
import { parseAddress, width } from './cidr.ts';
import { readMetadata } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import { fieldsOf, isAbsent, readAll, readFields, readList } from './wire.ts';
import type { Fields, Report } from './wire.ts';

export interface NamedPort {
  readonly name: string;
  /** IANA number. */
  readonly protocol: number;
  readonly port: number;
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly serviceAccount: string;
  /** As in the object's metadata. */
  readonly ownLabels: ReadonlyMap<string, string>;
  readonly addresses: readonly Address[];
  readonly ports: readonly NamedPort[];
}

/** The API's names of the protocols that have ports, and IANA's numbers. */
export const transportProtocols: ReadonlyMap<unknown, number> = new Map([
  ['TCP', 6],
  ['UDP', 17],
  ['SCTP', 132],
]);

/** Name of the interface on the node's side of a pod, as Calico's CNI plugin gives it. */
export function interfaceName(prefix: string, namespace: string, pod: string): string {
  return prefix + createHash('sha1').update(`${namespace}.${pod}`).digest('hex').slice(0, 11);
}

export function readPod(object: WireObject, report: Report): Pod | undefined {
  const metadata = readMetadata(object, 'namespaced', report);
  const spec = readFields(object['spec'], 'spec', report);
  const status = readFields(object['status'], 'status', report);
  if (metadata === undefined || spec === undefined || status === undefined) return undefined;

  const node = textOf(spec['nodeName']);
  if (spec['hostNetwork'] === true || node === '' || isFinished(object, metadata, status)) return undefined;
  const { texts, field } = addressTexts(metadata, status);
  const addresses = readAll(texts, field, (text, at) => readPodAddress(text, at, report));
  if (addresses === undefined || addresses.length === 0) return undefined;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    node,
    serviceAccount: textOf(spec['serviceAccountName']),
    ownLabels: metadata.labels,
    addresses,
    ports: [...namedPorts(spec['containers']), ...namedPorts(spec['initContainers'])],
  };
}

/**
 * Done running, or being deleted with its network already taken down: the CNI plugin says so by emptying the annotation. A pod
 * that is terminating and still has its address keeps its policy.
 */
function isFinished(object: WireObject, { annotations }: Metadata, status: Fields): boolean {
  const isDeleting = !isAbsent(object.metadata['deletionTimestamp']);
  const networkIsGone = annotations.get('cni.projectcalico.org/podIP') === '' || annotations.get('vpc.amazonaws.com/pod-ips') === '';
  return (isDeleting && networkIsGone) || ['Failed', 'Succeeded', 'Completed'].includes(textOf(status['phase']));
}

interface AddressTexts {
  readonly field: string;
  readonly texts: readonly unknown[];
}

/** The first source that says anything wins; the annotations are there before the kubelet has posted a status. */
function addressTexts({ annotations }: Metadata, status: Fields): AddressTexts {
  const podIPs = status['podIPs'];
  if (Array.isArray(podIPs) && podIPs.length > 0) return { field: 'status.podIPs', texts: podIPs.map((entry) => fieldsOf(entry)?.['ip']) };
  if (textOf(status['podIP']) !== '') return { field: 'status.podIP', texts: [status['podIP']] };
  for (const name of ['cni.projectcalico.org/podIPs', 'cni.projectcalico.org/podIP', 'vpc.amazonaws.com/pod-ips']) {
    const text = annotations.get(name) ?? '';
    if (text !== '') return { field: `metadata.annotations[${name}]`, texts: text.split(',') };
  }
  return { field: 'status', texts: [] };
}

/** An address, bare or with the prefix of a single host. */
function readPodAddress(value: unknown, field: string, report: Report): Address | undefined {
  const [text = '', ...prefix] = textOf(value).split('/');
  const address = parseAddress(text);
  // The unspecified address, 0.0.0.0 or ::, is nobody's.
  if (address !== undefined && address.bits !== 0n && (prefix.length === 0 || prefix.join('/') === String(width(address.family)))) return address;
  report(field, `${JSON.stringify(value)} is no address of a pod`);
  return undefined;
}

function namedPorts(containers: unknown): NamedPort[] {
  const ignore = (): void => {};
  return (readList(containers, '', ignore) ?? [])
    .flatMap((container) => readList(fieldsOf(container)?.['ports'], '', ignore) ?? [])
    .flatMap((entry) => {
      const port = fieldsOf(entry) ?? {};
      const protocol = transportProtocols.get(port['protocol'] ?? 'TCP');
      const name = textOf(port['name']);
      const number = port['containerPort'];
      return name === '' || protocol === undefined || typeof number !== 'number' ? [] : [{ name, protocol, port: number }];
    });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
