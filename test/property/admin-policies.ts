// Random policies of Kubernetes' network policy API: ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy, and some
// that the API refuses.

import * as fc from 'fast-check';
import type { WireObject } from '../../src/model/verdict.ts';
import { ipv4Net, ipv6Net } from './calico-rules.ts';
import type { Json } from './calico-rules.ts';
import { namespaceSelector, podSelector } from './network-policies.ts';
import { portNumbers } from './vocabulary.ts';

type Direction = 'ingress' | 'egress';

const pods = fc.record({ namespaceSelector, podSelector });
const inCluster: fc.Arbitrary<Json> = fc.oneof({ weight: 2, arbitrary: fc.record({ namespaces: namespaceSelector }) }, { weight: 3, arbitrary: fc.record({ pods }) });
const cidr = fc.oneof({ weight: 4, arbitrary: ipv4Net.filter((net) => net.includes('/')) }, { weight: 1, arbitrary: ipv6Net.filter((net) => net.includes('/')) });
const networks: fc.Arbitrary<Json> = fc.uniqueArray(cidr, { minLength: 1, maxLength: 3 }).map((list) => ({ networks: list }));

const brokenPeers: readonly unknown[] = [
  { networks: Array.from({ length: 26 }, (_, index) => `10.65.0.${index}/32`) },
  { pods: { namespaceSelector: {}, podSelector: { matchLabels: { 'pcns.env': 'prod' } } } },
  {},
  { nodes: {} },
  { namespaces: {}, pods: { podSelector: {} } },
  { pods: {} },
  { namespaces: { matchLabels: { env: 'no value' } } },
];

const number = fc.constantFrom(...portNumbers);
const range = fc.tuple(number, fc.constantFrom(1, 10, 1000)).map(([start, more]) => ({ start: Math.min(start, 65534), end: Math.min(start + more, 65535) }));
const portName = fc.constantFrom('http', 'dns', 'sig', 'nowhere');

const protocols: fc.Arbitrary<Json> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom('tcp', 'tcp', 'udp', 'sctp'), fc.oneof(fc.record({ number }), fc.record({ range }))).map(([name, destinationPort]) => ({ [name]: { destinationPort } })) },
  { weight: 2, arbitrary: portName.map((name) => ({ destinationNamedPort: name })) },
);
const protocol = fc.constantFrom<Json>({}, { protocol: 'TCP' }, { protocol: 'UDP' }, { protocol: 'SCTP' });
const ports: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(protocol, number).map(([name, port]) => ({ portNumber: { ...name, port } })) },
  { weight: 2, arbitrary: fc.tuple(protocol, range).map(([name, edges]) => ({ portRange: { ...name, ...edges } })) },
);
const namedPorts: fc.Arbitrary<Json> = portName.map((name) => ({ namedPort: name }));

/** A rule with networks may not name ports in the older API. */
function rule(direction: Direction, actions: readonly string[], isNew: boolean): fc.Arbitrary<Json> {
  const list = (entry: fc.Arbitrary<Json>): fc.Arbitrary<readonly Json[]> => fc.array(entry, { minLength: 1, maxLength: 3 });
  const field = direction === 'ingress' ? 'from' : 'to';
  const there = list(direction === 'ingress' ? inCluster : fc.oneof({ weight: 3, arbitrary: inCluster }, { weight: 2, arbitrary: networks }));
  const whichPorts = (entry: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
    fc.oneof({ weight: 1, arbitrary: fc.constant<Json>({}) }, { weight: 1, arbitrary: list(entry).map((each): Json => ({ [isNew ? 'protocols' : 'ports']: each })) });
  const peers = fc.oneof(
    { weight: 12, arbitrary: fc.tuple(there, whichPorts(isNew ? protocols : ports)) },
    { weight: 3, arbitrary: fc.tuple(list(inCluster), whichPorts(isNew ? protocols : namedPorts)) },
    { weight: 1, arbitrary: fc.tuple(list(inCluster), fc.constantFrom('No_Port', 'UPPER', '80', '').map((name): Json => (isNew ? { protocols: [{ destinationNamedPort: name }] } : { ports: [{ namedPort: name }] }))) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...brokenPeers).map((peer) => [peer]), fc.constant<Json>({})) },
  );
  return fc.tuple(fc.constantFrom(...actions), peers).map(([action, [peerList, portList]]) => ({ name: 'a rule', action, [field]: peerList, ...portList }));
}

function spec(actions: readonly string[], isNew: boolean): fc.Arbitrary<Json> {
  const rules = (direction: Direction): fc.Arbitrary<readonly Json[]> => fc.array(rule(direction, actions, isNew), { maxLength: 3 });
  const subject = fc.oneof({ weight: 3, arbitrary: fc.record({ namespaces: namespaceSelector }) }, { weight: 2, arbitrary: fc.record({ pods }) }, { weight: 2, arbitrary: fc.constant({ namespaces: {} }) });
  return fc.record<Json>({ subject, ingress: rules('ingress'), egress: rules('egress') }, { requiredKeys: ['subject'] });
}

/** Sometimes something outside of the rules is wrong. */
function object(apiVersion: string, kind: string, names: fc.Arbitrary<string>, place: fc.Arbitrary<Json>, body: fc.Arbitrary<Json>): fc.Arbitrary<WireObject> {
  const fault = fc.oneof({ weight: 25, arbitrary: fc.constant<Json>({}) }, { weight: 1, arbitrary: fc.constantFrom<Json>({ subject: {} }, { subject: { nodes: {} } }, { unknown: 1 }) });
  return fc.tuple(names, place, body, fault).map(([name, where, rules, wrong]) => ({ apiVersion, kind, metadata: { name }, spec: { ...where, ...rules, ...wrong } }));
}

const priority = fc.constantFrom(0, 1, 5, 5, 1000);
const names = fc.constantFrom('a', 'a-b', 'b', 'c', 'd');

export const clusterNetworkPolicy = object(
  'policy.networking.k8s.io/v1alpha2',
  'ClusterNetworkPolicy',
  names,
  fc.record<Json>({ tier: fc.constantFrom('Admin', 'Baseline'), priority }),
  spec(['Accept', 'Accept', 'Deny', 'Pass'], true),
);
export const adminNetworkPolicy = object('policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy', names, fc.record<Json>({ priority }), spec(['Allow', 'Allow', 'Deny', 'Pass'], false));
export const baselineAdminNetworkPolicy = object('policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy', fc.constant('default'), fc.constant<Json>({}), spec(['Allow', 'Deny', 'Deny'], false));
