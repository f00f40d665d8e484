// Whatever a rule says, and however broken it is: as an Allow it never matches what a naive reading of it does not, and as a Deny it
// always matches what the naive reading does. What is not broken matches exactly that.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import { contains, parseAddress, parseCidr } from '../../../src/model/net/cidr.ts';
import type { EntityMatch, Rule } from '../../../src/model/rule.ts';
import { compile } from '../../../src/model/selector/match.ts';
import { calicoNetworkPolicies } from '../../../src/sync/resources/calico-network-policy.ts';
import { clusterNetworkPolicies } from '../../../src/sync/resources/cluster-network-policy.ts';
import { globalNetworkPolicies } from '../../../src/sync/resources/global-network-policy.ts';
import { naiveEntityMatch, naivePeerMatch, seenLabels, type Thing } from './naive-match.ts';
import { calicoObject, context } from './objects.ts';

const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2', ''), { maxKeys: 2, noNullPrototype: true });
const belongsTo = (...names: string[]) => fc.record({ name: fc.constantFrom(...names), labels });

const things: fc.Arbitrary<Thing> = fc
  .record({
    isPod: fc.boolean(),
    address: fc.constantFrom('10.0.0.1', '10.1.0.1', '192.0.2.1', 'fd00::1'),
    port: fc.constantFrom(0, 79, 80, 443, 65_535),
    labels,
    namespace: fc.option(belongsTo('shop', 'data'), { nil: undefined, freq: 4 }),
    account: belongsTo('x', 'y'),
    ports: fc.constantFrom([], [{ name: 'web', port: 80 }], [{ name: 'web', port: 443 }]),
  })
  .map(({ namespace, account, isPod, ...thing }) => ({
    ...thing,
    isPod: isPod && namespace !== undefined,
    ...(namespace === undefined ? {} : { namespace }),
    ...(namespace === undefined || !isPod ? {} : { account }),
  }));

const selectors = ["a == '1'", 'has(b)', '!has(a)', "a != '1'", 'all()', "a in {'1', '2'} || b == ''", "!(a == '1' || all())", "b not in {'2'} && has(a)"];

/** One of the good values; now and then one of the bad ones, or anything. */
const mostly = <T>(good: fc.Arbitrary<T>, ...bad: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 20, arbitrary: good }, { weight: 1, arbitrary: fc.constantFrom(...bad, null) }, { weight: 1, arbitrary: fc.jsonValue() });
const texts = (good: readonly string[], ...bad: string[]): fc.Arbitrary<unknown> => mostly(fc.constantFrom(...good, ''), ...bad);
const lists = (good: readonly unknown[], ...bad: unknown[]): fc.Arbitrary<unknown> => mostly(fc.array(mostly(fc.constantFrom(...good), ...bad), { maxLength: 3 }));
const nets = lists(['10.0.0.0/8', '10.1.2.3/16', '192.0.2.1', 'fd00::/8', '0.0.0.0/0', '::/0'], '010.0.0.0/8');
const ports = lists([80, '443', '0:79', 'web', '0:65535'], 65_536, '80:79');

const fields = {
  nets,
  notNets: nets,
  selector: texts(selectors, 'a ==', 'global()'),
  notSelector: texts(selectors, 'a = 1'),
  namespaceSelector: texts([...selectors, 'global()', 'global() || has(a)'], '('),
  serviceAccounts: mostly(fc.record({ names: lists(['x', 'y'], 'Z!'), selector: texts(selectors, '!') }, { requiredKeys: [], noNullPrototype: true })),
  ports,
  notPorts: ports,
  unknown: fc.constantFrom(null, 1),
};

/** Few fields: of all at once nothing would match. */
const entities = fc.subarray(Object.keys(fields) as (keyof typeof fields)[], { maxLength: 3 }).chain((names) =>
  fc.record(Object.fromEntries(names.map((name) => [name, fields[name]])), { noNullPrototype: true }),
);

const within = (list: readonly string[], address: string): boolean => {
  const parsed = parseAddress(address);
  assert.ok(parsed);
  return list.some((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && contains(cidr, parsed);
  });
};

/** What the model says of a match. */
function matches({ nets: allNets, notNets, selector, notSelector, ports: allPorts, notPorts }: EntityMatch, thing: Thing): boolean {
  const seen = seenLabels(thing);
  const lookup = (label: string): string | undefined => seen.get(label);
  const isSome = (list: EntityMatch['ports']): boolean =>
    list.some((port) => ('name' in port ? thing.ports.some((own) => own.name === port.name && own.port === thing.port) : port.first <= thing.port && thing.port <= port.last));
  return (
    (allNets.length === 0 || within(allNets, thing.address)) &&
    !within(notNets, thing.address) &&
    (selector === undefined || compile(selector.root)(lookup)) &&
    (notSelector === undefined || !compile(notSelector.root)(lookup)) &&
    (allPorts.length === 0 || isSome(allPorts)) &&
    !isSome(notPorts)
  );
}

const anyMatches = (rules: readonly Rule[] | undefined, end: 'source' | 'destination', thing: Thing): boolean => rules?.some((rule) => matches(rule[end], thing)) === true;

describe('a rule', () => {
  for (const [what, kind, resource, namespace] of [
    ['of a NetworkPolicy', 'NetworkPolicy', calicoNetworkPolicies, 'shop'],
    ['of a GlobalNetworkPolicy', 'GlobalNetworkPolicy', globalNetworkPolicies, ''],
  ] as const) {
    test(`${what} matches what its wire form says`, () => {
      let [sound, broken, matched] = [0, 0, 0];
      fc.assert(
        fc.property(entities, fc.constantFrom('source', 'destination'), things, (entity, end, thing) => {
          const decode = (action: string): { rules: readonly Rule[] | undefined; isSound: boolean } => {
            const { value, problems } = resource.decode(calicoObject(kind, { egress: [{ action, protocol: 'TCP', [end]: entity }] }), context());
            return { rules: value?.egress, isSound: problems.length === 0 };
          };
          const [allow, deny] = [decode('Allow'), decode('Deny')];
          const naive = naiveEntityMatch(entity, thing, namespace);
          const allowed = anyMatches(allow.rules, end, thing);
          if (allow.isSound) assert.equal(allowed, naive);
          assert.ok(naive || !allowed, 'an Allow is wider than it reads');
          assert.ok(!naive || anyMatches(deny.rules, end, thing), 'a Deny is narrower than it reads');
          if (allow.isSound) sound += 1;
          else broken += 1;
          if (allowed) matched += 1;
        }),
        { numRuns: 4000 },
      );
      assert.ok(sound > 500 && broken > 500 && matched > 500, `worth little: ${sound} sound, ${broken} broken, ${matched} that match`);
    });
  }

  const labelSelectors = fc.oneof(
    { weight: 20, arbitrary: fc.record({ matchLabels: labels, matchExpressions: fc.array(fc.record({ key: fc.constantFrom('a', 'b', '-'), operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'), values: fc.constantFrom([], ['1'], ['1', '2']) }, { noNullPrototype: true }), { maxLength: 1 }) }, { requiredKeys: [], noNullPrototype: true }) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const peers = fc.oneof(
    { weight: 20, arbitrary: fc.record({ namespaces: labelSelectors }) },
    { weight: 20, arbitrary: fc.record({ pods: fc.record({ namespaceSelector: labelSelectors, podSelector: labelSelectors }, { requiredKeys: [], noNullPrototype: true }) }) },
    { weight: 10, arbitrary: fc.record({ networks: nets }) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );

  test('of a ClusterNetworkPolicy matches pods, and networks, that its wire form says', () => {
    let [sound, broken, matched] = [0, 0, 0];
    fc.assert(
      fc.property(fc.array(peers, { maxLength: 2 }), things, (to, thing) => {
        const decode = (action: string): { rules: readonly Rule[] | undefined; isSound: boolean } => {
          const object = { metadata: { name: 'x' }, spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} }, egress: [{ action, to }] } };
          const { value, problems } = clusterNetworkPolicies.decode(object, context());
          return { rules: value?.egress, isSound: problems.length === 0 };
        };
        const [accept, deny] = [decode('Accept'), decode('Deny')];
        const naive = to.some((peer) => naivePeerMatch(peer, thing));
        const accepted = anyMatches(accept.rules, 'destination', thing);
        if (accept.isSound) assert.equal(accepted, naive);
        assert.ok(naive || !accepted, 'an Accept is wider than it reads');
        assert.ok(!naive || anyMatches(deny.rules, 'destination', thing), 'a Deny is narrower than it reads');
        if (accept.isSound) sound += 1;
        else broken += 1;
        if (accepted) matched += 1;
      }),
      { numRuns: 3000 },
    );
    assert.ok(sound > 300 && broken > 300 && matched > 50, `worth little: ${sound} sound, ${broken} broken, ${matched} that match`);
  });
});
