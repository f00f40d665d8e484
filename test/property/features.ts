// The features of the policy language and of the world, and whether one decides about a packet: it does when the verdict would
// be another one in the same world without it. Each feature therefore is a way to take it out of a world.
//
// In: a world. Out: that world without the feature, or undefined where it does not occur. Used to count what a fuzz has
// really tried (coverage.ts); nothing here takes part in judging.

import type { InvalidObject, WireObject, World } from '../../src/model/verdict.ts';
import { futureAddress } from './packets.ts';
import { namespaceNames } from './vocabulary.ts';

type Json = Readonly<Record<string, unknown>>;
type Direction = 'ingress' | 'egress';

export interface Feature {
  readonly name: string;
  without(world: World, invalid: readonly InvalidObject[]): World | undefined;
}

/** Matches nothing that a packet of the fuzz could carry. */
const nobody: Json = { ipBlock: { cidr: '255.255.255.255/32' } };
const nothing: Json = { protocol: 'SCTP', port: 64999 };
const never = { matchLabels: { never: 'never' } };

export const features: readonly Feature[] = [
  policyFeature('policy: empty podSelector', (spec) => (isEmptySelector(spec['podSelector']) ? { ...spec, podSelector: never } : spec)),
  policyFeature('policy: podSelector matchLabels', (spec) => ({ ...spec, podSelector: drop(spec['podSelector'], 'matchLabels') })),
  policyFeature('policy: podSelector matchExpressions', (spec) => ({ ...spec, podSelector: drop(spec['podSelector'], 'matchExpressions') })),
  policyFeature('policy: no types, so ingress', (spec) => (spec['policyTypes'] === undefined ? { ...spec, policyTypes: ['Egress'] } : spec)),
  policyFeature('policy: no types, so egress too where it has rules', (spec) =>
    spec['policyTypes'] === undefined && listOf(spec['egress']).length > 0 ? { ...spec, policyTypes: ['Ingress'] } : spec,
  ),
  policyFeature('policy: a direction not listed has no rules', (spec) =>
    listOf(spec['policyTypes']).length === 1 && spec['ingress'] && spec['egress'] ? { ...spec, policyTypes: ['Ingress', 'Egress'] } : spec,
  ),
  { name: 'policy: several add up', without: onlyFirstPolicyOfEachNamespace },

  policyFeature('rules: the second and later', (spec) => mapDirections(spec, (rules) => rules.slice(0, 1))),
  ruleFeature('rule: without peers', (rule, field) => (listOf(rule[field]).length === 0 ? { ...rule, [field]: [nobody] } : rule)),
  ruleFeature('rule: without ports', (rule) => (listOf(rule['ports']).length === 0 ? { ...rule, ports: [nothing] } : rule)),
  ruleFeature('rule: peers and ports', (rule, field) => (listOf(rule[field]).length > 0 && listOf(rule['ports']).length > 0 ? { ...rule, ports: [] } : rule)),
  ruleFeature('rule: the second and later peers', (rule, field) => (listOf(rule[field]).length > 1 ? { ...rule, [field]: listOf(rule[field]).slice(0, 1) } : rule)),
  ruleFeature('rule: the second and later ports', (rule) => (listOf(rule['ports']).length > 1 ? { ...rule, ports: listOf(rule['ports']).slice(0, 1) } : rule)),
  ruleFeature('rule: more than fifteen ports', (rule) => (listOf(rule['ports']).length > 15 ? { ...rule, ports: listOf(rule['ports']).slice(0, 15) } : rule)),
  ruleFeature('rule: names and numbers mixed', (rule) => {
    const ports = listOf(rule['ports']);
    const numbers = ports.filter((port) => typeof port['port'] === 'number');
    return numbers.length > 0 && ports.some((port) => typeof port['port'] === 'string') ? { ...rule, ports: numbers } : rule;
  }),

  peerFeature('peer: podSelector alone', (peer) => (peer['podSelector'] && !peer['namespaceSelector'] ? nobody : peer)),
  peerFeature('peer: namespaceSelector alone', (peer) => (peer['namespaceSelector'] && !peer['podSelector'] ? nobody : peer)),
  peerFeature('peer: both selectors, that of pods', (peer) => (peer['podSelector'] && peer['namespaceSelector'] ? { ...peer, podSelector: {} } : peer)),
  peerFeature('peer: both selectors, that of namespaces', (peer) => (peer['podSelector'] && peer['namespaceSelector'] ? { ...peer, namespaceSelector: {} } : peer)),
  peerFeature('peer: empty podSelector', (peer) => (isEmptySelector(peer['podSelector']) ? nobody : peer)),
  peerFeature('peer: empty namespaceSelector', (peer) => (isEmptySelector(peer['namespaceSelector']) ? nobody : peer)),
  peerFeature('peer: ipBlock', (peer) => (peer['ipBlock'] ? nobody : peer)),
  blockFeature('ipBlock: except', (block) => drop(block, 'except')),
  blockFeature('ipBlock: the second and later except', (block) => (listOf(block['except']).length > 1 ? { ...block, except: listOf(block['except']).slice(0, 1) } : block)),
  peerFeature('ipBlock: /0', (peer) => (cidrOf(peer)?.endsWith('/0') ? nobody : peer)),
  peerFeature('ipBlock: /32', (peer) => (cidrOf(peer)?.endsWith('/32') ? nobody : peer)),
  peerFeature('ipBlock: host bits', (peer) => (/[13579]\/(8|16|23|24|28|29|30|31)$/.test(cidrOf(peer) ?? '') ? nobody : peer)),

  selectorFeature('selector: matchLabels', (selector) => drop(selector, 'matchLabels')),
  ...['In', 'NotIn', 'Exists', 'DoesNotExist'].map((operator) =>
    selectorFeature(`selector: ${operator}`, (selector) => mapExpressions(selector, (list) => list.filter((entry) => entry['operator'] !== operator))),
  ),
  selectorFeature('selector: NotIn where the key is absent', (selector) =>
    mapExpressions(selector, (list) => list.flatMap((entry) => (entry['operator'] === 'NotIn' ? [entry, { key: entry['key'], operator: 'Exists' }] : [entry]))),
  ),
  selectorFeature('selector: more than one requirement', (selector) => mapExpressions(selector, (list) => list.slice(0, 1))),
  selectorFeature('selector: an empty value', (selector) => {
    const text = JSON.stringify(selector);
    return text.includes('""') ? (JSON.parse(text.replaceAll('""', '"never"')) as Json) : selector;
  }),

  portFeature('port: number', (port) => (typeof port['port'] === 'number' && port['endPort'] === undefined ? nothing : port)),
  portFeature('port: endPort', (port) => drop(port, 'endPort')),
  portFeature('port: name, ingress', (port, direction) => (typeof port['port'] === 'string' && direction === 'ingress' ? nothing : port)),
  portFeature('port: name, egress', (port, direction) => (typeof port['port'] === 'string' && direction === 'egress' ? nothing : port)),
  portFeature('port: protocol alone', (port) => (port['port'] === undefined ? nothing : port)),
  portFeature('port: protocol by default', (port) => (port['protocol'] === undefined ? { ...port, protocol: 'SCTP' } : port)),
  portFeature('port: TCP', (port) => (port['protocol'] === 'TCP' ? nothing : port)),
  portFeature('port: UDP', (port) => (port['protocol'] === 'UDP' ? nothing : port)),
  portFeature('port: SCTP', (port) => (port['protocol'] === 'SCTP' ? nothing : port)),

  podFeature('pod: port of an init container', (pod) => ({ ...pod, spec: drop(pod['spec'], 'initContainers') })),
  podFeature('pod: on another node', (pod, world) => (fieldsOf(pod['spec'])['nodeName'] === world.node ? pod : undefined)),
  podFeature('pod: host network', (pod) => ({ ...pod, spec: drop(pod['spec'], 'hostNetwork') })),
  podFeature('pod: finished', (pod) => (fieldsOf(pod['status'])['phase'] === 'Succeeded' ? { ...pod, status: { ...fieldsOf(pod['status']), phase: 'Running' } } : pod)),
  podFeature('pod: address from an annotation', (pod) => (isWithoutStatusAddress(pod) && pod.metadata.annotations ? undefined : pod)),
  podFeature('pod: no address yet', (pod) =>
    isWithoutStatusAddress(pod) && !pod.metadata.annotations ? { ...pod, status: { phase: 'Running', podIP: futureAddress } } : pod,
  ),
  podFeature('pod: terminating with its address', (pod) => (pod.metadata['deletionTimestamp'] !== undefined && !pod.metadata.annotations ? undefined : pod)),
  podFeature('pod: terminating, network gone', (pod) => {
    const { annotations, ...metadata } = pod.metadata;
    return metadata['deletionTimestamp'] !== undefined && annotations ? { ...pod, metadata } : pod;
  }),
  { name: 'pod: shares an address', without: onlyFirstPodOfEachAddress },
  { name: 'namespace: absent', without: allNamespacesPresent },
  objectFeature('namespace: labels', 'Namespace', (object) => ({ ...object, metadata: { name: object.metadata.name } })),

  { name: 'broken: one rule', without: brokenRulesOpen },
  { name: 'broken: podSelector', without: (world, invalid) => withoutBroken(world, invalid, /^spec\.podSelector/) },
  { name: 'broken: policyTypes', without: (world, invalid) => withoutBroken(world, invalid, /^spec\.policyTypes/) },
];

function objectFeature(name: string, kind: string, change: (object: WireObject, world: World) => WireObject | undefined): Feature {
  return {
    name,
    without: (world) => changed(world, world.objects.flatMap((object) => (object.kind === kind ? (change(object, world) ?? []) : object))),
  };
}

function podFeature(name: string, change: (pod: WireObject, world: World) => WireObject | undefined): Feature {
  return objectFeature(name, 'Pod', change);
}

function policyFeature(name: string, change: (spec: Json) => Json): Feature {
  return objectFeature(name, 'NetworkPolicy', (object) => ({ ...object, spec: change(fieldsOf(object['spec'])) }));
}

function ruleFeature(name: string, change: (rule: Json, peersField: 'from' | 'to', direction: Direction) => Json): Feature {
  return policyFeature(name, (spec) =>
    mapDirections(spec, (rules, direction) => rules.map((rule) => change(rule, direction === 'ingress' ? 'from' : 'to', direction))),
  );
}

function peerFeature(name: string, change: (peer: Json) => Json): Feature {
  return ruleFeature(name, (rule, field) => (rule[field] === undefined ? rule : { ...rule, [field]: listOf(rule[field]).map(change) }));
}

function blockFeature(name: string, change: (block: Json) => Json): Feature {
  return peerFeature(name, (peer) => (peer['ipBlock'] ? { ...peer, ipBlock: change(fieldsOf(peer['ipBlock'])) } : peer));
}

function portFeature(name: string, change: (port: Json, direction: Direction) => Json): Feature {
  return ruleFeature(name, (rule, _, direction) => (rule['ports'] === undefined ? rule : { ...rule, ports: listOf(rule['ports']).map((port) => change(port, direction)) }));
}

/** Selectors of policies and of peers. */
function selectorFeature(name: string, change: (selector: Json) => Json): Feature {
  const inside = (holder: Json): Json =>
    Object.fromEntries(Object.entries(holder).map(([field, value]) => [field, field.endsWith('Selector') ? change(fieldsOf(value)) : value]));
  const peers = peerFeature(name, inside);
  const own = policyFeature(name, inside);
  return {
    name,
    without: (world, invalid) => {
      const withoutOwn = own.without(world, invalid);
      return peers.without(withoutOwn ?? world, invalid) ?? withoutOwn;
    },
  };
}

function mapDirections(spec: Json, change: (rules: readonly Json[], direction: Direction) => readonly Json[]): Json {
  const next: Record<string, unknown> = { ...spec };
  for (const direction of ['ingress', 'egress'] as const) if (Array.isArray(spec[direction])) next[direction] = change(listOf(spec[direction]), direction);
  return next;
}

function mapExpressions(selector: Json, change: (list: readonly Json[]) => readonly Json[]): Json {
  return selector['matchExpressions'] === undefined ? selector : { ...selector, matchExpressions: change(listOf(selector['matchExpressions'])) };
}

function onlyFirstPolicyOfEachNamespace(world: World): World | undefined {
  const seen = new Set<string | undefined>();
  const isFirst = (namespace: string | undefined): boolean => !seen.has(namespace) && seen.add(namespace).size > 0;
  return changed(world, world.objects.filter((object) => object.kind !== 'NetworkPolicy' || isFirst(object.metadata.namespace)));
}

function onlyFirstPodOfEachAddress(world: World): World | undefined {
  const seen = new Set<unknown>();
  const isFirst = (address: unknown): boolean => address === undefined || (!seen.has(address) && seen.add(address).size > 0);
  return changed(world, world.objects.filter((object) => object.kind !== 'Pod' || isFirst(fieldsOf(object['status'])['podIP'])));
}

function allNamespacesPresent(world: World): World | undefined {
  const present = new Set(world.objects.filter((object) => object.kind === 'Namespace').map((object) => object.metadata.name));
  const absent = namespaceNames.filter((name) => !present.has(name));
  return changed(world, [...world.objects, ...absent.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))]);
}

/** What a reader would do that drops only what it cannot read: the rule becomes one that matches everything. */
function brokenRulesOpen(world: World, invalid: readonly InvalidObject[]): World | undefined {
  return changed(
    world,
    world.objects.map((object) => {
      const spec = mapDirections(fieldsOf(object['spec']), (rules, direction) =>
        rules.map((rule, index) => (isNamed(object, invalid, new RegExp(`^spec\\.${direction}\\[${index}\\]`)) ? {} : rule)),
      );
      return object.kind === 'NetworkPolicy' ? { ...object, spec } : object;
    }),
  );
}

function withoutBroken(world: World, invalid: readonly InvalidObject[], field: RegExp): World | undefined {
  return changed(world, world.objects.filter((object) => object.kind !== 'NetworkPolicy' || !isNamed(object, invalid, field)));
}

function isNamed(object: WireObject, invalid: readonly InvalidObject[], field: RegExp): boolean {
  return invalid.some((entry) => entry.kind === object.kind && entry.name === object.metadata.name && entry.namespace === object.metadata.namespace && field.test(entry.field));
}

function changed(world: World, objects: readonly WireObject[]): World | undefined {
  return JSON.stringify(objects) === JSON.stringify(world.objects) ? undefined : { ...world, objects };
}

function isWithoutStatusAddress(pod: WireObject): boolean {
  return fieldsOf(pod['status'])['podIP'] === undefined;
}

function isEmptySelector(value: unknown): boolean {
  return value !== undefined && Object.values(fieldsOf(value)).every((part) => Object.keys(fieldsOf(part)).length === 0);
}

function cidrOf(peer: Json): string | undefined {
  const cidr = fieldsOf(peer['ipBlock'])['cidr'];
  return typeof cidr === 'string' ? cidr : undefined;
}

function drop(value: unknown, field: string): Json {
  const { [field]: _, ...rest } = fieldsOf(value);
  return rest;
}

/** Broken objects have other shapes, which count as empty here. */
function fieldsOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
