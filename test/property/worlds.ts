// Random worlds as the API serves them: a few namespaces, two nodes, pods of every sort, and policies.
//
// What always holds: objects have unique identities and words from vocabulary.ts; the packets of packets.ts and the changes of
// changes.ts are aimed at them. Worlds shrink: fewer objects, simpler specs.

import * as fc from 'fast-check';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { networkPolicy } from './network-policies.ts';
import { accountNames, chance, crowdedNamespace, namespaceLabels, namespaceNames, nodes, offeredPorts, podAddress, podLabels, podNames, sometimes } from './vocabulary.ts';

export const namespaceObject: fc.Arbitrary<WireObject> = fc
  .tuple(fc.constantFrom(...namespaceNames), namespaceLabels)
  .map(([name, labels]) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
    spec: {},
    status: { phase: 'Active' },
  }));

export const serviceAccountObject: fc.Arbitrary<WireObject> = fc
  .tuple(fc.constantFrom(...namespaceNames), fc.constantFrom(...accountNames), namespaceLabels)
  .map(([namespace, name, labels]) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels } }));

const containers = fc.array(
  fc.array(fc.constantFrom(...offeredPorts), { maxLength: 3 }).map((ports) => ({ name: 'main', image: 'main', ...(ports.length > 0 ? { ports } : {}) })),
  { minLength: 1, maxLength: 2 },
);
const setupPort = { name: 'setup', containerPort: 7000 };
const initContainers = fc.constantFrom(
  ...[setupPort, setupPort, setupPort, ...offeredPorts].map((port) => [{ name: 'init', image: 'init', restartPolicy: 'Always', ports: [port] }]),
);

/** Where the pod's life stands. Most run; the others are all that is no endpoint, and all that nearly is none. */
const stage = fc.oneof(
  { weight: 120, arbitrary: fc.constant('running' as const) },
  { weight: 3, arbitrary: fc.constant('host-network' as const) },
  { weight: 3, arbitrary: fc.constant('finished' as const) },
  { weight: 3, arbitrary: fc.constant('starting' as const) },
  { weight: 5, arbitrary: fc.constant('annotated' as const) },
  { weight: 2, arbitrary: fc.constant('terminating' as const) },
  { weight: 2, arbitrary: fc.constant('unplugged' as const) },
  { weight: 1, arbitrary: fc.constant('bad-address' as const) },
  { weight: 1, arbitrary: fc.constant('unscheduled' as const) },
);
type Stage = typeof stage extends fc.Arbitrary<infer T> ? T : never;

const podShape = fc.record({
  namespace: crowdedNamespace,
  name: fc.nat(podNames.length - 1),
  node: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 4, arbitrary: fc.constant(1) }),
  labels: podLabels,
  spoofs: chance(5),
  account: fc.constantFrom(...accountNames),
  stage,
  /** Another pod's address: re-used before the old pod's end was seen. */
  shares: sometimes(10, fc.nat(podNames.length - 1)),
  dualStack: chance(15),
  containers,
  initContainers: sometimes(45, initContainers),
});
type PodShape = typeof podShape extends fc.Arbitrary<infer T> ? T : never;

export const podObject: fc.Arbitrary<WireObject> = podShape.map(podOf);

function podOf(shape: PodShape): WireObject {
  const address = podAddress(shape.node, shape.shares ?? shape.name);
  const status = statusOf(shape.stage, address, shape.dualStack ? [`fd00:65:0:${shape.node}::${shape.name + 1}`] : []);
  const annotation = 'cni.projectcalico.org/podIP';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podNames[shape.name] ?? '',
      namespace: shape.namespace,
      labels: { ...shape.labels, ...(shape.spoofs ? { 'pcns.env': 'prod', 'projectcalico.org/namespace': 'alpha' } : {}) },
      ...(shape.stage === 'annotated' ? { annotations: { [annotation]: `${address}/32`, 'cni.projectcalico.org/podIPs': `${address}/32` } } : {}),
      ...(shape.stage === 'terminating' ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      ...(shape.stage === 'unplugged' ? { deletionTimestamp: '2026-01-01T00:00:00Z', annotations: { [annotation]: '' } } : {}),
    },
    spec: {
      serviceAccountName: shape.account,
      containers: shape.containers,
      ...(shape.stage === 'unscheduled' ? {} : { nodeName: nodes[shape.node] }),
      ...(shape.stage === 'host-network' ? { hostNetwork: true } : {}),
      ...(shape.initContainers === null ? {} : { initContainers: shape.initContainers }),
    },
    status,
  };
}

function statusOf(stage: Stage, address: string, more: readonly string[]): Record<string, unknown> {
  const podIPs = [address, ...more].map((ip) => ({ ip }));
  switch (stage) {
    case 'starting':
    case 'annotated':
      return { phase: 'Pending' };
    case 'finished':
      return { phase: 'Succeeded', podIP: address, podIPs };
    case 'bad-address':
      return { phase: 'Running', podIP: `${address}.1`, podIPs: [{ ip: `${address}.1` }] };
    case 'running':
    case 'host-network':
    case 'terminating':
    case 'unplugged':
    case 'unscheduled':
      return { phase: 'Running', podIP: address, podIPs };
  }
}

export function identity(object: WireObject): string {
  // Kubernetes' and Calico's network policies have one name.
  return `${object.apiVersion} ${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function distinct(object: fc.Arbitrary<WireObject>, minLength: number, maxLength: number): fc.Arbitrary<readonly WireObject[]> {
  // "max": without it, fast-check draws far fewer than maxLength by default.
  return fc.uniqueArray(object, { minLength, maxLength, selector: identity, size: 'max' });
}

/** Mostly all of them; a missing one leaves its pods without labels of a namespace and without a profile. */
export const namespaces = fc.tuple(distinct(namespaceObject, namespaceNames.length, namespaceNames.length), chance(15)).map(([all, drops]) => all.slice(drops ? 1 : 0));

const policies = fc.oneof({ weight: 1, arbitrary: distinct(networkPolicy, 0, 3) }, { weight: 5, arbitrary: distinct(networkPolicy, 4, 8) });

export const options: fc.Arbitrary<World['options']> = fc.record({
  interfacePrefixes: fc.oneof({ weight: 9, arbitrary: fc.constant(['cali']) }, { weight: 1, arbitrary: fc.constant(['veth', 'cali']) }),
  defaultEndpointToHostAction: fc.constantFrom('ACCEPT', 'DROP', 'RETURN'),
});

export const world: fc.Arbitrary<World> = fc
  .tuple(namespaces, distinct(serviceAccountObject, 0, 3), distinct(podObject, 5, 12), policies, options)
  .map(([namespaceObjects, accounts, pods, policyObjects, worldOptions]) => ({
    node: nodes[0],
    objects: [...namespaceObjects, ...accounts, ...pods, ...policyObjects],
    options: worldOptions,
  }));

/** Worlds by number, without the runner: the same seed draws the same worlds. */
export function drawWorlds(seed: number, count: number): readonly World[] {
  return fc.sample(world, { seed, numRuns: count });
}
