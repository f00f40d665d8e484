// What the calculation says, change by change. Named objects instead of random ones; each test one behaviour.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Desired } from '../../src/model/desired.ts';
import type { WorkloadEndpoint } from '../../src/model/endpoint.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Rule } from '../../src/model/rule.ts';
import { parseSelector } from '../../src/model/selector/parse.ts';
import type { Update } from '../../src/model/update.ts';
import { CheckedGraph } from './checked-graph.ts';
import { end, gone, host, networkSet, pod, policy, profile, rule, slice, tier } from './objects.ts';
import { originOf } from './worlds.ts';

/** In sync, with one local pod "web" (app web) and what else is given. */
function synced(...updates: readonly Update[]): CheckedGraph {
  const graph = new CheckedGraph();
  graph.update([pod('web', { local: true, labels: { app: 'web' }, address: '10.0.0.9' }), ...updates], true);
  return graph;
}

function members(graph: CheckedGraph, description: string, use = 'allow'): readonly string[] | undefined {
  const found = [...graph.state.sets.values()].filter((set) => set.description === description && set.use === use);
  assert.ok(found.length <= 1);
  return found[0] && [...found[0].members].sort();
}

/** Which lists of a change set are not empty. */
function parts(desired: Desired | undefined): readonly string[] {
  return Object.entries(desired ?? {}).flatMap(([name, list]) => (Array.isArray(list) && list.length > 0 ? [name] : []));
}

function sourceOf(graph: CheckedGraph, key: string): NonNullable<ReturnType<typeof graph.state.policies.get>>['ingress'][number]['source'] {
  const source = graph.state.policies.get(key)?.ingress[0]?.source;
  assert.ok(source);
  return source;
}

test('nothing comes before in-sync, and then everything at once', () => {
  const graph = new CheckedGraph();
  assert.equal(graph.update([pod('web', { local: true })]), undefined);
  assert.equal(graph.update([policy('p', 'all()', [rule('allow', { from: 'all()' })])]), undefined);
  const desired = graph.update([], true);
  assert.deepEqual(parts(desired), ['addedSets', 'policies', 'endpoints']);
});

test('what local pods do not need is not sent', () => {
  const graph = synced();
  assert.equal(graph.update([pod('far', { labels: { app: 'db' } }), policy('db', "app == 'db'", [rule('allow', { from: 'all()' })]), profile('kns.far'), tier('t', 1, 'deny')]), undefined);
});

test('a pod of this node without an interface is not local', () => {
  const graph = synced();
  const { value } = pod('bare', { local: true }) as { value: WorkloadEndpoint };
  const { interfaceName: _, ...bare } = value;
  assert.equal(graph.update([{ op: 'upsert', kind: 'endpoint', key: 'ns/bare', value: bare }]), undefined);
});

test('a policy that isolates in no direction selects nothing', () => {
  const graph = synced();
  assert.equal(graph.update([policy('none', 'all()', [rule('allow')], { types: { ingress: false, egress: false } })]), undefined);
});

test('rules of a direction in which the policy does not isolate are left out, and so are their sets', () => {
  const graph = synced(policy('p', 'all()', [], { egress: [rule('allow', { from: "app == 'x'" })] }));
  assert.deepEqual(graph.state.policies.get('knp/ns/p')?.egress, []);
  assert.equal(graph.state.sets.size, 0);
});

test('a pod that comes and goes is a delta of the sets that select it, and of nothing else', () => {
  const graph = synced(policy('p', "app == 'web'", [rule('allow', { from: "role == 'client'" })]));
  assert.deepEqual(members(graph, 'role == "client"'), []);
  const came = graph.update([pod('c', { labels: { role: 'client' }, address: '10.0.0.2' })]);
  assert.deepEqual(parts(came), ['setDeltas']);
  assert.deepEqual(members(graph, 'role == "client"'), ['10.0.0.2']);
  graph.update([gone('endpoint', 'ns/c')]);
  assert.deepEqual(members(graph, 'role == "client"'), []);
});

test('an address that two pods have stays until neither has it', () => {
  const graph = synced(policy('p', "app == 'web'", [rule('allow', { from: "role == 'client'" })]));
  graph.update([pod('a', { labels: { role: 'client' } }), pod('b', { labels: { role: 'client' } })]);
  assert.equal(graph.update([gone('endpoint', 'ns/a')]), undefined);
  assert.deepEqual(members(graph, 'role == "client"'), ['10.0.0.1']);
  graph.update([gone('endpoint', 'ns/b')]);
  assert.deepEqual(members(graph, 'role == "client"'), []);
});

test('an address that passes from one pod to another within a batch is no change', () => {
  const graph = synced(policy('p', "app == 'web'", [rule('allow', { from: "role == 'client'" })]), pod('a', { labels: { role: 'client' } }));
  assert.equal(graph.update([gone('endpoint', 'ns/a'), pod('b', { labels: { role: 'client' } })]), undefined);
  assert.equal(graph.update([pod('c', { labels: { role: 'client' } }), gone('endpoint', 'ns/b')]), undefined);
  assert.deepEqual(members(graph, 'role == "client"'), ['10.0.0.1']);
});

test('an address that passes to a pod that is not selected leaves the set', () => {
  const graph = synced(policy('p', "app == 'web'", [rule('allow', { from: "role == 'client'" })]), pod('a', { labels: { role: 'client' } }));
  graph.update([gone('endpoint', 'ns/a'), pod('b')]);
  assert.deepEqual(members(graph, 'role == "client"'), []);
});

test('a namespace label moves the pods that inherit it, and their own label shadows it', () => {
  const graph = synced(
    policy('p', "app == 'web'", [rule('allow', { from: "env == 'prod'" })]),
    profile('kns.a', { env: 'test' }),
    pod('heir', { profiles: ['kns.a'], address: '10.0.0.2' }),
    pod('own', { profiles: ['kns.a'], labels: { env: 'prod' }, address: '10.0.0.3' }),
  );
  assert.deepEqual(members(graph, 'env == "prod"'), ['10.0.0.3']);
  assert.deepEqual(parts(graph.update([profile('kns.a', { env: 'prod' })])), ['setDeltas']);
  assert.deepEqual(members(graph, 'env == "prod"'), ['10.0.0.2', '10.0.0.3']);
  graph.update([gone('profile', 'kns.a')]);
  assert.deepEqual(members(graph, 'env == "prod"'), ['10.0.0.3']);
});

test('two pods that share an address and lose an inherited label together are one removal', () => {
  const graph = synced(
    policy('p', "app == 'web'", [rule('allow', { from: "env == 'prod'" })]),
    profile('kns.a', { env: 'prod' }),
    pod('a', { profiles: ['kns.a'] }),
    pod('b', { profiles: ['kns.a'] }),
  );
  const desired = graph.update([profile('kns.a', {})]);
  assert.deepEqual(desired?.setDeltas.map(({ added, removed }) => ({ added, removed })), [{ added: [], removed: ['10.0.0.1'] }]);
});

test('a namespace label can bring a local pod under a policy', () => {
  const graph = synced(profile('kns.a'), pod('heir', { local: true, profiles: ['kns.a'] }), policy('p', "env == 'prod'", [rule('allow')]));
  assert.equal(graph.state.policies.size, 0);
  assert.deepEqual(parts(graph.update([profile('kns.a', { env: 'prod' })])), ['policies', 'endpoints']);
  assert.deepEqual(graph.state.endpoints.get('ns/heir')?.tiers[0]?.ingress, ['knp/ns/p']);
});

test('a policy edit that only changes rules sends the policy alone', () => {
  const graph = synced(policy('p', "app == 'web'", [rule('allow', { ports: [{ first: 80, last: 80 }] })]));
  assert.deepEqual(parts(graph.update([policy('p', "app == 'web'", [rule('allow', { ports: [{ first: 81, last: 81 }] })])])), ['policies']);
});

test('a set that one policy gives up and another takes in the same batch does not move', () => {
  const from = rule('allow', { from: "role == 'client'" });
  const graph = synced(policy('a', "app == 'web'", [from]), pod('c', { labels: { role: 'client' } }));
  const desired = graph.update([gone('policy', 'knp/ns/a'), policy('b', "app == 'web'", [from])]);
  assert.deepEqual(parts(desired), ['policies', 'endpoints', 'removedPolicies']);
});

test('a set that is kept over such a batch still gets its delta', () => {
  const from = rule('allow', { from: "role == 'client'" });
  const graph = synced(policy('a', "app == 'web'", [from]));
  const desired = graph.update([gone('policy', 'knp/ns/a'), pod('c', { labels: { role: 'client' } }), policy('b', "app == 'web'", [from])]);
  assert.deepEqual(parts(desired), ['setDeltas', 'policies', 'endpoints', 'removedPolicies']);
});

test('a set goes with the last rule that needs it, without a delta', () => {
  const from = rule('allow', { from: "role == 'client'" });
  const graph = synced(policy('a', "app == 'web'", [from]), policy('b', "app == 'web'", [from]));
  assert.deepEqual(graph.update([gone('policy', 'knp/ns/a')])?.removedSets, []);
  assert.deepEqual(parts(graph.update([pod('c', { labels: { role: 'client' } }), gone('policy', 'knp/ns/b')])), ['endpoints', 'removedPolicies', 'removedSets']);
});

test('a selector is one set for each way in which its members act on what is allowed', () => {
  const uses = (action: Rule['action'], match: Parameters<typeof rule>[1]): readonly string[] => {
    const graph = synced(policy('p', 'all()', [rule(action, match)]));
    return [...graph.state.sets.values()].map(({ use }) => use);
  };
  assert.deepEqual(uses('allow', { from: 'has(x)' }), ['allow']);
  assert.deepEqual(uses('allow', { notFrom: 'has(x)' }), ['deny']);
  assert.deepEqual(uses('deny', { from: 'has(x)' }), ['deny']);
  assert.deepEqual(uses('deny', { notFrom: 'has(x)' }), ['allow']);
  assert.deepEqual(uses('pass', { from: 'has(x)' }), ['pass']);
  assert.deepEqual(uses('pass', { notFrom: 'has(x)' }), ['pass']);
  assert.deepEqual(uses('log', { from: 'has(x)' }), ['allow']);
});

test('a positive and a negated selector of one end are one set', () => {
  const graph = synced(policy('p', 'all()', [rule('allow', { from: 'has(x)', notFrom: 'has(y)' })]), pod('x', { labels: { x: '' } }), pod('xy', { labels: { x: '', y: '' }, address: '10.0.0.2' }));
  assert.deepEqual(members(graph, '(has(x) && !has(y))'), ['10.0.0.1']);
  const { sets, notSets } = sourceOf(graph, 'knp/ns/p');
  assert.deepEqual([sets.length, notSets.length], [1, 0]);
});

test('a named port is the ports of that name and protocol of what the selector matches', () => {
  const ports = [{ name: 'http', protocol: 6, port: 8080 }, { name: 'http', protocol: 17, port: 53 }, { name: 'other', protocol: 6, port: 1 }];
  const graph = synced(
    policy('p', 'all()', [rule('allow', { from: 'has(x)', ports: [{ name: 'http' }] }, { protocol: 6 })]),
    policy('any', 'all()', [rule('allow', { ports: [{ name: 'http' }] })]),
    pod('x', { labels: { x: '' }, ports }),
    pod('y', { ports, address: '10.0.0.2' }),
  );
  assert.deepEqual(members(graph, 'port "http" (tcp) of has(x)'), ['10.0.0.1,tcp:8080']);
  assert.deepEqual(members(graph, 'port "http" (any) of all()'), ['10.0.0.1,tcp:8080', '10.0.0.1,udp:53', '10.0.0.2,tcp:8080', '10.0.0.2,udp:53']);
});

test('named ports alone imply their selector; beside numbers, or negated, they do not', () => {
  const lists = (match: Parameters<typeof rule>[1]): readonly number[] => {
    const { sets, ports, portSets, notPortSets } = sourceOf(synced(policy('p', 'all()', [rule('allow', { from: 'has(x)', ...match })])), 'knp/ns/p');
    return [sets.length, ports.length, portSets.length, notPortSets.length];
  };
  const named = { name: 'http' };
  const number = { first: 80, last: 80 };
  assert.deepEqual(lists({ ports: [named] }), [0, 0, 1, 0]);
  assert.deepEqual(lists({ ports: [named, number] }), [1, 1, 1, 0]);
  assert.deepEqual(lists({ notPorts: [named] }), [1, 0, 0, 1]);
});

test('what many rules have in common is worked out, and kept, once: ten thousand peers may have ten thousand ports', () => {
  const ports = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? { first: i, last: i } : { name: `p-${i}` }));
  const to = (app: string): Rule => rule('allow', {}, { protocol: 6, destination: end({ from: `app == '${app}'`, ports, portNamesOf: parseSelector('all()') }) });
  const graph = synced(policy('p', 'all()', [to('a'), to('b')]));
  const [a, b] = graph.state.policies.get('knp/ns/p')?.ingress ?? [];
  assert.deepEqual([a?.destination.ports.length, a?.destination.portSets.length], [20, 20]);
  assert.equal(a?.destination.ports, b?.destination.ports);
  assert.equal(a?.destination.portSets, b?.destination.portSets);
});

test('a profile that is named but absent denies everything, so that no other profile behind it allows anything', () => {
  const graph = synced(pod('lost', { local: true, profiles: ['kns.lost'] }));
  const rules = (): unknown => graph.state.profiles.get('kns.lost')?.ingress.map(({ action, source }) => [action, source.sets]);
  assert.deepEqual(rules(), [['deny', []]]);
  graph.update([profile('kns.lost', {}, [rule('allow')])]);
  assert.deepEqual(rules(), [['allow', []]]);
  graph.update([gone('profile', 'kns.lost')]);
  assert.deepEqual(rules(), [['deny', []]]);
  assert.deepEqual(graph.update([gone('endpoint', 'ns/lost')])?.removedProfiles, ['kns.lost']);
});

test('the profile that host endpoints of a whole cluster name allows, though there is no object of it', () => {
  const graph = synced(host('node', { own: 'yes' }, { profiles: ['projectcalico-default-allow'] }));
  const { ingress, egress } = graph.state.profiles.get('projectcalico-default-allow') ?? {};
  for (const rules of [ingress, egress]) assert.deepEqual(rules?.map(({ action }) => action), ['allow']);
  assert.deepEqual(graph.update([gone('hostEndpoint', 'node')])?.removedProfiles, ['projectcalico-default-allow']);
});

test('tiers come in order, ties by name, unknown ones last and with deny', () => {
  const names = ['zoo', 'unknown', 'b', 'default', 'a'];
  const graph = synced(tier('a', 5, 'pass'), tier('b', 5, 'deny'), tier('zoo', 1_000_001, 'pass'), ...names.map((name) => policy(name, 'all()', [], { tier: name })));
  const seen = (): unknown => graph.state.endpoints.get('ns/web')?.tiers.map(({ name, defaultAction }) => `${name} ${defaultAction}`);
  assert.deepEqual(seen(), ['a pass', 'b deny', 'default deny', 'zoo pass', 'unknown deny']);
  graph.update([tier('default', 1, 'pass'), gone('tier', 'a')]);
  assert.deepEqual(seen(), ['default pass', 'b deny', 'zoo pass', 'a deny', 'unknown deny']);
});

test('policies of a tier come by order, none last, ties by name, namespace and kind', () => {
  const make = (name: string, more: Partial<Policy>): Update => policy(name, 'all()', [], more);
  const { order: _, ...orderless } = (make('last', {}) as { value: Policy }).value;
  const last: Update = { op: 'upsert', kind: 'policy', key: 'knp/ns/last', value: orderless };
  const graph = synced(
    last,
    make('b', { order: 1 }),
    make('a', { order: 1, kind: 'np' }),
    make('a', { order: 1 }),
    make('a', { order: 1, kind: 'gnp', origin: originOf('GlobalNetworkPolicy', 'a') }),
    make('a', { order: 1, origin: originOf('NetworkPolicy', 'a', 'na') }),
    make('z', { order: 0 }),
    make('y', { order: -1 }),
  );
  assert.deepEqual(graph.state.endpoints.get('ns/web')?.tiers[0]?.ingress, ['knp/ns/y', 'knp/ns/z', 'gnp/a', 'knp/na/a', 'knp/ns/a', 'np/ns/a', 'knp/ns/b', 'knp/ns/last']);
});

test('two objects that are one policy by Calico\'s name come in the order of their own names, whichever is first told', () => {
  const own = policy('a', 'all()', [], { kind: 'gnp', origin: originOf('GlobalNetworkPolicy', 'a') });
  const prefixed: Update = { ...own, key: 'gnp/default.a' };
  for (const updates of [[own, prefixed], [prefixed, own]]) {
    assert.deepEqual(synced(...updates).state.endpoints.get('ns/web')?.tiers[0]?.ingress, ['gnp/a', 'gnp/default.a']);
  }
});

test('an endpoint sees a policy in the directions in which it isolates', () => {
  const graph = synced(policy('in', 'all()', []), policy('out', 'all()', [], { types: { ingress: false, egress: true } }));
  assert.deepEqual(graph.state.endpoints.get('ns/web')?.tiers, [{ name: 'default', defaultAction: 'deny', ingress: ['knp/ns/in'], egress: ['knp/ns/out'] }]);
});

test('a pod that moves to another node, or comes from there, is no longer, or now, local', () => {
  const graph = synced();
  assert.deepEqual(graph.update([pod('web', { labels: { app: 'web' }, address: '10.0.0.9' })])?.removedEndpoints, ['ns/web']);
  assert.deepEqual(parts(graph.update([pod('web', { local: true })])), ['endpoints']);
});

test('what is resent unchanged, or deleted though absent, changes nothing', () => {
  const all = [pod('x', { labels: { x: '' }, profiles: ['kns.a'] }), profile('kns.a', { env: 'prod' }), tier('t', 1, 'deny'), policy('p', 'all()', [rule('allow', { from: 'has(x)' })], { tier: 't' })];
  const graph = synced(...all);
  assert.equal(graph.update(structuredClone(all.filter(({ kind }) => kind !== 'policy'))), undefined);
  assert.equal(graph.update([all[3] as Update, pod('web', { local: true, labels: { app: 'web' }, address: '10.0.0.9' })]), undefined);
  assert.equal(graph.update([gone('endpoint', 'ns/none'), gone('profile', 'none'), gone('policy', 'none'), gone('tier', 'none')]), undefined);
});

test('a policy that is deleted and added again in one batch is no change', () => {
  const p = policy('p', 'all()', [rule('allow', { from: 'has(x)' })]);
  const graph = synced(p);
  assert.equal(graph.update([gone('policy', 'knp/ns/p'), p]), undefined);
});

test('a change set passes on when its batch was received', () => {
  const graph = new CheckedGraph();
  assert.equal(graph.update([pod('web', { local: true })], true)?.receivedAt, 7);
});

test('a network set that gains a network is one added member, whatever else it holds', () => {
  const graph = synced(policy('p', 'all()', [rule('allow', { from: 'has(set)' })]), networkSet('n', { set: '' }, ['10.1.0.0/16', '10.2.0.0/16']));
  const desired = graph.update([networkSet('n', { set: '' }, ['10.2.0.0/16', '10.1.0.0/16', '10.3.0.9/32'])]);
  assert.deepEqual(desired?.setDeltas.map(({ added, removed }) => ({ added, removed })), [{ added: ['10.3.0.9'], removed: [] }]);
});

test('a network set in another order, or with /32 written for an address that a pod has, changes nothing', () => {
  const from = rule('allow', { from: 'has(set)' });
  const graph = synced(policy('p', 'all()', [from]), networkSet('n', { set: '' }, ['10.1.0.0/16', '10.0.0.1/32']));
  assert.equal(graph.update([networkSet('n', { set: '' }, ['10.0.0.1/32', '10.1.0.0/16'])]), undefined);
  assert.equal(graph.update([pod('x', { labels: { set: '' }, address: '10.0.0.1' })]), undefined);
  assert.equal(graph.update([networkSet('n', { set: '' }, ['10.1.0.0/16'])]), undefined);
});

test('an endpoint that moves from one slice of a service to another in one batch is no change', () => {
  const ports = [{ protocol: 6, port: 80 }];
  const graph = synced(policy('p', 'all()', [rule('allow', { service: 'ns/web' })]), slice('a', 'ns/web', ['10.0.0.1'], ports), slice('b', 'ns/web', [], ports));
  assert.equal(graph.update([slice('a', 'ns/web', [], ports), slice('b', 'ns/web', ['10.0.0.1'], ports)]), undefined);
  assert.deepEqual(parts(graph.update([gone('serviceEndpoints', 'ns/b')])), ['setDeltas']);
});

test('a service that no rule names costs nothing', () => {
  const graph = synced();
  assert.equal(graph.update([slice('a', 'ns/web', ['10.0.0.1'], [{ protocol: 6, port: 80 }])]), undefined);
});

test('the named ports of a rule share what is worked out of its selector, however long that is', () => {
  const values = Array.from({ length: 20_000 }, (_, i) => `'v${i}'`).join(', ');
  const ports = Array.from({ length: 2_000 }, (_, i) => ({ name: `p${i}` }));
  const graph = synced(pod('db', { labels: { app: 'v7' }, address: '10.0.0.7', ports: [{ name: 'p5', protocol: 6, port: 80 }] }));
  graph.update([policy('p', "app == 'web'", [rule('allow', {}, { protocol: 6, destination: end({ from: `app in {${values}}`, ports }) })])]);
  assert.equal(graph.state.sets.size, 2_000);
  assert.deepEqual([...graph.state.sets.values()].flatMap((set) => [...set.members]), ['10.0.0.7,tcp:80']);
  graph.update([pod('db', { labels: { app: 'other' }, address: '10.0.0.7', ports: [{ name: 'p5', protocol: 6, port: 80 }] })]);
  assert.deepEqual([...graph.state.sets.values()].flatMap((set) => [...set.members]), []);
});
