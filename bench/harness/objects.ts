// The objects of the benchmarks: the few whose change is measured, and clusters of any size around them.

import type { WireObject } from '../../src/model/verdict.ts';
import { CLIENT_ADDRESS, FRESH_ADDRESS, WEB_ADDRESS } from './bench-stage.ts';

type Labels = Readonly<Record<string, string>>;

export function namespace(name: string, labels: Labels = {}): WireObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function pod(options: { readonly namespace: string; readonly name: string; readonly node: string; readonly address: string; readonly labels: Labels }): WireObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: options.namespace, name: options.name, labels: options.labels },
    spec: { nodeName: options.node, containers: [{ name: 'main', image: 'none' }] },
    status: { phase: 'Running', podIP: options.address, podIPs: [{ ip: options.address }] },
  };
}

export function policy(space: string, name: string, spec: Readonly<Record<string, unknown>>): WireObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace: space, name }, spec: { policyTypes: ['Ingress'], ...spec } };
}

export const web = pod({ namespace: 'shop', name: 'web', node: 'node-a', address: WEB_ADDRESS, labels: { app: 'web' } });
export const fresh = pod({ namespace: 'shop', name: 'fresh', node: 'node-a', address: FRESH_ADDRESS, labels: { app: 'fresh' } });
export const isFront = (front: boolean): WireObject =>
  pod({ namespace: 'shop', name: 'client', node: 'node-b', address: CLIENT_ADDRESS, labels: { role: front ? 'front' : 'back' } });
/** Another remote pod, as member `i` of the set that the churn changes. */
export const noise = (i: number, isIn: boolean): WireObject =>
  pod({ namespace: 'shop', name: `noise-${i}`, node: 'node-b', address: `10.65.1.${10 + i}`, labels: { noise: isIn ? 'yes' : 'no' } });
export const NOISE_PODS = 40;

/** For each witness a port of its own, so that each policy decides about one kind of packet. */
export const ports = { edit: 6_101, set: 6_102, noise: 6_103, port: 6_104, otherPort: 6_105 } as const;

const udp = (port: number): readonly object[] => [{ protocol: 'UDP', port }];
const onWeb = { podSelector: { matchLabels: { app: 'web' } } };

/** Lets the client in, or an address that nobody has. */
export const cidrPolicy = (open: boolean): WireObject =>
  policy('shop', 'by-cidr', { ...onWeb, ingress: [{ from: [{ ipBlock: { cidr: `${open ? CLIENT_ADDRESS : '10.65.1.99'}/32` } }], ports: udp(ports.edit) }] });
export const portPolicy = (open: boolean): WireObject => policy('shop', 'by-port', { ...onWeb, ingress: [{ ports: udp(open ? ports.port : ports.otherPort) }] });
export const setPolicy = policy('shop', 'by-label', { ...onWeb, ingress: [{ from: [{ podSelector: { matchLabels: { role: 'front' } } }], ports: udp(ports.set) }] });
export const noisePolicy = policy('shop', 'by-noise', { ...onWeb, ingress: [{ from: [{ podSelector: { matchLabels: { noise: 'yes' } } }], ports: udp(ports.noise) }] });
/** The pod that comes and goes is let in where its object is there. */
export const freshPolicy = policy('shop', 'fresh', { podSelector: { matchLabels: { app: 'fresh' } }, ingress: [{ from: [{ ipBlock: { cidr: `${CLIENT_ADDRESS}/32` } }] }] });

/** What the latencies are measured with. */
export function witnesses(): WireObject[] {
  return [namespace('shop'), web, isFront(false), cidrPolicy(false), portPolicy(false), setPolicy, noisePolicy, freshPolicy];
}

export interface ClusterSize {
  readonly pods: number;
  readonly local: number;
  readonly policies: number;
  readonly namespaces: number;
  readonly foreign: number;
}

export const sizes: Readonly<Record<'S' | 'M', ClusterSize>> = {
  S: { pods: 300, local: 30, policies: 35, namespaces: 10, foreign: 0 },
  M: { pods: 5_000, local: 60, policies: 500, namespaces: 50, foreign: 2_000 },
};

/** Pods of ten applications a namespace, and policies among these, by label, by namespace and by CIDR in turn. */
export function cluster({ pods, local, policies, namespaces }: Omit<ClusterSize, 'foreign'>): WireObject[] {
  const objects: WireObject[] = [];
  for (let i = 0; i < namespaces; i += 1) objects.push(namespace(`ns-${i}`, { team: `team-${i % 7}` }));
  for (let i = 0; i < pods; i += 1) {
    const isLocal = i < local;
    objects.push(pod({
      namespace: `ns-${i % namespaces}`,
      name: `app-${i}-6d4cf56db6-x${i}`,
      node: isLocal ? 'node-a' : `node-${1 + (i % 99)}`,
      address: isLocal ? `10.65.0.${10 + i}` : `10.${66 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`,
      labels: { app: `app-${Math.floor(i / namespaces) % 10}`, tier: i % 3 === 0 ? 'front' : 'back', version: `v${i % 4}` },
    }));
  }
  for (let i = 0; i < policies; i += 1) {
    const peers = [
      { podSelector: { matchLabels: { app: `app-${(i + 1) % 10}` } } },
      { namespaceSelector: { matchLabels: { team: `team-${i % 7}` } }, podSelector: { matchLabels: { tier: 'front' } } },
      { ipBlock: { cidr: '10.0.0.0/8', except: [`10.${i % 200}.0.0/16`] } },
    ];
    objects.push(policy(`ns-${i % namespaces}`, `policy-${i}`, {
      podSelector: { matchLabels: { app: `app-${Math.floor(i / namespaces) % 10}` } },
      ingress: [{ from: [peers[i % 3]], ports: [{ protocol: 'TCP', port: 8_080 + (i % 5) }, { protocol: 'TCP', port: 9_090 }] }],
    }));
  }
  return objects;
}
