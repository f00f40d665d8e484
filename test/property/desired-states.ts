// Random desired states of a small node, and the change set that leads from one to the next. Made directly, not by calculation, so that
// they hold all that calc may ever say: tiers, denials, negations, named ports, addresses that move from one pod to another.
// Only what makes the order of writing ambiguous by contract is left out: Pass rules that look into sets.

import * as fc from 'fast-check';
import type { ActiveEndpoint, ActivePolicy, ActiveRule, Desired, DesiredSet } from '../../src/model/desired.ts';
import { desired, endpoint, entity, policy, profile, rule, set, tier } from '../dataplane/objects.ts';

export interface NodeState {
  readonly sets: ReadonlyMap<string, DesiredSet>;
  readonly policies: ReadonlyMap<string, ActivePolicy>;
  readonly endpoints: ReadonlyMap<string, ActiveEndpoint>;
}

export const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'] as const;
export const suffixes = ['a1', 'b1', 'x1'] as const;
const allowSets = ['s:a', 's:b', 's:c'] as const;
const denySets = ['d:a', 'd:b'] as const;
const portSet = 'n:a';
const policyNames = ['p', 'q', 'r', 't'] as const;

const subset = fc.subarray([...addresses]);
const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<T[]>([]) },
    { weight: 2, arbitrary: fc.subarray([...values], { minLength: 1, maxLength: Math.min(2, values.length) }) },
  );

const nets = some(['10.0.0.0/30', '10.0.0.4/32', '10.0.0.1/32']);

/** More members of an allow set only allow more: matched by Allow rules, not matched by Deny rules. Deny sets the other way round. */
const entityOf = (positive: readonly string[], negative: readonly string[]): fc.Arbitrary<ActiveRule['source']> =>
  fc.record({ nets, notNets: some(['10.0.0.2/32']), sets: some(positive), notSets: some(negative) }).map(entity);

const activeRule: fc.Arbitrary<ActiveRule> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(entityOf(allowSets, denySets), entityOf(allowSets, denySets), fc.boolean()).map(([source, destination, isNamed]) =>
    rule(isNamed ? { protocol: 6, source, destination: { ...destination, portSets: [portSet] } } : { source, destination })) },
  { weight: 3, arbitrary: fc.tuple(entityOf(denySets, allowSets), entityOf(denySets, allowSets)).map(([source, destination]) => rule({ action: 'deny', source, destination })) },
  { weight: 1, arbitrary: nets.map((list) => rule({ action: 'pass', source: entity({ nets: list }) })) },
);
const rules = fc.array(activeRule, { maxLength: 3 });

const policies = fc
  .tuple(...policyNames.map((name) => fc.tuple(rules, rules).map(([ingress, egress]) => policy(name, { ingress, egress }))))
  .map((list) => new Map(list.map((each) => [each.key, each])));

const keys = policyNames.map((name) => `knp/default/${name}`);
const tiers = fc
  .tuple(fc.subarray(keys.slice(0, 2)), fc.subarray(keys.slice(0, 2)), fc.subarray(keys.slice(2)), fc.subarray(keys.slice(2)), fc.constantFrom('deny', 'pass'))
  .map(([ingress0, egress0, ingress1, egress1, defaultAction]) =>
    [tier({ name: 'first', defaultAction, ingress: ingress0, egress: egress0 }), tier({ ingress: ingress1, egress: egress1 })].filter(
      ({ ingress, egress }) => ingress.length + egress.length > 0,
    ),
  );

const endpoints = fc
  .tuple(fc.shuffledSubarray([...addresses], { minLength: 3, maxLength: 3 }), fc.subarray([...suffixes]), fc.array(tiers, { minLength: 3, maxLength: 3 }), fc.boolean())
  .map(([own, present, tierLists, hasTwo]) =>
    new Map(
      present.map((suffix) => {
        const i = suffixes.indexOf(suffix);
        const list = hasTwo && i === 0 ? [own[0] as string, ...addresses.filter((address) => !own.includes(address)).slice(0, 1)] : [own[i] as string];
        return [`default/${suffix}`, endpoint(suffix, suffix, { addresses: list, tiers: tierLists[i] ?? [] })];
      }),
    ),
  );

const members = fc.record({ net: fc.array(subset, { minLength: 5, maxLength: 5 }), ports: subset });

export const nodeState: fc.Arbitrary<NodeState> = fc.tuple(policies, endpoints, members).map(([allPolicies, active, { net, ports }]) => {
  const needed = new Set([...active.values()].flatMap(({ tiers: list }) => list.flatMap(({ ingress, egress }) => [...ingress, ...egress])));
  const kept = new Map([...allPolicies].filter(([key]) => needed.has(key)));
  const all = [
    ...allowSets.map((id, i) => set(id, net[i] ?? [])),
    ...denySets.map((id, i) => set(id, net[3 + i] ?? [], { use: 'deny' })),
    set(portSet, ports.map((address) => `${address},tcp:80`), { type: 'ip-port' }),
  ];
  const used = new Set([...kept.values()].flatMap(setsOf));
  return { sets: new Map(all.filter(({ id }) => used.has(id)).map((each) => [each.id, each])), policies: kept, endpoints: active };
});

export const emptyState: NodeState = { sets: new Map(), policies: new Map(), endpoints: new Map() };

/** What calc would send. */
export function difference(before: NodeState, after: NodeState): Desired {
  const gone = (from: ReadonlyMap<string, unknown>, to: ReadonlyMap<string, unknown>): string[] => [...from.keys()].filter((key) => !to.has(key));
  const changed = <T>(from: ReadonlyMap<string, T>, to: ReadonlyMap<string, T>): T[] =>
    [...to].filter(([key, value]) => JSON.stringify(from.get(key)) !== JSON.stringify(value)).map(([, value]) => value);
  return desired({
    addedSets: [...after.sets.values()].filter(({ id }) => !before.sets.has(id)),
    setDeltas: [...after.sets.values()].flatMap(({ id, members: now }) => {
      const was = before.sets.get(id)?.members;
      if (was === undefined) return [];
      const delta = { id, added: now.filter((member) => !was.includes(member)), removed: was.filter((member) => !now.includes(member)) };
      return delta.added.length + delta.removed.length > 0 ? [delta] : [];
    }),
    policies: changed(before.policies, after.policies),
    profiles: before === emptyState ? [profile('kns.default')] : [],
    endpoints: changed(before.endpoints, after.endpoints),
    removedEndpoints: gone(before.endpoints, after.endpoints),
    removedPolicies: gone(before.policies, after.policies),
    removedSets: gone(before.sets, after.sets),
  });
}

function setsOf({ ingress, egress }: ActivePolicy): string[] {
  return [...ingress, ...egress].flatMap(({ source, destination }) => [source, destination].flatMap((end) => [...end.sets, ...end.notSets, ...end.portSets]));
}
