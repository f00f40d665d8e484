// Random objects that Calico's policies refer to: tiers, network sets, host endpoints and the endpoints of services; and staged policies,
// which nobody enforces.

import * as fc from 'fast-check';
import type { WireObject } from '../../src/model/verdict.ts';
import { calicoNetworkPolicy } from './calico-policies.ts';
import { ipv4Net, ipv6Net, serviceNames } from './calico-rules.ts';
import type { Json } from './calico-rules.ts';
import { chance, crowdedNamespace, namespaceNames, nodes, outsideAddresses, podAddress, podLabels, portNumbers, sometimes } from './vocabulary.ts';

const calico = 'crd.projectcalico.org/v1';

export const tierObject: fc.Arbitrary<WireObject> = fc
  .tuple(
    fc.constantFrom(...Array<readonly string[]>(4).fill(['red', 'blue', 'red', 'blue', 'adminnetworkpolicy']).flat(), 'default', 'kube-admin'),
    fc.oneof(
      {
        weight: 15,
        arbitrary: fc
          .tuple(fc.constantFrom<Json>({ order: 5 }, { order: 5 }, { order: 100 }, { order: 2_000_000 }, {}), fc.constantFrom<Json>({}, { defaultAction: 'Deny' }, { defaultAction: 'Pass' }, { defaultAction: 'Pass' }))
          .map(([order, action]): Json => ({ ...order, ...action })),
      },
      { weight: 1, arbitrary: fc.constantFrom<Json>({ order: 'first' }, { order: 5, defaultAction: 'Allow' }, { order: 5, action: 'Pass' }) },
    ),
  )
  .map(([name, spec]) => ({ apiVersion: calico, kind: 'Tier', metadata: { name }, spec }));

const setLabels = fc.tuple(podLabels, sometimes(60, fc.constantFrom('outside', 'node')), chance(25)).map(([labels, role, spoofs]) => ({
  ...labels,
  ...(role === null ? {} : { role }),
  ...(spoofs ? { 'pcns.env': 'prod', 'projectcalico.org/serviceaccount': 'default' } : {}),
}));
const outsideNet = fc.constantFrom(...outsideAddresses).map((address) => `${address}/32`);
const setNets = fc.array(fc.oneof({ weight: 3, arbitrary: outsideNet }, { weight: 3, arbitrary: fc.constantFrom(...outsideAddresses) }, { weight: 4, arbitrary: ipv4Net }, { weight: 5, arbitrary: ipv6Net }, { weight: 1, arbitrary: fc.constantFrom('0.0.0.0/0', '::/0') }), { maxLength: 4 });
const brokenNets = fc.constantFrom<unknown>(['10.65.0.0/40'], ['192.0.2.1', 'outside'], '0.0.0.0/0', [null]);

export const networkSet: fc.Arbitrary<WireObject> = fc
  .tuple(fc.boolean(), crowdedNamespace, fc.constantFrom('s1', 's2', 's3'), setLabels, fc.oneof({ weight: 8, arbitrary: setNets as fc.Arbitrary<unknown> }, { weight: 5, arbitrary: brokenNets }), chance(35))
  .map(([isGlobal, namespace, name, labels, nets, isAnnotated]) => ({
    apiVersion: calico,
    kind: isGlobal ? 'GlobalNetworkSet' : 'NetworkSet',
    metadata: {
      name,
      ...(isGlobal ? {} : { namespace }),
      // Clients of the older API keep the labels in the annotation only.
      ...(isAnnotated ? { annotations: { 'projectcalico.org/metadata': JSON.stringify({ name, labels }) } } : { labels }),
    },
    spec: { nets },
  }));

export const hostAddresses: readonly string[] = [...outsideAddresses, '10.65.1.3', podAddress(0, 4), podAddress(0, 5), '2001:db8::9'];
/** The last three allow nothing: an account's profile has no rules, and what is not there denies. */
const hostProfile = fc.constantFrom('projectcalico-default-allow', ...namespaceNames.map((name) => `kns.${name}`), 'ksa.alpha.default', 'ksa.alpha.gone', 'kns.gone');

export const hostEndpoint: fc.Arbitrary<WireObject> = fc
  .tuple(
    fc.constantFrom('h1', 'h2', 'h3'),
    fc.constantFrom(nodes[0], nodes[0], nodes[1]),
    // Without a name it is found by its addresses.
    fc.constantFrom('eth0', 'eth1', '*', '*', '', ''),
    fc.uniqueArray(fc.constantFrom(...hostAddresses), { minLength: 1, maxLength: 3 }),
    setLabels,
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: fc.uniqueArray(hostProfile, { minLength: 1, maxLength: 3 }) }),
    chance(25),
  )
  .map(([name, node, interfaceName, expectedIPs, labels, profiles, isBroken]) => ({
    apiVersion: calico,
    kind: 'HostEndpoint',
    metadata: { name, labels },
    spec: {
      node,
      ...(interfaceName === '' ? {} : { interfaceName }),
      expectedIPs: isBroken ? [...expectedIPs, '10.65.0.0/16'] : expectedIPs,
      // Two of them are names that pods have too: Kubernetes' own policies mean pods only.
      ports: [{ name: 'metrics', protocol: 'TCP', port: 8090 }, { name: 'metrics', protocol: 'UDP', port: 8082 }, { name: 'http', protocol: 'TCP', port: 82 }, { name: 'dns', protocol: 'UDP', port: 81 }],
      ...(profiles.length === 0 ? {} : { profiles }),
    },
  }));

const slicePort = fc.tuple(fc.constantFrom(...portNumbers, null), fc.constantFrom<Json>({}, { protocol: 'TCP' }, { protocol: 'UDP' })).map(([port, protocol]): Json => ({ ...protocol, ...(port === null ? {} : { port }) }));
const sliceAddress = fc.oneof({ weight: 6, arbitrary: fc.tuple(fc.nat(1), fc.nat(11)).map(([node, index]) => podAddress(node, index)) }, { weight: 1, arbitrary: fc.constantFrom<string>(...outsideAddresses) });

/** The API server takes some of them. */
const brokenSlice = fc.constantFrom<Json>(
  { endpoints: [{ addresses: ['10.65.0.1', '10.65.0.02'] }] },
  { endpoints: [{ addresses: ['::ffff:10.65.0.1'] }] },
  { ports: [{ port: 80, protocol: 'ICMP' }] },
  { ports: [{ port: 80 }, { port: 65536 }] },
  { addressType: 'MAC' },
);

export const endpointSlice: fc.Arbitrary<WireObject> = fc
  .tuple(fc.constantFrom(...namespaceNames.slice(0, 2)), fc.constantFrom(...serviceNames), fc.constantFrom('1', '2'), fc.uniqueArray(sliceAddress, { minLength: 1, maxLength: 5 }), fc.array(slicePort, { minLength: 1, maxLength: 3 }), chance(15), sometimes(30, brokenSlice))
  .map(([namespace, service, number, addresses, ports, isSix, broken]) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-${number}`, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: isSix ? 'IPv6' : 'IPv4',
    endpoints: addresses.map((address, index) => ({ addresses: [isSix ? sixOf(address) : address], conditions: { ready: index % 2 === 0 } })),
    ports,
    ...broken,
  }));

/** The other address of a pod that has two. */
export function sixOf(address: string): string {
  const [, , node, index] = address.split('.');
  if (!address.startsWith('10.65.')) return '2001:db8::9';
  return node === '0' ? `fd00:65::${index}` : `fd00:65:0:${node}::${index}`;
}

export const stagedPolicy: fc.Arbitrary<WireObject> = calicoNetworkPolicy.map((policy) => ({ ...policy, kind: 'StagedNetworkPolicy', spec: { ...(policy['spec'] as object), stagedAction: 'Set' } }));
