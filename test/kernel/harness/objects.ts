// The objects of a small cluster, as the API serves them.

import type { WireObject } from '../../../src/model/verdict.ts';

export const NODE_NAME = 'node-1';

export interface PodShape {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly node?: string;
}

export function namespaceObject(name: string, labels: Readonly<Record<string, string>> = {}): WireObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function podObject({ namespace, name, addresses, labels = {}, node = NODE_NAME }: PodShape): WireObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'none' }] },
    status: { phase: 'Running', podIP: addresses[0], podIPs: addresses.map((ip) => ({ ip })) },
  };
}

export function policyObject(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): WireObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name }, spec };
}

/** Pods with the label role=`to` take traffic from pods with the label role=`from` in their namespace, and from nobody else. */
export function allowRole(namespace: string, to: string, from: string): WireObject {
  return policyObject(namespace, `${to}-from-${from}`, {
    podSelector: { matchLabels: { role: to } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { role: from } } }] }],
  });
}

/** Pods with the label take traffic from nobody. */
export function denyRole(namespace: string, role: string): WireObject {
  return policyObject(namespace, `${role}-closed`, { podSelector: { matchLabels: { role } }, policyTypes: ['Ingress'], ingress: [] });
}
