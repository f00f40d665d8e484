// What the dataplane must hold for a world, computed the slow way and in other words than src/calc: no index, no increments, every
// selector against every endpoint by a plain walk of its tree. Only the names of sets are taken from there.

import type { DesiredSet, SetUse } from '../../src/model/desired.ts';
import { setId } from '../../src/calc/set-definition.ts';
import type { WorkloadEndpoint } from '../../src/model/endpoint.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { EntityMatch, Rule } from '../../src/model/rule.ts';
import type { Selector, SelectorNode } from '../../src/model/selector/ast.ts';
import { selectorOf } from '../../src/model/selector/canonical.ts';
import type { ModelWorld } from './worlds.ts';
import { localNode } from './worlds.ts';

export interface NaiveEndpoint {
  readonly key: string;
  readonly profiles: readonly string[];
  /** [tier, its end, policies of ingress, policies of egress]. */
  readonly tiers: readonly (readonly [name: string, end: string, ingress: readonly string[], egress: readonly string[]])[];
}

export interface NaiveState {
  readonly endpoints: readonly NaiveEndpoint[];
  readonly policies: readonly string[];
  readonly profiles: readonly string[];
  readonly sets: ReadonlyMap<string, Pick<DesiredSet, 'type' | 'use'> & { readonly members: ReadonlySet<string> }>;
}

export function naiveState(world: ModelWorld): NaiveState {
  const locals = [...world.endpoint].filter(([, endpoint]) => endpoint.node === localNode);
  const endpoints = locals.map(([key, endpoint]) => {
    const selecting = [...world.policy].filter(([, policy]) => holds(world, endpoint, policy.selector.root));
    return { key, profiles: endpoint.profiles, tiers: naiveTiers(world, selecting) };
  });
  const policies = new Set(endpoints.flatMap(({ tiers }) => tiers.flatMap(([, , ingress, egress]) => [...ingress, ...egress])));
  const profiles = new Set(endpoints.flatMap((endpoint) => endpoint.profiles));
  const rules = [
    ...[...policies].flatMap((key) => {
      const policy = world.policy.get(key);
      return [...(policy?.types.ingress === true ? policy.ingress : []), ...(policy?.types.egress === true ? policy.egress : [])];
    }),
    ...[...profiles].flatMap((name) => [...(world.profile.get(name)?.ingress ?? []), ...(world.profile.get(name)?.egress ?? [])]),
  ];
  return { endpoints: endpoints.sort((a, b) => (a.key < b.key ? -1 : 1)), policies: [...policies].sort(), profiles: [...profiles].sort(), sets: naiveSets(world, rules) };
}

function naiveTiers(world: ModelWorld, selecting: readonly (readonly [string, Policy])[]): NaiveEndpoint['tiers'] {
  const place = (name: string): readonly [number, string] => {
    const tier = world.tier.get(name);
    return [tier?.order ?? (name === 'default' ? 1_000_000 : Number.MAX_VALUE), name];
  };
  const names = [...new Set(selecting.map(([, policy]) => policy.tier))].sort((a, b) => compare(place(a), place(b)));
  const kinds: Record<string, string> = { knp: 'KubernetesNetworkPolicy', np: 'NetworkPolicy' };
  const inOrder = selecting.toSorted(([, a], [, b]) => {
    const rank = (policy: Policy): readonly [number, string] => [policy.order ?? Number.MAX_VALUE, `${policy.origin.name}/${policy.origin.namespace}/${kinds[policy.kind]}`];
    return compare(rank(a), rank(b));
  });
  return names.flatMap((name) => {
    const keys = (direction: 'ingress' | 'egress'): string[] =>
      inOrder.filter(([, policy]) => policy.tier === name && policy.types[direction]).map(([key]) => key);
    const [ingress, egress] = [keys('ingress'), keys('egress')];
    return ingress.length + egress.length === 0 ? [] : [[name, world.tier.get(name)?.defaultAction ?? 'deny', ingress, egress] as const];
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

function naiveSets(world: ModelWorld, rules: readonly Rule[]): NaiveState['sets'] {
  const sets = new Map<string, Pick<DesiredSet, 'type' | 'use'> & { readonly members: ReadonlySet<string> }>();
  for (const rule of rules) for (const entity of [rule.source, rule.destination]) addSets(world, rule, entity, sets);
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
    const members = new Set(matching(world, of).flatMap((endpoint) => endpoint.addresses));
    sets.set(setId({ use, selector: of }), { type: 'net', use, members });
  };
  const addNamed = (use: SetUse, name: string): void => {
    const of = wanted ?? selectorOf({ kind: 'all' });
    const port = rule.protocol === undefined ? { name } : { name, protocol: rule.protocol };
    const members = new Set<string>();
    for (const endpoint of matching(world, of)) {
      for (const offered of endpoint.ports) {
        if (offered.name !== name || (rule.protocol !== undefined && rule.protocol !== offered.protocol)) continue;
        for (const address of endpoint.addresses) members.add(`${address},${offered.protocol === 6 ? 'tcp' : 'udp'}:${offered.port}`);
      }
    }
    sets.set(setId({ use, selector: of, port }), { type: 'ip-port', use, members });
  };
  const onlyNamed = ports.length > 0 && names(ports).length === ports.length;
  if (wanted !== undefined && !onlyNamed) addPlain(positive, wanted);
  if (selector === undefined && notSelector !== undefined) addPlain(negated, notSelector);
  for (const name of names(ports)) addNamed(positive, name);
  for (const name of names(notPorts)) addNamed(negated, name);
}

function matching(world: ModelWorld, selector: Selector): readonly WorkloadEndpoint[] {
  return [...world.endpoint.values()].filter((endpoint) => holds(world, endpoint, selector.root));
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
