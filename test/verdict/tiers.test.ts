import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { globalPolicy, into, namespace, pod, policy, tier, world } from './small-world.ts';

const cluster: readonly WireObject[] = [namespace('a'), pod('a/x', '10.0.0.1'), pod('a/y', '10.0.0.2')];

/** The decision about a packet from 192.0.2.1 to x: "action reason tier/policy". */
function decision(...objects: readonly WireObject[]): string {
  const [first] = judge(world([...cluster, ...objects])).verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions;
  return `${first?.action} ${first?.reason}${first?.tier === undefined ? '' : ` ${first.tier}`}${first?.policy ? `/${first.policy.name}` : ''}`;
}

const in_ = (tierName: string, name: string, action: string | undefined, more: Record<string, unknown> = {}): WireObject =>
  globalPolicy(name, { tier: tierName, types: ['Ingress'], ...(action === undefined ? {} : { ingress: [{ action }] }), ...more });

test('tiers are asked in the order of their orders', () => {
  const policies = [in_('first', 'z', 'Allow', { order: 9 }), in_('second', 'a', 'Deny', { order: 1 })];
  assert.equal(decision(tier('first', { order: 1 }), tier('second', { order: 2 }), ...policies), 'allow rule first/z');
  assert.equal(decision(tier('first', { order: 2 }), tier('second', { order: 1 }), ...policies), 'deny rule second/a');
});

test('tiers of the same order are asked by name', () => {
  assert.equal(decision(tier('b', { order: 5 }), tier('a', { order: 5 }), in_('b', 'p', 'Allow'), in_('a', 'q', 'Deny')), 'deny rule a/q');
});

test('a tier without an order has that of "default"', () => {
  assert.equal(decision(tier('c', {}), in_('c', 'p', 'Allow'), in_('default', 'q', 'Deny')), 'allow rule c/p');
  assert.equal(decision(tier('e', {}), in_('e', 'p', 'Allow'), in_('default', 'q', 'Deny')), 'deny rule default/q');
});

test('Pass goes to the next tier, past what follows in this one', () => {
  const first = [tier('first', { order: 1 }), in_('first', 'a', 'Pass', { order: 1 }), in_('first', 'b', 'Deny', { order: 2 })];
  assert.equal(decision(...first, in_('default', 'c', 'Allow')), 'allow rule default/c');
  assert.equal(decision(...first), 'allow profile');
  assert.equal(decision(...first, tier('second', { order: 2 }), in_('second', 'c', 'Pass'), in_('default', 'd', 'Deny')), 'deny rule default/d');
});

test('Pass in the last tier goes to the profiles', () => {
  assert.equal(decision(in_('default', 'p', 'Pass')), 'allow profile');
});

test('a tier ends in deny when its policies were asked in vain, unless it passes', () => {
  const asked = in_('t', 'p', undefined);
  assert.equal(decision(tier('t', { order: 1 }), asked), 'deny end-of-tier t');
  assert.equal(decision(tier('t', { order: 1, defaultAction: 'Deny' }), asked), 'deny end-of-tier t');
  assert.equal(decision(tier('t', { order: 1, defaultAction: 'Pass' }), asked), 'allow profile');
  assert.equal(decision(tier('t', { order: 1, defaultAction: 'Pass' }), asked, in_('default', 'q', undefined)), 'deny end-of-tier default');
});

test('a tier none of whose policies applies in this direction is not asked', () => {
  assert.equal(decision(tier('t', { order: 1 }), in_('t', 'p', 'Deny', { selector: 'has(other)' })), 'allow profile');
  assert.equal(decision(tier('t', { order: 1 }), globalPolicy('p', { tier: 't', types: ['Egress'], egress: [] })), 'allow profile');
});

test('policies of a missing tier are asked after all others, and end in deny', () => {
  const orphan = in_('missing', 'p', undefined);
  assert.equal(decision(orphan), 'deny end-of-tier missing');
  assert.equal(decision(orphan, in_('default', 'q', 'Allow')), 'allow rule default/q');
  assert.equal(decision(in_('missing', 'p', 'Allow'), tier('t', { order: 99_000_000 }), in_('t', 'q', 'Deny')), 'deny rule t/q');
  assert.equal(decision(in_('zz', 'p', 'Allow'), in_('yy', 'q', 'Deny')), 'deny rule yy/q');
});

test('a broken Tier is absent: its policies are as those of a missing one', () => {
  for (const spec of [{ order: '1' }, { order: 1, defaultAction: 'Allow' }, { order: 1, defaultAction: 'pass' }, { ordr: 1 }]) {
    assert.equal(decision(tier('t', spec), in_('t', 'p', 'Deny'), in_('default', 'q', 'Allow')), 'allow rule default/q', JSON.stringify(spec));
    assert.equal(decision(tier('t', spec), in_('t', 'p', undefined)), 'deny end-of-tier t', JSON.stringify(spec));
    assert.equal(judge(world([tier('t', spec)])).invalid.length, 1, JSON.stringify(spec));
  }
});

test('five tiers are there without an object', () => {
  const order = ['adminnetworkpolicy', 'kube-admin', 'default', 'baselineadminnetworkpolicy', 'kube-baseline'];
  for (const [index, name] of order.entries()) {
    const later = order.slice(index + 1).map((each) => in_(each, `in-${each}`, 'Deny'));
    assert.equal(decision(in_(name, 'p', 'Allow'), ...later), `allow rule ${name}/p`);
    assert.equal(decision(in_(name, 'p', undefined)), name === 'default' ? 'deny end-of-tier default' : 'allow profile');
  }
});

test('a Tier object takes the place of one that is there anyway', () => {
  const object = tier('adminnetworkpolicy', { order: 5_000_000, defaultAction: 'Deny' });
  assert.equal(decision(object, in_('adminnetworkpolicy', 'p', 'Deny'), in_('default', 'q', 'Allow')), 'allow rule default/q');
  assert.equal(decision(object, in_('adminnetworkpolicy', 'p', undefined)), 'deny end-of-tier adminnetworkpolicy');
  assert.equal(decision(tier('default', { order: 1_000_000, defaultAction: 'Deny' }), in_('default', 'p', undefined)), 'deny end-of-tier default');
});

test('the order and default action of default, kube-admin and kube-baseline cannot be changed', () => {
  assert.equal(decision(tier('default', { defaultAction: 'Pass' }), in_('default', 'p', undefined)), 'deny end-of-tier default');
  assert.equal(decision(tier('kube-admin', { order: 1000 }), in_('kube-admin', 'p', undefined)), 'allow profile');
  for (const object of [tier('default', { defaultAction: 'Pass' }), tier('kube-baseline', { order: 1, defaultAction: 'Pass' })]) {
    assert.deepEqual(judge(world([object])).invalid.map(({ kind, field }) => [kind, field]), [['Tier', 'spec']]);
  }
  assert.deepEqual(judge(world([tier('default', {}), tier('kube-admin', { order: 1000, defaultAction: 'Pass' })])).invalid, []);
});

test('Kubernetes’ NetworkPolicy is in tier "default", and so is a policy that names none', () => {
  const kubernetes = policy('a/k', { podSelector: {}, ingress: [{}] });
  assert.equal(decision(tier('t', { order: 1 }), in_('t', 'p', 'Pass'), kubernetes), 'allow rule default/k');
  assert.equal(decision(in_('', 'p', undefined)), 'deny end-of-tier default');
});
