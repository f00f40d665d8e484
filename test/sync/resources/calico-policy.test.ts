// Calico's NetworkPolicy and GlobalNetworkPolicy as the API serves them → policies of the model, and what broken ones become.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Policy } from '../../../src/model/policy.ts';
import { anyEntity } from '../../../src/model/rule.ts';
import { calicoNetworkPolicies } from '../../../src/sync/resources/calico-network-policy.ts';
import { globalNetworkPolicies } from '../../../src/sync/resources/global-network-policy.ts';
import type { Decoded } from '../../../src/sync/resources/problem.ts';
import { calicoObject, context } from './objects.ts';

const namespaced = (spec: unknown, metadata: Record<string, unknown> = {}): Decoded<Policy> =>
  calicoNetworkPolicies.decode(calicoObject('NetworkPolicy', spec, metadata), context());
const global = (spec: unknown, metadata: Record<string, unknown> = {}): Decoded<Policy> =>
  globalNetworkPolicies.decode(calicoObject('GlobalNetworkPolicy', spec, metadata), context());

const valid = ({ value, problems }: Decoded<Policy>): Policy => {
  assert.deepEqual(problems, []);
  assert.ok(value);
  return value;
};
const annotated = (stored: unknown): Record<string, unknown> => ({
  name: 'default.web',
  annotations: { 'projectcalico.org/metadata': typeof stored === 'string' ? stored : JSON.stringify(stored) },
});
const inShop = 'projectcalico.org/namespace == "shop"';

describe('whom a policy selects', () => {
  test('without a selector: its namespace, or everything', () => {
    for (const spec of [undefined, null, {}, { selector: '' }]) {
      assert.equal(valid(namespaced(spec)).selector.text, inShop);
      assert.equal(valid(global(spec)).selector.text, 'all()');
    }
  });
  test('of its namespace', () => assert.equal(valid(namespaced({ selector: "a == 'b'" })).selector.text, `(a == "b" && ${inShop})`));
  test('by labels of the service account', () => {
    assert.equal(valid(namespaced({ serviceAccountSelector: 'has(r)' })).selector.text, `(${inShop} && has(pcsa.r))`);
    assert.equal(valid(global({ serviceAccountSelector: 'all()' })).selector.text, 'has(projectcalico.org/serviceaccount)');
  });
  test('by labels of the namespace', () => {
    assert.equal(valid(global({ namespaceSelector: "team == 'a' || all()" })).selector.text, '(pcns.team == "a" || has(projectcalico.org/namespace))');
  });
  test('by all of them', () => {
    const spec = { selector: 'has(a)', namespaceSelector: 'has(n)', serviceAccountSelector: 'has(s)' };
    assert.equal(valid(global(spec)).selector.text, '((has(a) && has(pcns.n)) && has(pcsa.s))');
  });
});

describe('where a policy stands', () => {
  test('in tier default, last, unless it says otherwise', () => {
    for (const spec of [{}, { tier: '', order: null }]) {
      const policy = valid(global(spec));
      assert.equal(policy.tier, 'default');
      assert.ok(!('order' in policy));
    }
  });
  test('in its tier, at its order', () => {
    const { tier, order } = valid(namespaced({ tier: 'security', order: -0.5 }));
    assert.deepEqual([tier, order], ['security', -0.5]);
  });
  test('says which object it comes from', () => {
    const origin = { kind: 'NetworkPolicy', apiVersion: 'crd.projectcalico.org/v1', namespace: 'shop', name: 'web', generation: 7 };
    assert.deepEqual(valid(namespaced({})).origin, origin);
    assert.deepEqual([valid(namespaced({})).kind, valid(global({})).kind], ['np', 'gnp']);
  });
  test('says from which group it comes', () => {
    const object = { ...(calicoObject('GlobalNetworkPolicy', {}) as object), apiVersion: 'projectcalico.org/v3' };
    assert.equal(valid(globalNetworkPolicies.decode(object, context())).origin.apiVersion, 'projectcalico.org/v3');
  });
});

test('a policy of very many rules, or with a very long selector, is read as it is: not every API has limits', () => {
  const long = `a == 'x' || a == '${'y'.repeat(5000)}'`;
  const { selector, egress } = valid(global({ selector: long, namespaceSelector: long, serviceAccountSelector: long, egress: Array.from({ length: 3000 }, () => ({ action: 'Deny', protocol: 'TCP' })) }));
  assert.ok(selector.text.length > 15_000);
  assert.deepEqual([egress.length, egress.at(-1)?.protocol], [3000, 6]);
});

test('a tier that can have no such name, since it has a dot, is one that there is not', () => assert.equal(valid(global({ tier: 'a.b' })).tier, 'a.b'));

describe('the directions', () => {
  const typesOf = (spec: unknown): Policy['types'] => valid(global(spec)).types;
  test('are both where none is given: nobody has filled them in', () => {
    assert.deepEqual(typesOf({ ingress: [{ action: 'Allow' }] }), { ingress: true, egress: true });
    assert.deepEqual(typesOf({ types: [] }), { ingress: true, egress: true });
  });
  test('are those given', () => {
    assert.deepEqual(typesOf({ types: ['Egress'] }), { ingress: false, egress: true });
    assert.deepEqual(typesOf({ types: ['Ingress', 'Egress'] }), { ingress: true, egress: true });
  });
  test('that are not given have no rules', () => {
    const { ingress, egress } = valid(global({ types: ['Egress'], ingress: [{ action: 'Deny' }], egress: [{ action: 'Deny' }] }));
    assert.deepEqual([ingress.length, egress.length], [0, 1]);
  });
});

describe('where else a global policy applies', () => {
  const appliesOf = (spec: unknown): unknown => valid(global(spec)).applies;
  test('nowhere', () => assert.ok(!('applies' in valid(global({ doNotTrack: false })))));
  test('on forwarded traffic of hosts', () => assert.deepEqual(appliesOf({ applyOnForward: true }), { doNotTrack: false, preDnat: false, applyOnForward: true }));
  test('untracked', () => assert.deepEqual(appliesOf({ doNotTrack: true, applyOnForward: true }), { doNotTrack: true, preDnat: false, applyOnForward: true }));
  test('before DNAT', () => {
    const spec = { preDNAT: true, applyOnForward: true, types: ['Ingress'], ingress: [{ action: 'Deny' }] };
    assert.deepEqual(appliesOf(spec), { doNotTrack: false, preDnat: true, applyOnForward: true });
  });
});

test('a hint has a policy rendered everywhere', () => assert.equal(valid(namespaced({ performanceHints: ['AssumeNeededOnEveryNode'] })).isNeededEverywhere, true));

describe('the name of a policy', () => {
  const nameOf = (spec: unknown, metadata: Record<string, unknown>): string => valid(global(spec, metadata)).origin.name;
  test('is the object\'s own', () => assert.equal(nameOf({}, { name: 'default.web' }), 'default.web'));
  test('is the one that Calico has stored', () => assert.equal(nameOf({ tier: 'security' }, annotated({ name: 'front' })), 'front'));
  test('has no tier before it where Calico has stored none', () => assert.equal(nameOf({}, annotated({})), 'web'));
  test('keeps what looks like a tier in other tiers', () => assert.equal(nameOf({ tier: 'security' }, annotated({})), 'default.web'));
  test('stored in an object of the other group counts for nothing', () => {
    const object = { ...(calicoObject('GlobalNetworkPolicy', {}, annotated({ name: 'front' })) as object), apiVersion: 'projectcalico.org/v3' };
    assert.equal(valid(globalNetworkPolicies.decode(object, context())).origin.name, 'default.web');
  });
  test('never is another object\'s key', () => {
    assert.equal(globalNetworkPolicies.key({ namespace: '', name: 'default.web' }), 'gnp/default.web');
    assert.equal(calicoNetworkPolicies.key({ namespace: 'shop', name: 'web' }), 'np/shop/web');
  });
});

const rules = [{ action: 'Allow', protocol: 'TCP' }, { action: 'Deny', protocol: 'UDP' }, { action: 'Pass' }, { action: 'Log' }];

describe('bad outside of the rules: it selects on, in both directions; what allows disappears, what denies or passes denies everything', () => {
  const bad: readonly [what: string, spec: object, field: string][] = [
    ['an unknown field', { matchExpressions: [] }, 'spec.matchExpressions'],
    ['an order that is no number', { order: '1' }, 'spec.order'],
    ['a tier that is no text', { tier: 1 }, 'spec.tier'],
    ['a tier that can have no such name', { tier: 'Sec urity' }, 'spec.tier'],
    ['types that are no list', { types: 'Ingress' }, 'spec.types'],
    ['a type that is none', { types: ['Ingress', 'Forward'] }, 'spec.types[1]'],
    ['a type twice', { types: ['Ingress', 'Ingress'] }, 'spec.types'],
    ['egress that is no list', { egress: {} }, 'spec.egress'],
  ];
  const check = ({ value, problems, consequence }: Decoded<Policy>, field: string, spec: object): void => {
    assert.deepEqual(problems.map((problem) => problem.field), [field]);
    assert.ok(value);
    assert.deepEqual(value.types, { ingress: true, egress: true });
    assert.deepEqual(value.ingress.map(({ action, index, protocol }) => [action, index, protocol]), [['deny', 1, undefined], ['deny', 2, undefined]]);
    // Of a list that is none nobody knows what it denies.
    const hidden = field === 'spec.egress' && !Array.isArray((spec as { egress?: unknown }).egress);
    assert.deepEqual(value.egress.map(({ action, index }) => [action, index]), hidden ? [['deny', 0]] : []);
    assert.match(consequence ?? '', /isolates what it selects in both directions/);
  };
  for (const [what, spec, field] of bad) {
    test(what, () => {
      check(namespaced({ ingress: rules, ...spec }), field, spec);
      check(global({ ingress: rules, ...spec }), field, spec);
    });
  }
  for (const [what, spec, field] of [
    ['a flag that is text', { doNotTrack: 'true' }, 'spec.doNotTrack'],
    ['untracked without applyOnForward', { doNotTrack: true }, 'spec.applyOnForward'],
    ['before DNAT without applyOnForward', { preDNAT: true }, 'spec.applyOnForward'],
    ['untracked and before DNAT', { doNotTrack: true, preDNAT: true, applyOnForward: true }, 'spec.preDNAT'],
    ['before DNAT with egress', { preDNAT: true, applyOnForward: true, types: ['Ingress', 'Egress'] }, 'spec.types'],
  ] as const) {
    test(what, () => check(global({ ingress: rules, ...spec }), field, spec));
  }
  test('stored metadata that cannot be read', () => {
    const field = 'metadata.annotations[projectcalico.org/metadata]';
    for (const stored of ['{', '[]', 'null']) check(global({ ingress: rules }, annotated(stored)), field, {});
    check(namespaced({ ingress: rules }, annotated({ name: 1 })), `${field}: name`, {});
  });
  test('before DNAT with egress rules, which deny everything', () => {
    const { value, problems } = global({ preDNAT: true, applyOnForward: true, egress: [{ action: 'Deny', protocol: 'TCP' }] });
    assert.deepEqual(problems.map(({ field }) => field), ['spec.egress']);
    assert.deepEqual(value?.egress.map(({ action, protocol }) => [action, protocol]), [['deny', undefined]]);
    assert.equal(value.applies?.preDnat, true, 'it must not begin to police pods');
  });
  test('an order that cannot be read is the first one', () => assert.equal(namespaced({ order: {} }).value?.order, -Infinity));
});

test('a hint that is none is named and changes nothing', () => {
  const { value, problems } = global({ performanceHints: ['Faster'], types: ['Ingress'], ingress: [{ action: 'Allow' }] });
  assert.deepEqual(problems.map(({ field }) => field), ['spec.performanceHints[0]']);
  assert.deepEqual([value?.types, value?.ingress.length], [{ ingress: true, egress: false }, 1]);
});

describe('a selector of the policy that cannot be read', () => {
  const unreadable: readonly [what: string, spec: unknown, field: string][] = [
    ['text that does not parse', { selector: "a == 'b' &&" }, 'spec.selector'],
    ['no text', { selector: ['a'] }, 'spec.selector'],
    ['global()', { selector: 'global()' }, 'spec.selector'],
    ['one of service accounts', { serviceAccountSelector: 'a in (b)' }, 'spec.serviceAccountSelector'],
    ['a spec that is no object', 'all', 'spec'],
  ];
  for (const [what, spec, field] of unreadable) {
    test(`(${what}) of a namespaced policy: its whole namespace, in both directions, and only what denied or passed on denies`, () => {
      const { value, problems } = namespaced(typeof spec === 'string' ? spec : { types: ['Ingress'], ingress: rules, ...(spec as object) });
      assert.deepEqual(problems.map((problem) => problem.field), [field]);
      assert.equal(value?.selector.text, inShop);
      assert.deepEqual(value.types, { ingress: true, egress: true });
      // Of a spec that is none nobody knows what it denies.
      const [ingress, egress] = typeof spec === 'string' ? [[0], [0]] : [[1, 2], []];
      const everything = (list: readonly number[]): unknown => list.map((index) => ({ action: 'deny', source: anyEntity, destination: anyEntity, index }));
      assert.deepEqual([value.ingress, value.egress], [everything(ingress), everything(egress)]);
    });
    test(`(${what}) of a global policy: nothing, which is an error and not ready`, () => {
      const { value, problems, leavesGap } = global(spec);
      assert.deepEqual([value, problems.map((problem) => problem.field), leavesGap], [undefined, [field], true]);
    });
  }
  test('(one of namespaces) of a global policy: nothing', () => {
    assert.deepEqual([global({ namespaceSelector: 'global()' }).value, global({ namespaceSelector: '==' }).leavesGap], [undefined, true]);
  });
  test('of a namespaced policy leaves tier and order', () => {
    const { value } = namespaced({ selector: '(', tier: 'security', order: 3 });
    assert.deepEqual([value?.tier, value?.order], ['security', 3]);
  });
  test('of a namespaced policy without rules that deny leaves it without rules', () => {
    const { value } = namespaced({ selector: '(', ingress: [{ action: 'Allow' }], egress: [{ action: 'Log' }, { action: 'Allow' }] });
    assert.deepEqual([value?.ingress, value?.egress], [[], []]);
  });
  test('does not hide what else is wrong', () => {
    const { value, problems } = namespaced({ selector: '(', order: 'x', ingress: [{ action: 'Deny', source: { nets: ['x'] } }] });
    assert.deepEqual(problems.map(({ field }) => field), ['spec.selector', 'spec.order', 'spec.ingress[0].source.nets[0]']);
    assert.equal(value?.order, -Infinity);
  });
});

test('a problem names the field, what is wrong and what to do', () => {
  assert.deepEqual(global({ selector: "a = 'b'" }).problems, [
    { field: 'spec.selector', problem: 'cannot be read: expected ==, !=, in, not in, contains, starts with or ends with at offset 2, found "= \'b\'"', remedy: 'correct the selector' },
  ]);
});

test('two policies are the same when nothing has changed but what nobody reads', () => {
  const [a, b] = [{ resourceVersion: '1' }, { resourceVersion: '2', labels: { a: 'b' } }].map((metadata) => valid(global({ selector: 'has(a)', ingress: [{ action: 'Allow' }] }, metadata)));
  assert.ok(a && b && globalNetworkPolicies.same(a, b));
  assert.ok(!globalNetworkPolicies.same(a, valid(global({ selector: 'has(b)', ingress: [{ action: 'Allow' }] }))));
});
