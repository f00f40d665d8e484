// The features of Calico's policies and of administrators' policies, as features.ts has those of Kubernetes' own: each is a way to take
// it out of a world, and decides about a packet when the verdict is another one without it.

import type { InvalidObject, WireObject, World } from '../../src/model/verdict.ts';
import type { Feature } from './features.ts';

type Json = Readonly<Record<string, unknown>>;
type Direction = 'ingress' | 'egress';

const nobody: Json = { nets: ['255.255.255.255/32'] };
const calicoKinds = ['NetworkPolicy', 'GlobalNetworkPolicy'];
const adminKinds = ['ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'];

export const wideFeatures: readonly Feature[] = [
  ...calicoKinds.map((kind) => kindFeature(`kind: ${kind}`, (object) => isCalico(object) && object.kind === kind)),
  ...[...adminKinds, 'NetworkSet', 'GlobalNetworkSet', 'HostEndpoint', 'EndpointSlice'].map((kind) => kindFeature(`kind: ${kind}`, (object) => object.kind === kind)),
  { name: 'staged policies do nothing', without: (world) => changed(world, world.objects.map((object) => (object.kind.startsWith('Staged') ? { ...object, kind: object.kind.slice(6) } : object))) },

  tierFeature('tier: order', (spec) => ({ ...spec, order: 3_000_000 })),
  tierFeature('tier: none, so that of "default"', (spec) => (spec['order'] === undefined ? { ...spec, order: 7 } : spec)),
  tierFeature('tier: Pass at the end', (spec) => (spec['defaultAction'] === 'Pass' ? { ...spec, defaultAction: 'Deny' } : spec)),
  tierFeature('tier: Deny at the end', (spec) => (spec['defaultAction'] === 'Pass' ? spec : { ...spec, defaultAction: 'Pass' })),
  { name: 'tier: missing', without: (world) => changed(world, [...world.objects, { apiVersion: 'crd.projectcalico.org/v1', kind: 'Tier', metadata: { name: 'ghost' }, spec: { order: 1, defaultAction: 'Pass' } }]) },
  { name: 'tier: broken', without: (world, invalid) => withoutBroken(world, invalid, (object) => object.kind === 'Tier', (object) => ({ ...object, spec: { order: 1, defaultAction: 'Pass' } })) },

  policyFeature('policy: order', (spec) => (spec['order'] === undefined ? spec : { ...spec, order: 10 })),
  policyFeature('policy: no order, so the last', (spec) => (spec['order'] === undefined ? { ...spec, order: -5 } : spec)),
  { name: 'policy: a tie of orders', without: namesReversed },
  policyFeature('policy: no types, so both', (spec) => (spec['types'] === undefined ? { ...spec, types: ['Ingress'] } : spec)),
  policyFeature('policy: one type', (spec) => (Array.isArray(spec['types']) && spec['types'].length === 1 ? drop(spec, 'types') : spec)),
  policyFeature('policy: selector', (spec) => drop(spec, 'selector')),
  policyFeature('policy: namespaceSelector', (spec) => drop(spec, 'namespaceSelector')),
  policyFeature('policy: serviceAccountSelector', (spec) => drop(spec, 'serviceAccountSelector')),
  policyFeature('policy: applyOnForward', (spec) => (spec['doNotTrack'] === undefined ? drop(spec, 'applyOnForward') : spec)),
  policyFeature('policy: doNotTrack', (spec) => drop(spec, 'doNotTrack')),
  policyFeature('policy: preDNAT', (spec) => drop(spec, 'preDNAT')),
  { name: 'names and labels of annotations', without: (world) => changed(world, world.objects.map((object) => (isCalico(object) ? { ...object, metadata: drop(object.metadata, 'annotations') as WireObject['metadata'] } : object))) },

  ...['Deny', 'Pass', 'Log'].map((action) => ruleFeature(`rule: ${action}`, (rule) => (rule['action'] === action ? { ...rule, action: 'Allow' } : rule))),
  ruleFeature('rule: Allow', (rule) => (rule['action'] === 'Allow' ? { ...rule, action: 'Deny' } : rule)),
  ...['ipVersion', 'protocol', 'notProtocol', 'icmp', 'notICMP'].map((field) => ruleFeature(`rule: ${field}`, (rule) => (field === 'protocol' && /orts|icmp/i.test(JSON.stringify(rule)) ? rule : drop(rule, field)))),
  { name: 'rule: http, enforced elsewhere', without: (world) => (world.options.httpRules === 'Ignore' ? { ...world, options: { ...world.options, httpRules: 'Drop' } } : undefined) },
  { name: 'rule: http, enforced by nobody', without: (world) => (world.options.httpRules === 'Drop' ? { ...world, options: { ...world.options, httpRules: 'Ignore' } } : undefined) },
  ...['nets', 'notNets', 'selector', 'notSelector', 'namespaceSelector', 'serviceAccounts', 'services', 'ports', 'notPorts'].map((field) =>
    entityFeature(`rule: ${field}`, (entity) => drop(entity, field)),
  ),
  entityFeature('nets of the other family only', (entity, side, direction) => (isOneFamily(entity) && (direction === 'ingress') === (side === 'source') ? drop(drop(entity, 'nets'), 'notNets') : entity)),
  entityFeature('notSelector alone', (entity) => (entity['notSelector'] && !entity['selector'] && !entity['namespaceSelector'] ? { ...entity, ...nobody } : entity)),
  entityFeature('notSelector beside a selector', (entity) => (entity['notSelector'] && (entity['selector'] ?? entity['namespaceSelector']) ? drop(entity, 'notSelector') : entity)),
  entityFeature('namespaceSelector: global()', (entity) => (String(entity['namespaceSelector']).includes('global()') ? { ...entity, ...nobody } : entity)),
  entityFeature('namespaceSelector: all()', (entity) => (String(entity['namespaceSelector']).includes('all()') ? { ...entity, namespaceSelector: 'has(never)' } : entity)),
  entityFeature('selector: the policy’s own namespace', (entity) => (entity['selector'] && !entity['namespaceSelector'] ? { ...entity, namespaceSelector: 'all()' } : entity)),
  entityFeature('services: the policy’s own namespace', (entity) => (entity['services'] && fieldsOf(entity['services'])['namespace'] === undefined ? nobody : entity)),
  entityFeature('services: of an ingress rule', (entity, _, direction) => (entity['services'] && direction === 'ingress' ? nobody : entity)),
  entityFeature('services: of an egress rule', (entity, _, direction) => (entity['services'] && direction === 'egress' ? nobody : entity)),
  entityFeature('ports: of the source', (entity, side) => (side === 'source' ? drop(drop(entity, 'ports'), 'notPorts') : entity)),
  entityFeature('ports: ranges', (entity) => mapPorts(entity, (port) => !String(port).includes(':'))),
  entityFeature('ports: names', (entity) => mapPorts(entity, (port) => /^[0-9]/.test(String(port)))),
  entityFeature('ports: names with a selector', (entity) => (isNamedPort(entity) ? drop(drop(entity, 'selector'), 'namespaceSelector') : entity)),
  entityFeature('ports: more than fifteen slots', (entity) => (listOf(entity['ports']).length > 15 ? { ...entity, ports: listOf(entity['ports']).slice(0, 15) } : entity)),

  ...['!=', 'not in', ' in ', 'has(', 'contains', 'starts with', 'ends with', '&&', '||'].map((word) => selectorFeature(`selector: ${word.trim()}`, (text) => (text.includes(word) ? 'has(never)' : text))),
  selectorFeature('selector: !', (text) => (/![^=]/.test(text) ? 'has(never)' : text)),
  selectorFeature('selector: labels of namespaces and service accounts', (text) => (/pc(ns|sa)\./.test(text) ? 'has(never)' : text)),

  setFeature('network set: /0', (nets) => nets.filter((net) => !String(net).endsWith('/0'))),
  setFeature('network set: a net', (nets) => nets.filter((net) => /\/(32|128)$|^[^/]*$/.test(String(net)))),
  setFeature('network set: an address', (nets) => nets.filter((net) => !/\/32$|^[^/]*$/.test(String(net)))),
  setFeature('network set: IPv6', (nets) => nets.filter((net) => !String(net).includes(':'))),
  { name: 'network set: broken', without: (world, invalid) => withoutBroken(world, invalid, (object) => object.kind.endsWith('NetworkSet'), () => undefined) },
  { name: 'endpoint slice: broken', without: (world, invalid) => withoutBroken(world, invalid, (object) => object.kind === 'EndpointSlice', () => undefined) },
  { name: 'host endpoint: broken', without: (world, invalid) => withoutBroken(world, invalid, (object) => object.kind === 'HostEndpoint', (object) => ({ ...object, spec: { ...fieldsOf(object['spec']), expectedIPs: listOf(fieldsOf(object['spec'])['expectedIPs']).filter((address) => !String(address).includes('/')) } })) },

  adminFeature('admin: Pass', (rule) => (rule['action'] === 'Pass' ? { ...rule, action: 'Deny' } : rule)),
  adminFeature('admin: Deny', (rule, kind) => (rule['action'] === 'Deny' ? { ...rule, action: kind === 'ClusterNetworkPolicy' ? 'Accept' : 'Allow' } : rule)),
  adminFeature('admin: Accept, Allow', (rule) => (String(rule['action']).startsWith('A') ? { ...rule, action: 'Deny' } : rule)),
  adminFeature('admin: networks', (rule) => withoutPeers(rule, 'networks')),
  adminFeature('admin: pods', (rule) => withoutPeers(rule, 'pods')),
  adminFeature('admin: namespaces', (rule) => withoutPeers(rule, 'namespaces')),
  adminFeature('admin: ports', (rule) => drop(drop(rule, 'ports'), 'protocols')),
  { name: 'admin: priority', without: (world) => mapSpecs(world, (object) => adminKinds.includes(object.kind), (spec) => (spec['priority'] === undefined ? spec : { ...spec, priority: 5 })) },
  { name: 'admin: Baseline', without: (world) => mapSpecs(world, (object) => object.kind === 'ClusterNetworkPolicy', (spec) => ({ ...spec, tier: 'Admin' })) },

  { name: 'broken: a rule that allows', without: (world, invalid) => brokenRulesOpen(world, invalid, /^(Allow|Accept)$/) },
  { name: 'broken: a rule that denies or passes', without: (world, invalid) => brokenRulesOpen(world, invalid, /^(Deny|Pass|Refuse)$/) },
  { name: 'broken: elsewhere', without: (world, invalid) => withoutBroken(world, invalid, isAnyPolicy, () => undefined, /^spec\.(order|types|unknown|applyOnForward|ingress|egress)$/) },
  { name: 'broken: selector', without: (world, invalid) => withoutBroken(world, invalid, isAnyPolicy, () => undefined, /^spec\.selector$/) },
];

/** Of the last decision; what packets.ts aims at besides is verdict.test.ts's. */
export const wideReasons = ['egress', 'ingress'].flatMap((direction) =>
  ['allow profile', 'allow rule', 'deny end-of-tier', 'deny no-profile', 'deny rule'].map((reason) => `${direction} ${reason}`),
);

/** Without those that are about policies of the node's own host endpoints; verdict-of-desired.test.ts has them. */
export const enforcedFeatures = wideFeatures.filter(({ name }) => name !== 'policy: applyOnForward' && name !== 'host endpoint: broken');

function kindFeature(name: string, isOf: (object: WireObject) => boolean): Feature {
  return { name, without: (world) => changed(world, world.objects.filter((object) => !isOf(object))) };
}

function tierFeature(name: string, change: (spec: Json) => Json): Feature {
  return { name, without: (world) => mapSpecs(world, (object) => object.kind === 'Tier', change) };
}

function policyFeature(name: string, change: (spec: Json) => Json): Feature {
  return { name, without: (world) => mapSpecs(world, isCalicoPolicy, change) };
}

function ruleFeature(name: string, change: (rule: Json, direction: Direction) => Json): Feature {
  return policyFeature(name, (spec) => mapRules(spec, change));
}

function entityFeature(name: string, change: (entity: Json, side: 'source' | 'destination', direction: Direction) => Json): Feature {
  return ruleFeature(name, (rule, direction) => {
    const next: Record<string, unknown> = { ...rule };
    for (const side of ['source', 'destination'] as const) if (rule[side] !== undefined) next[side] = change(fieldsOf(rule[side]), side, direction);
    return next;
  });
}

/** Selectors anywhere in Calico's policies. */
function selectorFeature(name: string, change: (text: string) => string): Feature {
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inside);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([field, each]) => [field, field.endsWith('elector') && typeof each === 'string' ? change(each) : inside(each)]));
  };
  return policyFeature(name, (spec) => inside(spec) as Json);
}

function setFeature(name: string, change: (nets: readonly unknown[]) => readonly unknown[]): Feature {
  return {
    name,
    without: (world) => mapSpecs(world, (object) => object.kind.endsWith('NetworkSet'), (spec) => (Array.isArray(spec['nets']) ? { ...spec, nets: change(listOf(spec['nets'])) } : spec)),
  };
}

function adminFeature(name: string, change: (rule: Json, kind: string) => Json): Feature {
  const changedObject = (object: WireObject): WireObject => ({ ...object, spec: mapRules(fieldsOf(object['spec']), (rule) => change(rule, object.kind)) });
  return { name, without: (world) => changed(world, world.objects.map((object) => (adminKinds.includes(object.kind) ? changedObject(object) : object))) };
}

function withoutPeers(rule: Json, kind: string): Json {
  const never = { namespaces: { matchLabels: { never: 'never' } } };
  const next: Record<string, unknown> = { ...rule };
  for (const field of ['from', 'to']) if (rule[field] !== undefined) next[field] = listOf(rule[field]).map((peer) => (fieldsOf(peer)[kind] === undefined ? peer : never));
  return next;
}

/** What a reader would do that drops only what it cannot read: the rule becomes one that matches everything, or nothing. */
function brokenRulesOpen(world: World, invalid: readonly InvalidObject[], actions: RegExp): World | undefined {
  return changed(
    world,
    world.objects.map((object) => {
      if (!isAnyPolicy(object)) return object;
      const spec: Record<string, unknown> = { ...fieldsOf(object['spec']) };
      for (const direction of ['ingress', 'egress']) {
        const list = listOf(spec[direction]);
        const isBad = (rule: unknown, index: number): boolean => actions.test(String(fieldsOf(rule)['action'])) && isNamed(object, invalid, new RegExp(`^spec\\.${direction}\\[${index}\\]`));
        const opened = list.map((rule, index) => (isBad(rule, index) ? { action: adminKinds.includes(object.kind) ? fieldsOf(rule)['action'] : 'Allow', from: [{ namespaces: {} }], to: [{ namespaces: {} }] } : rule));
        const fitting = opened.map((rule, index) => (isBad(list[index], index) ? fitted(rule, object.kind, direction) : rule));
        if (list.length > 0) spec[direction] = fitting;
      }
      return { ...object, spec };
    }),
  );
}

function fitted(rule: unknown, kind: string, direction: string): Json {
  const { action, from, to } = fieldsOf(rule);
  if (!adminKinds.includes(kind)) return { action };
  return { action: kind === 'ClusterNetworkPolicy' ? 'Accept' : 'Allow', ...(direction === 'ingress' ? { from } : { to }) };
}

function withoutBroken(world: World, invalid: readonly InvalidObject[], isOf: (object: WireObject) => boolean, change: (object: WireObject) => WireObject | undefined, field = /./): World | undefined {
  return changed(world, world.objects.flatMap((object) => (isOf(object) && isNamed(object, invalid, field) ? (change(object) ?? []) : object)));
}

function isNamed(object: WireObject, invalid: readonly InvalidObject[], field: RegExp): boolean {
  return invalid.some((entry) => entry.kind === object.kind && entry.name === object.metadata.name && entry.namespace === object.metadata.namespace && field.test(entry.field));
}

function isCalico({ apiVersion }: WireObject): boolean {
  return apiVersion.includes('projectcalico.org/');
}

function isCalicoPolicy(object: WireObject): boolean {
  return isCalico(object) && calicoKinds.includes(object.kind);
}

function isAnyPolicy(object: WireObject): boolean {
  return isCalicoPolicy(object) || adminKinds.includes(object.kind);
}

/** Of policies with the same order the last by name becomes the first. */
function namesReversed(world: World): World | undefined {
  const isNamedPolicy = (object: WireObject): boolean => calicoKinds.includes(object.kind);
  const names = [...new Set(world.objects.filter(isNamedPolicy).map(({ metadata }) => metadata.name))].sort();
  const rename = ({ metadata }: WireObject): WireObject['metadata'] => ({ ...metadata, annotations: {}, name: String(99 - names.indexOf(metadata.name)) });
  return changed(world, world.objects.map((object) => (isNamedPolicy(object) ? { ...object, metadata: rename(object) } : object)));
}

function isOneFamily(entity: Json): boolean {
  const list = [...listOf(entity['nets']), ...listOf(entity['notNets'])].map(String);
  return list.length > 0 && (list.every((net) => net.includes(':')) || list.every((net) => !net.includes(':')));
}

function isNamedPort(entity: Json): boolean {
  return [...listOf(entity['ports']), ...listOf(entity['notPorts'])].some((port) => /^[a-z]/.test(String(port)));
}

function mapPorts(entity: Json, keep: (port: unknown) => boolean): Json {
  const next: Record<string, unknown> = { ...entity };
  for (const field of ['ports', 'notPorts']) {
    const list = listOf(entity[field]);
    const kept = list.filter(keep);
    if (kept.length < list.length) next[field] = [...kept, 64999];
  }
  return next;
}

function mapRules(spec: Json, change: (rule: Json, direction: Direction) => Json): Json {
  const next: Record<string, unknown> = { ...spec };
  for (const direction of ['ingress', 'egress'] as const) if (Array.isArray(spec[direction])) next[direction] = listOf(spec[direction]).map((rule) => change(fieldsOf(rule), direction));
  return next;
}

function mapSpecs(world: World, isOf: (object: WireObject) => boolean, change: (spec: Json) => Json): World | undefined {
  return changed(world, world.objects.map((object) => (isOf(object) ? { ...object, spec: change(fieldsOf(object['spec'])) } : object)));
}

function changed(world: World, objects: readonly WireObject[]): World | undefined {
  const isSame = (object: WireObject, index: number): boolean => object === world.objects[index] || JSON.stringify(object) === JSON.stringify(world.objects[index]);
  return objects.length === world.objects.length && objects.every(isSame) ? undefined : { ...world, objects };
}

function drop(value: unknown, field: string): Json {
  const { [field]: _, ...rest } = fieldsOf(value);
  return rest;
}

function fieldsOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
