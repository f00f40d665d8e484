// v1 Pod → WorkloadEndpoint. In: anything. Out: a small record of a few hundred bytes that shares its labels, ports and profile
// names with others. No endpoint: host-network pods, pods without a node, finished pods, pods without an address yet.
//
// A pod of which some part cannot be read is absent: on its own node its traffic is then dropped (an interface that belongs to no
// endpoint), elsewhere no rule allows it. Only a bad named port is left out alone: nothing resolves to it.

import { createHash } from 'node:crypto';

import { deepEqual } from '../../lib/deep-equal.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import { type Labels, labelsOf, sameLabels } from '../../model/labels.ts';
import type { DecodeContext } from './decode-context.ts';
import { dnsSubdomainProblem } from './names.ts';
import { namespaceProfileName } from './namespace.ts';
import { type Identity, type ObjectMeta, readMeta, readStringMap } from './object-meta.ts';
import { isFinished, readPodAddresses } from './pod-addresses.ts';
import { readPodPorts } from './pod-ports.ts';
import { type Decoded, nothing, ProblemList, type Report } from './problem.ts';
import type { Resource } from './resource.ts';
import { serviceAccountProfileName } from './service-account.ts';
import { type Fields, fieldsOf, isAbsent, readFields, shown } from './wire.ts';

export const pods: Resource<'endpoint'> = {
  kind: 'Pod',
  apiVersion: 'v1',
  plural: 'pods',
  namespaced: true,
  valueKind: 'endpoint',
  key: ({ namespace, name }) => [namespace, name].join('/'),
  decode: decodePod,
  same: sameEndpoint,
};

/** The name that Calico's CNI plugin gives to the host's end of a pod's link. */
export function workloadInterfaceName(prefix: string, { namespace, name }: Identity): string {
  return prefix + createHash('sha1').update(`${namespace}.${name}`).digest('hex').slice(0, 11);
}

function decodePod(object: unknown, context: DecodeContext): Decoded<WorkloadEndpoint> {
  const { problems, report } = new ProblemList();
  const absent = (): Decoded<WorkloadEndpoint> => ({
    value: undefined,
    problems,
    consequence: 'the pod counts as absent: its traffic is denied by whatever polices it',
  });
  const meta = readMeta(object, true, report);
  const spec = meta && readFields(fieldsOf(object)?.['spec'], 'spec', report);
  const status = meta && readFields(fieldsOf(object)?.['status'], 'status', report);
  if (meta === undefined || spec === undefined || status === undefined) return absent();

  const { hostNetwork, nodeName, serviceAccountName } = spec;
  if (hostNetwork === true) return nothing;
  if (!isAbsent(hostNetwork) && hostNetwork !== false) report('spec.hostNetwork', `${shown(hostNetwork)} must be true or false`);
  const node = readText(nodeName, 'spec.nodeName', report);
  const serviceAccount = readText(serviceAccountName, 'spec.serviceAccountName', report);
  const accountProblem = serviceAccount === '' ? undefined : dnsSubdomainProblem(serviceAccount);
  if (accountProblem !== undefined) report('spec.serviceAccountName', `${shown(serviceAccount)} ${accountProblem}`);
  const annotations = readStringMap(meta.fields['annotations'], 'metadata.annotations', report);
  const labels = readStringMap(meta.fields['labels'], 'metadata.labels', report);
  if (problems.length > 0 || annotations === undefined || labels === undefined) return absent();

  if (node === '' || isFinished(meta.fields, status, annotations)) return nothing;
  const addresses = readPodAddresses(status, annotations, report);
  if (addresses === undefined) return absent();
  if (addresses.length === 0) return nothing;
  return { value: endpointOf(meta, { node, serviceAccount, addresses, labels, spec }, context, report), problems, consequence: 'the ports named are left out' };
}

interface PodParts {
  readonly node: string;
  readonly serviceAccount: string;
  readonly addresses: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Fields;
}

function endpointOf(meta: ObjectMeta, pod: PodParts, context: DecodeContext, report: Report): WorkloadEndpoint {
  const namespace = context.text(meta.namespace);
  const profiles = [namespaceProfileName(namespace)];
  if (pod.serviceAccount !== '') profiles.push(serviceAccountProfileName({ namespace, name: pod.serviceAccount }));
  return {
    origin: { kind: pods.kind, apiVersion: pods.apiVersion, namespace, name: meta.name, generation: meta.generation },
    node: context.text(pod.node),
    ...(pod.node === context.node ? { interfaceName: workloadInterfaceName(context.interfacePrefix, meta) } : {}),
    addresses: pod.addresses,
    labels: context.list(podLabels(pod, namespace)),
    profiles: context.list(profiles),
    ports: context.ports(readPodPorts(pod.spec, report)),
  };
}

/**
 * What a pod says about its namespace, service account and orchestrator is not believed, nor that it has labels which only a
 * Namespace (pcns.*) or a ServiceAccount (pcsa.*) can give.
 */
function podLabels({ labels, serviceAccount }: PodParts, namespace: string): Labels {
  const own = Object.entries(labels).filter(
    ([key]) => !key.startsWith('pcns.') && !key.startsWith('pcsa.') && key !== 'projectcalico.org/serviceaccount',
  );
  own.push(['projectcalico.org/namespace', namespace], ['projectcalico.org/orchestrator', 'k8s']);
  if (serviceAccount !== '') own.push(['projectcalico.org/serviceaccount', serviceAccount]);
  return labelsOf(own);
}

function readText(value: unknown, field: string, report: Report): string {
  if (typeof value === 'string') return value;
  if (!isAbsent(value)) report(field, `${shown(value)} must be a string`);
  return '';
}

/** The generation does not count: nothing is made of it. */
function sameEndpoint(a: WorkloadEndpoint, b: WorkloadEndpoint): boolean {
  return (
    a.node === b.node &&
    a.interfaceName === b.interfaceName &&
    sameLabels(a.labels, b.labels) &&
    sameLabels(a.profiles, b.profiles) &&
    sameLabels(a.addresses, b.addresses) &&
    deepEqual(a.ports, b.ports)
  );
}
