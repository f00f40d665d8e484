// What the dataplane must hold for a world, computed the slow way and in other words than src/calc: no index, no increments, every
// selector against every endpoint by a plain walk of its tree. Only the names of sets are taken from there.

import type { DesiredSet, SetUse } from '../../src/model/desired.ts';
import { setId } from '../../src/calc/set-definition.ts';
import type { WorkloadEndpoint } from '../../src/model/endpoint.ts';
import type { HostEndpoint } from '../../src/model/host-endpoint.ts';
import type { EndpointPort } from '../../src/model/net/port.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { EntityMatch, Rule } from '../../src/model/rule.ts';
import type { Selector, SelectorNode } from '../../src/model/selector/ast.ts';
import { selectorOf } from '../../src/model/selector/canonical.ts';
import type { ModelWorld } from './worlds.ts';
import { localNode } from './worlds.ts';

/** [tier, its end, policies of ingress, policies of egress]. */
export type NaiveTiers = readonly (readonly [name: string, end: string, ingress: readonly string[], egress: readonly string[]])[];

export interface NaiveEndpoint {
  readonly key: string;
  readonly profiles: readonly string[];
  readonly tiers: NaiveTiers;
}

export interface NaiveHost {
  readonly key: string;
  readonly profiles: readonly string[];
  readonly normal: NaiveTiers;
  readonly forward: NaiveTiers;
  readonly untracked: NaiveTiers;
  readonly preDnat: NaiveTiers;
}

export interface NaiveState {
  readonly endpoints: readonly NaiveEndpoint[];
  readonly hostEndpoints: readonly NaiveHost[];
  readonly policies: readonly string[];
  readonly profiles: readonly string[];
  readonly sets: ReadonlyMap<string, Pick<DesiredSet, 'type' | 'use'> & { readonly members: ReadonlySet<string> }>;
}

export function naiveState(world: ModelWorld): NaiveState {
  const selecting = (subject: WorkloadEndpoint | HostEndpoint): [string, Policy][] => [...world.policy].filter(([, policy]) => holds(world, subject, policy.selector.root));
  const endpoints = [...world.endpoint].filter(([, { node }]) => node === localNode).map(([key, endpoint]) => {
    const applying = selecting(endpoint).filter(([, { applies }]) => applies?.doNotTrack !== true && applies?.preDnat !== true);
    return { key, profiles: endpoint.profiles, tiers: naiveTiers(world, applying) };
  });
  const hostEndpoints = [...world.hostEndpoint].filter(([, { node, isBroken }]) => node === localNode && isBroken !== true).map(([key, host]) => {
    const all = selecting(host);
    const normal = all.filter(([, { applies }]) => applies?.doNotTrack !== true && applies?.preDnat !== true);
    const incoming = all
      .filter(([, { applies, types }]) => applies?.preDnat === true && types.ingress)
      .map(([name, policy]): [string, Policy] => [name, { ...policy, types: { ingress: true, egress: false } }]);
    return {
      key,
      profiles: host.profiles,
      normal: naiveTiers(world, normal),
      forward: naiveTiers(world, normal.filter(([, { applies }]) => applies?.applyOnForward === true)),
      untracked: naiveTiers(world, all.filter(([, { applies }]) => applies?.doNotTrack === true)),
      preDnat: naiveTiers(world, incoming),
    };
  });
  const lists = [...endpoints.map(({ tiers }) => tiers), ...hostEndpoints.flatMap(({ normal, forward, untracked, preDnat }) => [normal, forward, untracked, preDnat])];
  const everywhere = [...world.policy].filter(([, { types, applies, isNeededEverywhere }]) => isNeededEverywhere === true && (types.ingress || (types.egress && applies?.preDnat !== true)));
  const policies = new Set([...everywhere.map(([key]) => key), ...lists.flat().flatMap(([, , ingress, egress]) => [...ingress, ...egress])]);
  const profiles = new Set([...endpoints, ...hostEndpoints].flatMap((endpoint) => endpoint.profiles));
  const rules = [
    ...[...policies].flatMap((key) => {
      const policy = world.policy.get(key);
      return [...(policy?.types.ingress === true ? policy.ingress : []), ...(policy?.types.egress === true && policy.applies?.preDnat !== true ? policy.egress : [])];
    }),
    ...[...profiles].flatMap((name) => [...(world.profile.get(name)?.ingress ?? []), ...(world.profile.get(name)?.egress ?? [])]),
  ];
  return { endpoints: byKey(endpoints), hostEndpoints: byKey(hostEndpoints), policies: [...policies].sort(), profiles: [...profiles].sort(), sets: naiveSets(world, rules) };
}

function byKey<T extends { readonly key: string }>(list: T[]): T[] {
  return list.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function naiveTiers(world: ModelWorld, selecting: readonly (readonly [string, Policy])[]): NaiveTiers {
  const place = (name: string): readonly [number, string] => {
    const builtIn: Record<string, number> = { default: 1_000_000, 'kube-admin': 1_000, 'kube-baseline': 10_000_000 };
    return [world.tier.get(name)?.order ?? builtIn[name] ?? Number.MAX_VALUE, name];
  };
  const names = [...new Set(selecting.map(([, policy]) => policy.tier))].sort((a, b) => compare(place(a), place(b)));
  const kinds: Record<string, string> = { knp: 'KubernetesNetworkPolicy', np: 'NetworkPolicy', gnp: 'GlobalNetworkPolicy' };
  const inOrder = selecting.toSorted(([, a], [, b]) => {
    const rank = (policy: Policy): readonly [number, string] => [policy.order ?? Number.MAX_VALUE, `${policy.origin.name}/${policy.origin.namespace}/${kinds[policy.kind]}`];
    return compare(rank(a), rank(b));
  });
  return names.flatMap((name) => {
    const keys = (direction: 'ingress' | 'egress'): string[] =>
      inOrder.filter(([, policy]) => policy.tier === name && policy.types[direction]).map(([key]) => key);
    const [ingress, egress] = [keys('ingress'), keys('egress')];
    return ingress.length + egress.length === 0 ? [] : [[name, world.tier.get(name)?.defaultAction ?? (name.startsWith('kube-') ? 'pass' : 'deny'), ingress, egress] as const];
  });
}

function compare(a: readonly [number, string], b: readonly [number, string]): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  return 0;
}

const uses: Record<Rule['action'], readonly [positive: SetUse, negated: SetUse]> = {
  allow: ['allow', 'deny'],
  deny: ['deny', 'allow'],
  pass: ['pass', 'pass'],
  log: ['allow', 'allow'],
};

const everyAddress = ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'];

function naiveSets(world: ModelWorld, rules: readonly Rule[]): NaiveState['sets'] {
  const sets = new Map<string, Pick<DesiredSet, 'type' | 'use'> & { readonly members: ReadonlySet<string> }>();
  for (const rule of rules) {
    for (const entity of [rule.source, rule.destination]) addSets(world, rule, entity, sets);
    const [use] = uses[rule.action];
    const { source, destination } = rule;
    if (source.service !== undefined) {
      const members = new Set([...served(world, source.service, false), ...(use === 'deny' && isUnclear(world, source.service) ? everyAddress : [])]);
      sets.set(setId({ use, service: source.service, withPorts: false }), { type: 'net', use, members });
    }
    if (destination.service !== undefined && use === 'deny') sets.set(setId({ use, service: destination.service, withPorts: false, onlyBroken: true }), { type: 'net', use, members: new Set(isUnclear(world, destination.service) ? everyAddress : []) });
    if (destination.service !== undefined) sets.set(setId({ use, service: destination.service, withPorts: true }), { type: 'ip-port', use, members: served(world, destination.service, true) });
  }
  return sets;
}

function addSets(world: ModelWorld, rule: Rule, entity: EntityMatch, sets: Map<string, unknown>): void {
  const [positive, negated] = uses[rule.action];
  const { selector, notSelector, ports, notPorts } = entity;
  let wanted = selector;
  if (selector !== undefined && notSelector !== undefined) {
    wanted = selectorOf({ kind: 'and', operands: [selector.root, { kind: 'not', operand: notSelector.root }] });
  }
  const names = (list: EntityMatch['ports']): string[] => list.flatMap((port) => ('name' in port ? [port.name] : []));
  const addPlain = (use: SetUse, of: Selector): void => {
    const members = new Set(matching(world, of).flatMap((item) => (item.isBroken === true ? (use === 'deny' ? everyAddress : []) : item.members)));
    sets.set(setId({ use, selector: of }), { type: 'net', use, members });
  };
  const addNamed = (use: SetUse, name: string): void => {
    const of = entity.portNamesOf ?? wanted ?? selectorOf({ kind: 'all' });
    const port = rule.protocol === undefined ? { name } : { name, protocol: rule.protocol };
    const members = new Set<string>();
    for (const endpoint of matching(world, of)) {
      for (const offered of endpoint.ports) {
        if (offered.name !== name || (rule.protocol !== undefined && rule.protocol !== offered.protocol)) continue;
        for (const address of endpoint.members) members.add(`${address},${offered.protocol === 6 ? 'tcp' : 'udp'}:${offered.port}`);
      }
    }
    sets.set(setId({ use, selector: of, port }), { type: 'ip-port', use, members });
  };
  const onlyNamed = entity.portNamesOf === undefined && ports.length > 0 && names(ports).length === ports.length;
  if (wanted !== undefined && !onlyNamed) addPlain(positive, wanted);
  if (selector === undefined && notSelector !== undefined) addPlain(negated, notSelector);
  for (const name of names(ports)) addNamed(positive, name);
  for (const name of names(notPorts)) addNamed(negated, name);
}

interface Item {
  readonly labels: readonly string[];
  readonly profiles: readonly string[];
  readonly members: readonly string[];
  readonly ports: readonly EndpointPort[];
  readonly isBroken?: boolean;
}

/** Everything that has labels and addresses. */
function items(world: ModelWorld): readonly Item[] {
  const written = (net: string): string[] => {
    if (net === '0.0.0.0/0') return ['0.0.0.0/1', '128.0.0.0/1'];
    if (net === '::/0') return ['::/1', '8000::/1'];
    return [net.replace(/\/32$|\/128$/, '')];
  };
  return [
    ...[...world.endpoint.values()].map((endpoint) => ({ ...endpoint, members: endpoint.addresses })),
    ...[...world.hostEndpoint.values()].map((host) => ({ ...host, members: host.expectedAddresses, ports: host.isBroken === true ? [] : host.ports })),
    ...[...world.networkSet.values()].map((set) => ({ ...set, members: set.nets.flatMap(written), ports: [] })),
  ];
}

function matching(world: ModelWorld, selector: Selector): readonly Item[] {
  return items(world).filter((item) => holds(world, item, selector.root));
}

function isUnclear(world: ModelWorld, service: string): boolean {
  return [...world.serviceEndpoints.values()].some((slice) => slice.service === service && slice.isBroken === true);
}

function served(world: ModelWorld, service: string, withPorts: boolean): ReadonlySet<string> {
  const slices = [...world.serviceEndpoints.values()].filter((slice) => slice.service === service);
  const ends = (slice: (typeof slices)[number]): string[] => slice.ports.map(({ protocol, port }) => `,${protocol === 6 ? 'tcp' : 'udp'}:${port}`);
  return new Set(slices.flatMap((slice) => slice.addresses.flatMap((address) => (withPorts ? ends(slice).map((end) => address + end) : [address]))));
}

/** Whether a selector holds for an endpoint. */
export function holds(world: Pick<ModelWorld, 'profile'>, endpoint: Pick<WorkloadEndpoint, 'labels' | 'profiles'>, node: SelectorNode): boolean {
  const value = (label: string): string | undefined => {
    const sources = [endpoint.labels, ...endpoint.profiles.map((name) => world.profile.get(name)?.labels ?? [])];
    for (const source of sources) {
      const i = source.findIndex((text, place) => place % 2 === 0 && text === label);
      if (i >= 0) return source[i + 1];
    }
    return undefined;
  };
  const test = (tree: SelectorNode): boolean => {
    switch (tree.kind) {
      case 'all':
      case 'global':
        return true;
      case 'has':
        return value(tree.label) !== undefined;
      case 'equals':
        return value(tree.label) === tree.value;
      case 'not-equals':
        return value(tree.label) !== tree.value;
      case 'contains':
        return value(tree.label)?.includes(tree.value) === true;
      case 'starts-with':
        return value(tree.label)?.startsWith(tree.value) === true;
      case 'ends-with':
        return value(tree.label)?.endsWith(tree.value) === true;
      case 'in':
        return tree.values.some((each) => each === value(tree.label));
      case 'not-in':
        return !tree.values.some((each) => each === value(tree.label));
      case 'not':
        return !test(tree.operand);
      case 'and':
        return tree.operands.every(test);
      case 'or':
        return tree.operands.some(test);
    }
  };
  return test(node);
}
