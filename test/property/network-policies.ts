// Random NetworkPolicy objects as the API serves them: every part of the language, odd-but-valid shapes, and (some) policies
// that an API server would refuse, as a folder of manifests may hold them.

import * as fc from 'fast-check';
import type { WireObject } from '../../src/model/verdict.ts';
import { block, edges, toAddress } from './ipv4.ts';
import { crowdedNamespace, namespaceNames, outsideAddresses, podAddress, portNumbers } from './vocabulary.ts';

type Json = Readonly<Record<string, unknown>>;

const podKeys = { app: ['web', 'db', 'api'], tier: ['front', 'back', ''], 'example.com/zone': ['x', 'y'] };
const namespaceKeys = { env: ['prod', 'test', ''], team: ['red', 'blue'], 'kubernetes.io/metadata.name': [...namespaceNames] };

function expression(keys: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<Json> {
  return fc.oneof(
    ...Object.entries(keys).flatMap(([key, values]) => [
      ...(['In', 'NotIn'] as const).map((operator) =>
        fc.uniqueArray(fc.constantFrom(...values, 'other'), { minLength: 1, maxLength: 3 }).map((list) => ({ key, operator, values: list })),
      ),
      fc.constant({ key, operator: 'Exists' }),
      fc.constant({ key, operator: 'DoesNotExist' }),
    ]),
  );
}

/** Weights: how often it is empty. */
function selector(keys: Readonly<Record<string, readonly string[]>>, empty: number): fc.Arbitrary<Json> {
  const matchLabels = fc
    .oneof(...Object.entries(keys).map(([key, values]) => fc.constantFrom(...values).map((value) => [key, value] as const)))
    .map(([key, value]) => ({ [key]: value }));
  const matchExpressions = fc.array(expression(keys), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: empty, arbitrary: fc.constantFrom({}, { matchLabels: {} }) },
    { weight: 35, arbitrary: fc.record({ matchLabels }) },
    { weight: 45, arbitrary: fc.record({ matchExpressions }) },
    { weight: 10, arbitrary: fc.record({ matchLabels, matchExpressions }) },
  );
}

export const podSelector = selector(podKeys, 15);
export const namespaceSelector = selector(namespaceKeys, 20);

const knownAddress = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.nat(1), fc.nat(11)).map(([node, index]) => podAddress(node, index)) },
  { weight: 2, arbitrary: fc.constantFrom(...outsideAddresses) },
);

/** Sometimes with host bits, which the API accepts and everybody masks. */
const cidr = fc
  .tuple(knownAddress, fc.constantFrom(0, 8, 16, 23, 24, 24, 28, 28, 29, 30, 31, 32, 32, 32, 32), fc.nat(4))
  .map(([address, prefix, style]) => (style === 0 ? `${address}/${prefix}` : block(address, prefix)));

/** Holes lie strictly within their block: a longer prefix around some address of it. */
const ipBlock = fc
  .tuple(cidr, fc.array(fc.tuple(fc.nat(0xffff), fc.integer({ min: 1, max: 12 })), { maxLength: 3 }), knownAddress)
  .map(([outer, holes, likely]) => {
    const prefix = Number(outer.split('/')[1]);
    const [first, last] = edges(outer);
    const except = holes.flatMap(([offset, longer], index) => {
      const inner = Math.min(prefix + longer, 32);
      if (inner <= prefix) return [];
      const [likelyNumber] = edges(`${likely}/32`);
      const inside = index === 0 && first <= likelyNumber && likelyNumber <= last ? likelyNumber : first + (offset % (last - first + 1));
      return [block(toAddress(inside), inner)];
    });
    return except.length === 0 ? { cidr: outer } : { cidr: outer, except };
  });

const ipv6Block = fc.constantFrom({ cidr: 'fd00:65::/32' }, { cidr: '::/0', except: ['fd00:65::/48'] }, { cidr: 'fd00:65:0:1::2/128' });

const peer: fc.Arbitrary<Json> = fc.oneof(
  { weight: 25, arbitrary: fc.record({ podSelector }) },
  { weight: 20, arbitrary: fc.record({ namespaceSelector }) },
  { weight: 20, arbitrary: fc.record({ podSelector, namespaceSelector }) },
  { weight: 30, arbitrary: fc.record({ ipBlock }) },
  { weight: 3, arbitrary: fc.record({ ipBlock: ipv6Block }) },
);

const protocol = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: fc.constantFrom<Json>({ protocol: 'TCP' }, { protocol: 'UDP' }, { protocol: 'UDP' }, { protocol: 'SCTP' }, { protocol: 'SCTP' }) },
);
const numbers: fc.Arbitrary<Json> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...portNumbers).map((port) => ({ port })) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(...portNumbers), fc.constantFrom(0, 1, 10, 1000)).map(([port, more]) => ({ port, endPort: Math.min(port + more, 65535) })),
  },
  { weight: 8, arbitrary: fc.constantFrom('http', 'dns', 'dns-tcp', 'sig', 'setup', 'setup', 'setup', 'nowhere').map((port) => ({ port })) },
  { weight: 2, arbitrary: fc.constant({}) },
);
const port = fc.tuple(protocol, numbers).map(([name, number]) => ({ ...name, ...number }));

/** More ports than one multiport match takes (15 slots, a range needs two), names and ranges among them. */
const manyPorts = fc.tuple(fc.uniqueArray(fc.integer({ min: 100, max: 4000 }), { minLength: 16, maxLength: 22 }), fc.array(port, { maxLength: 2 })).map(
  ([list, more]) => [...list.map((number, index) => (index % 5 === 4 ? { port: number, endPort: number + 1 } : { port: number })), ...more],
);
/** Two of three neighbours: who merges ranges must leave the one between them out. */
const gap = fc.tuple(protocol, fc.constantFrom(...portNumbers.filter((number) => number < 65000))).map(([name, first]) => [
  { ...name, port: first },
  { ...name, port: first + 2 },
]);
const ports: fc.Arbitrary<readonly Json[]> = fc.oneof(
  { weight: 24, arbitrary: fc.array(port, { minLength: 1, maxLength: 3 }) },
  { weight: 2, arbitrary: manyPorts },
  { weight: 3, arbitrary: gap },
);
const peers = fc.array(peer, { minLength: 1, maxLength: 3 });

function rule(peersField: 'from' | 'to'): fc.Arbitrary<Json> {
  const peersOf = (list: readonly Json[]): Json => ({ [peersField]: list });
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom<Json>({}, { [peersField]: [], ports: [] }) },
    { weight: 7, arbitrary: fc.tuple(peers, ports).map(([list, ports]) => ({ ...peersOf(list), ports })) },
    { weight: 7, arbitrary: peers.map(peersOf) },
    { weight: 5, arbitrary: ports.map((ports) => ({ ports })) },
  );
}

const rules = (peersField: 'from' | 'to'): fc.Arbitrary<readonly Json[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 9, arbitrary: fc.array(rule(peersField), { minLength: 1, maxLength: 3 }) });

const spec: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ podSelector, policyTypes: fc.constant(['Ingress']), ingress: rules('from') }) },
  { weight: 4, arbitrary: fc.record({ podSelector, policyTypes: fc.constant(['Egress']), egress: rules('to') }) },
  { weight: 3, arbitrary: fc.record({ podSelector, policyTypes: fc.constant(['Ingress', 'Egress']), ingress: rules('from'), egress: rules('to') }) },
  // Rules of a direction that is not listed have no effect; without types the rules say which directions are meant.
  { weight: 1, arbitrary: fc.record({ podSelector, policyTypes: fc.constantFrom(['Ingress'], ['Egress', 'Egress']), ingress: rules('from'), egress: rules('to') }) },
  { weight: 2, arbitrary: fc.record({ podSelector, ingress: rules('from'), egress: rules('to') }, { requiredKeys: ['podSelector'] }) },
);

const brokenPeers: readonly unknown[] = [
  {},
  null,
  { podSelektor: {} },
  { podSelector: {}, namespaceSelectr: { matchLabels: { env: 'prod' } } },
  { podSelector: { matchLabel: { app: 'web' } } },
  { namespaceSelector: { matchExpressions: [{ key: 'env', operator: 'Exists', value: 'prod' }] } },
  { ipBlock: { cidr: '0.0.0.0/0', excepts: ['10.0.0.0/8'] } },
  { podSelector: {}, ipBlock: { cidr: '0.0.0.0/0' } },
  { podSelector: { matchExpressions: [{ key: 'app', operator: 'in', values: ['web'] }] } },
  { podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: [] }] } },
  { podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists', values: ['web'] }] } },
  { namespaceSelector: { matchLabels: { env: 'not valid' } } },
  { namespaceSelector: { matchLabels: { '/env': 'prod' } } },
  { podSelector: { matchLabels: { 'pcns.env': 'prod' } } },
  { ipBlock: { cidr: '10.65.0.0' } },
  { ipBlock: { cidr: '10.065.0.0/16' } },
  { ipBlock: { cidr: '10.65.0.0/08' } },
  { ipBlock: { cidr: '0.0.0.0/33' } },
  { ipBlock: { cidr: '' } },
  { ipBlock: { cidr: '0.0.0.0/0', except: ['0.0.0.0/0'] } },
  { ipBlock: { cidr: '10.65.0.0/24', except: ['10.65.1.0/28'] } },
  { ipBlock: { cidr: '10.65.0.0/24', except: ['fd00::/64'] } },
];
const brokenPorts: readonly unknown[] = [
  { port: 0 },
  { port: 65536 },
  { port: '80' },
  { port: 'Http' },
  { port: 'a--b' },
  { port: 'longer-than-fifteen' },
  { port: 80, endPort: 79 },
  { port: 80, endPort: 70000 },
  { port: 'http', endPort: 90 },
  { endPort: 90 },
  { port: 80, protocol: 'tcp' },
  { port: 1, endport: 2 },
  { protocol: 'ICMP' },
];
const brokenSelectors: readonly unknown[] = [
  { matchLabels: { app: 'no value' } },
  { matchExpressions: [{ key: 'app', operator: 'Equals', values: ['web'] }] },
  { matchExpressions: [{ key: 'a/b/c', operator: 'Exists' }] },
  { matchExpressions: [{ key: 'pcns.env', operator: 'DoesNotExist' }] },
];
/** Fields that a rule of the other direction has, or none. */
const brokenRules: readonly (readonly ['ingress' | 'egress', Json])[] = [
  ['ingress', { to: [{ podSelector: {} }] }],
  ['egress', { from: [{ podSelector: {} }] }],
  ['ingress', { port: [{ port: 80 }] }],
];
const brokenSpecs: readonly Json[] = [{ policyType: ['Egress'] }, { egres: [] }, { ingress: {} }, { egress: 'none' }];
const brokenTypes: readonly unknown[] = [['Ingres'], ['Ingress', 'egress'], ['Ingress', 'Egress', 'Ingress']];

/** Spoils one place of a policy: a peer or a port of one rule, a rule, a field of the spec, the pod selector, or the types. */
function spoilt(whole: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const inRule = (direction: 'ingress' | 'egress', change: readonly [field: string, value: unknown]): fc.Arbitrary<Json> =>
    fc.tuple(whole, fc.nat(2), fc.boolean()).map(([original, position, keepsOthers]) => {
      const list = (original[direction] as readonly Json[] | undefined) ?? [];
      const at = list.length === 0 ? 0 : position % list.length;
      const [field, value] = change;
      const others = keepsOthers ? ((list[at]?.[field] as readonly unknown[] | undefined) ?? []) : [];
      const broken = { ...list[at], [field]: [...others, value] };
      return { ...original, [direction]: list.length === 0 ? [broken] : list.with(at, broken) };
    });
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...brokenPeers).chain((value) => inRule('ingress', ['from', value])) },
    { weight: 3, arbitrary: fc.constantFrom(...brokenPeers).chain((value) => inRule('egress', ['to', value])) },
    { weight: 2, arbitrary: fc.constantFrom(...brokenPorts).chain((value) => inRule('ingress', ['ports', value])) },
    { weight: 2, arbitrary: fc.constantFrom(...brokenPorts).chain((value) => inRule('egress', ['ports', value])) },
    { weight: 1, arbitrary: fc.tuple(whole, fc.constantFrom(...brokenRules)).map(([original, [direction, value]]) => ({ ...original, [direction]: [value] })) },
    { weight: 1, arbitrary: fc.tuple(whole, fc.constantFrom(...brokenSpecs)).map(([original, value]) => ({ ...original, ...value })) },
    { weight: 2, arbitrary: fc.tuple(whole, fc.constantFrom(...brokenSelectors)).map(([original, value]) => ({ ...original, podSelector: value })) },
    { weight: 2, arbitrary: fc.tuple(whole, fc.constantFrom(...brokenTypes)).map(([original, value]) => ({ ...original, policyTypes: value })) },
  );
}

/** Names tie in order and differ in length, so that the order "name/namespace/kind" is not the order of the names. */
export const networkPolicy: fc.Arbitrary<WireObject> = fc
  .tuple(
    crowdedNamespace,
    fc.constantFrom('a', 'a-b', 'a.b', 'b', 'c', 'd', 'e', 'f'),
    fc.oneof({ weight: 9, arbitrary: spec }, { weight: 1, arbitrary: spoilt(spec) }),
  )
  .map(([namespace, name, policySpec]) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, generation: 1 },
    spec: policySpec,
  }));
