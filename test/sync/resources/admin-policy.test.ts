// ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy as the API serves them → policies of the model, and what
// broken ones become.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Policy } from '../../../src/model/policy.ts';
import { anyEntity, type Rule } from '../../../src/model/rule.ts';
import { adminNetworkPolicies, baselineAdminNetworkPolicies } from '../../../src/sync/resources/admin-network-policy.ts';
import { clusterNetworkPolicies } from '../../../src/sync/resources/cluster-network-policy.ts';
import type { Decoded } from '../../../src/sync/resources/problem.ts';
import { context } from './objects.ts';

const decodeAs = (resource: typeof clusterNetworkPolicies, spec: unknown, name = 'default'): Decoded<Policy> =>
  resource.decode({ apiVersion: resource.apiVersion, kind: resource.kind, metadata: { name, generation: 3 }, spec }, context());

const cluster = (spec: object): Decoded<Policy> => decodeAs(clusterNetworkPolicies, { tier: 'Admin', priority: 5, subject: { namespaces: {} }, ...spec });
const admin = (spec: object): Decoded<Policy> => decodeAs(adminNetworkPolicies, { priority: 5, subject: { namespaces: {} }, ...spec });
const baseline = (spec: object): Decoded<Policy> => decodeAs(baselineAdminNetworkPolicies, { subject: { namespaces: {} }, ...spec });

const valid = ({ value, problems }: Decoded<Policy>): Policy => {
  assert.deepEqual(problems, []);
  assert.ok(value);
  return value;
};

const isPod = 'projectcalico.org/orchestrator == "k8s"';
const inSome = 'has(pcns.projectcalico.org/name)';
const from = [{ namespaces: {} }];

describe('where a policy stands', () => {
  test('a ClusterNetworkPolicy in the tier that it names, by priority', () => {
    for (const [tier, name] of [['Admin', 'kube-admin'], ['Baseline', 'kube-baseline']] as const) {
      const policy = valid(cluster({ tier, priority: 0 }));
      assert.deepEqual([policy.kind, policy.tier, policy.order], ['kcnp', name, 0]);
    }
  });
  test('an AdminNetworkPolicy and the BaselineAdminNetworkPolicy in tiers of their own', () => {
    const before = valid(admin({ priority: 1000 }));
    assert.deepEqual([before.kind, before.tier, before.order], ['kanp', 'adminnetworkpolicy', 1000]);
    const after = valid(baseline({}));
    assert.deepEqual([after.kind, after.tier, after.order], ['kbanp', 'baselineadminnetworkpolicy', undefined]);
  });
  test('they have keys of their own', () => {
    const keys = [clusterNetworkPolicies, adminNetworkPolicies, baselineAdminNetworkPolicies].map((resource) => resource.key({ namespace: '', name: 'x' }));
    assert.deepEqual(keys, ['kcnp/x', 'kanp/x', 'kbanp/x']);
  });
});

describe('the subject is pods', () => {
  const subjectOf = (subject: unknown): string => valid(cluster({ subject })).selector.text;
  test('of all namespaces that are known', () => assert.equal(subjectOf({ namespaces: {} }), `(${inSome} && ${isPod})`));
  test('of some namespaces', () => assert.equal(subjectOf({ namespaces: { matchLabels: { team: 'a' } } }), `(pcns.team == "a" && ${isPod})`));
  test('by labels of both', () => {
    const pods = { namespaceSelector: { matchLabels: { team: 'a' } }, podSelector: { matchLabels: { app: 'x' } } };
    assert.equal(subjectOf({ pods }), `(pcns.team == "a" && (${isPod} && app == "x"))`);
  });
  test('by labels, of all namespaces, where v1alpha2 names none', () => assert.equal(subjectOf({ pods: { podSelector: {} } }), `(${inSome} && ${isPod})`));
});

describe('peers', () => {
  const missing = { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] };
  test('are pods only: no network set has a label that a DoesNotExist could miss', () => {
    const [rule] = valid(cluster({ ingress: [{ action: 'Accept', from: [{ namespaces: missing }] }] })).ingress;
    assert.equal(rule?.source.selector?.text, `((${inSome} && !has(pcns.team)) && ${isPod})`);
  });
  test('of egress may be networks, masked', () => {
    const [rule] = valid(cluster({ egress: [{ action: 'Deny', to: [{ networks: ['10.1.2.3/8', 'FD00::/64'] }] }] })).egress;
    assert.deepEqual([rule?.action, rule?.destination], ['deny', { ...anyEntity, nets: ['10.0.0.0/8', 'fd00::/64'] }]);
  });
  test('are rules of their own, with name and index of theirs', () => {
    const { ingress } = valid(admin({ ingress: [{ action: 'Pass', from: [{ namespaces: {} }, { pods: { namespaceSelector: {}, podSelector: {} } }], name: 'let go' }] }));
    assert.deepEqual(ingress.map(({ action, index, comments }) => [action, index, comments]), [['pass', 0, ['name=let go']], ['pass', 0, ['name=let go']]]);
  });
});

describe('ports', () => {
  const portsOf = (rules: readonly Rule[]): unknown => rules.map(({ protocol, destination }) => [protocol, destination.ports]);
  test('of v1alpha2: by protocol, folded, names of any protocol', () => {
    const protocols = [
      { tcp: { destinationPort: { number: 80 } } },
      { tcp: { destinationPort: { range: { start: 81, end: 90 } } } },
      { udp: { destinationPort: { number: 53 } } },
      { sctp: { destinationPort: { number: 1 } } },
      { destinationNamedPort: 'web' },
    ];
    const wanted = [[6, [{ first: 80, last: 90 }]], [17, [{ first: 53, last: 53 }]], [132, [{ first: 1, last: 1 }]], [undefined, [{ name: 'web' }]]];
    assert.deepEqual(portsOf(valid(cluster({ ingress: [{ action: 'Accept', from, protocols }] })).ingress), wanted);
  });
  test('of v1alpha1: TCP unless it says otherwise', () => {
    const ports = [{ portNumber: { port: 80 } }, { portRange: { protocol: 'UDP', start: 1, end: 2 } }, { portRange: { protocol: 'UDP', start: 9, end: 9 } }, { namedPort: 'web' }];
    const wanted = [[6, [{ first: 80, last: 80 }]], [17, [{ first: 1, last: 2 }, { first: 9, last: 9 }]], [undefined, [{ name: 'web' }]]];
    assert.deepEqual(portsOf(valid(baseline({ egress: [{ action: 'Allow', to: from, ports }] })).egress), wanted);
  });
  test('a name that no port can have is the name of none: the API takes it', () => {
    const { ingress } = valid(cluster({ ingress: [{ action: 'Deny', from, protocols: [{ destinationNamedPort: 'Web!' }] }] }));
    assert.deepEqual(ingress.map(({ destination }) => destination.ports), [[{ name: 'Web!' }]]);
  });
  test('names are those of pods, also on networks', () => {
    const protocols = [{ destinationNamedPort: 'web' }];
    const { ingress, egress } = valid(cluster({ ingress: [{ action: 'Accept', from, protocols }], egress: [{ action: 'Deny', to: [{ networks: ['10.0.0.0/8'] }, { namespaces: {} }], protocols }] }));
    assert.deepEqual([...ingress, ...egress].map(({ destination }) => destination.portNamesOf?.text), [isPod, isPod, undefined]);
  });
  test('absent are all', () => assert.deepEqual(portsOf(valid(cluster({ egress: [{ action: 'Pass', to: from }] })).egress), [[undefined, []]]));
});

test('a direction without rules is none that the policy is about', () => {
  assert.deepEqual(valid(cluster({ ingress: [{ action: 'Deny', from }] })).types, { ingress: true, egress: false });
  assert.deepEqual(valid(baseline({ egress: [{ action: 'Deny', to: from }], ingress: [] })).types, { ingress: false, egress: true });
});

describe('a bad rule: what allows disappears, what denies or passes on denies everything', () => {
  const bad: readonly [what: string, rule: object, field: string][] = [
    ['no peers', { from: [] }, '.from'],
    ['peers that are absent', { from: undefined }, '.from'],
    ['more than 25 peers', { from: Array.from({ length: 26 }, () => from[0]) }, '.from'],
    ['a peer that names nobody', { from: [{}] }, '.from[0]'],
    ['a peer that is null', { from: [null] }, '.from[0]'],
    ['a peer of two kinds', { from: [{ namespaces: {}, pods: { podSelector: {} } }] }, '.from[0]'],
    ['a peer of a kind that is not known', { from: [{ nodes: {} }] }, '.from[0].nodes'],
    ['networks as a source', { from: [{ networks: ['10.0.0.0/8'] }] }, '.from[0].networks'],
    ['pods without a podSelector', { from: [{ pods: { namespaceSelector: {} } }] }, '.from[0].pods.podSelector'],
    ['a bad label', { from: [{ namespaces: { matchLabels: { 'a b': 'c' } } }] }, '.from[0].namespaces.matchLabels[a b]'],
    ['no protocols in a list', { protocols: [] }, '.protocols'],
    ['a protocol without a port', { protocols: [{ tcp: {} }] }, '.protocols[0].tcp'],
    ['two protocols in one', { protocols: [{ tcp: { destinationPort: { number: 1 } }, udp: { destinationPort: { number: 1 } } }] }, '.protocols[0]'],
    ['a number and a range', { protocols: [{ tcp: { destinationPort: { number: 1, range: { start: 1, end: 2 } } } }] }, '.protocols[0].tcp.destinationPort'],
    ['a range of one port', { protocols: [{ udp: { destinationPort: { range: { start: 2, end: 2 } } } }] }, '.protocols[0].udp.destinationPort.range'],
    ['a range that goes down', { protocols: [{ udp: { destinationPort: { range: { start: 2, end: 1 } } } }] }, '.protocols[0].udp.destinationPort.range'],
    ['port 0', { protocols: [{ udp: { destinationPort: { number: 0 } } }] }, '.protocols[0].udp.destinationPort.number'],
    ['a protocol that is not known', { protocols: [{ icmp: {} }] }, '.protocols[0]'],
    ['a name that is empty', { protocols: [{ destinationNamedPort: '' }] }, '.protocols[0].destinationNamedPort'],
    ['a name that is no text', { protocols: [{ destinationNamedPort: 80 }] }, '.protocols[0].destinationNamedPort'],
    ['a name that is too long', { name: 'x'.repeat(101) }, '.name'],
    ['an unknown field', { ports: [] }, '.ports'],
  ];
  for (const [what, rule, field] of bad) {
    test(`with ${what}`, () => {
      for (const [action, left] of [['Accept', []], ['Deny', ['deny']], ['Pass', ['deny']]] as const) {
        const { value, problems } = cluster({ ingress: [{ action, from, ...rule }] });
        assert.deepEqual(problems.map((problem) => problem.field), [`spec.ingress[0]${field}`]);
        assert.deepEqual(value?.ingress, left.map((deny) => ({ action: deny, source: anyEntity, destination: anyEntity, index: 0 })));
      }
    });
  }
  test('with networks that are none', () => {
    for (const networks of [[], ['10.0.0.1'], ['x']]) {
      assert.deepEqual(cluster({ egress: [{ action: 'Accept', to: [{ networks }] }] }).value?.egress, []);
    }
  });
  test('with the name of a port of networks, which v1alpha1 refuses', () => {
    const { value, problems } = admin({ egress: [{ action: 'Deny', to: [{ networks: ['10.0.0.0/8'] }], ports: [{ namedPort: 'web' }] }] });
    assert.deepEqual([problems.map(({ field }) => field), value?.egress.length], [['spec.egress[0].ports'], 1]);
  });
  test('with an action of another kind denies everything: nobody knows what it does', () => {
    for (const { value } of [cluster({ ingress: [{ action: 'Allow', from }] }), admin({ ingress: [{ action: 'Accept', from }] }), baseline({ ingress: [{ action: 'Pass', from }] })]) {
      assert.deepEqual(value?.ingress.map(({ action, source }) => [action, source]), [['deny', anyEntity]]);
    }
  });
});

describe('bad outside of the rules: both directions, and each rule as if it were bad', () => {
  const ingress = [{ action: 'Accept', from }, { action: 'Deny', from }];
  for (const [what, spec, field] of [
    ['a tier that is none', { tier: 'Middle' }, 'spec.tier'],
    ['a priority that is none', { priority: 1001 }, 'spec.priority'],
    ['no priority', { priority: null }, 'spec.priority'],
    ['an unknown field', { order: 1 }, 'spec.order'],
    ['more than 25 rules', { egress: Array.from({ length: 26 }, () => ({ action: 'Accept', to: from })) }, 'spec.egress'],
  ] as const) {
    test(what, () => {
      const { value, problems } = cluster({ ingress, ...spec });
      assert.deepEqual(problems.map((problem) => problem.field), [field]);
      assert.ok(value);
      assert.deepEqual([value.types, value.ingress.map(({ action, index }) => [action, index]), value.egress], [{ ingress: true, egress: true }, [['deny', 1]], []]);
    });
  }
  test('rules that are no list, which deny everything', () => {
    assert.deepEqual(cluster({ egress: 'all' }).value?.egress.map(({ action }) => action), ['deny']);
  });
  test('a tier or priority that cannot be read is the first one', () => {
    const { value } = cluster({ tier: 1, priority: '1' });
    assert.deepEqual([value?.tier, value?.order], ['kube-admin', -Infinity]);
  });
  test('a second BaselineAdminNetworkPolicy', () => {
    const { value, problems } = decodeAs(baselineAdminNetworkPolicies, { subject: { namespaces: {} }, ingress: [{ action: 'Allow', from }] }, 'other');
    assert.deepEqual([problems.map(({ field }) => field), value?.ingress], [['metadata.name'], []]);
  });
});

describe('a subject that cannot be read', () => {
  for (const subject of [undefined, {}, [], { namespaces: {}, pods: { podSelector: {} } }, { pods: {} }, { namespaces: { matchLabels: 'a' } }, { networks: ['10.0.0.0/8'] }]) {
    test(`${JSON.stringify(subject)}: the policy is not in force, which is an error and not ready`, () => {
      const { value, problems, leavesGap } = cluster({ subject });
      assert.deepEqual([value, leavesGap], [undefined, true]);
      assert.ok(problems.every(({ field }) => field.startsWith('spec.subject')));
    });
  }
  test('v1alpha1 asks for both selectors', () => assert.equal(admin({ subject: { pods: { podSelector: {} } } }).value, undefined));
});
