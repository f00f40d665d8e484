import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from '../../src/model/packet.ts';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { adminPolicy, clusterPolicy, globalPolicy, hostEndpoint, into, namespace, networkSet, outOf, pod, policy, tier, world } from './small-world.ts';

type Json = Record<string, unknown>;

const cluster: readonly WireObject[] = [
  namespace('a', { env: 'prod' }),
  namespace('b', { env: 'test' }),
  pod('a/x', '10.0.0.1', { labels: { app: 'x' }, spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }] }] } }),
  pod('a/y', '10.0.0.2', { labels: { app: 'y' } }),
  pod('b/z', '10.0.1.1', { labels: { app: 'z' }, spec: { containers: [{ ports: [{ name: 'http', containerPort: 81 }] }] } }),
  pod('gone/w', '10.0.2.1', { node: 'there', labels: { app: 'z' } }),
];
const [y, z, w, outside] = ['10.0.0.2', '10.0.1.1', '10.0.2.1', '192.0.2.1'] as const;
const subject = { namespaces: {} };
const everywhere = { namespaces: {} };

function verdictOf(what: Packet, ...policies: readonly WireObject[]): string {
  const decision = judge(world([...cluster, ...policies])).verdict(what).decisions.at(-1);
  return `${decision?.action} ${decision?.reason}${decision?.tier === undefined ? '' : ` ${decision.tier}`}`;
}

/** Which sources an Admin policy that denies these peers keeps from x. */
function denied(...from: readonly Json[]): readonly string[] {
  const deny = clusterPolicy('p', { tier: 'Admin', priority: 1, subject, ingress: [{ action: 'Deny', from }] });
  return [y, z, w, outside].filter((source) => verdictOf(into('a/x', source, '10.0.0.1'), deny) === 'deny rule kube-admin');
}

test('a subject is chosen by namespaces, or by those and labels of the pods', () => {
  const subjectsOf = (which: Json): readonly string[] => {
    const deny = clusterPolicy('p', { tier: 'Admin', priority: 1, subject: which, ingress: [{ action: 'Deny', from: [everywhere] }] });
    const targets = { x: into('a/x', z, '10.0.0.1'), y: into('a/y', z, '10.0.0.2'), z: into('b/z', y, '10.0.1.1') };
    return Object.entries(targets).flatMap(([name, packet]) => (verdictOf(packet, deny).startsWith('deny') ? [name] : []));
  };
  assert.deepEqual(subjectsOf({ namespaces: {} }), ['x', 'y', 'z']);
  assert.deepEqual(subjectsOf({ namespaces: { matchLabels: { env: 'prod' } } }), ['x', 'y']);
  assert.deepEqual(subjectsOf({ pods: { namespaceSelector: { matchLabels: { env: 'prod' } }, podSelector: { matchLabels: { app: 'y' } } } }), ['y']);
  assert.deepEqual(subjectsOf({ pods: { podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['x'] }] } } }), ['y', 'z']);
});

test('peers are pods of namespaces that exist', () => {
  assert.deepEqual(denied({ namespaces: {} }), [y, z]);
  assert.deepEqual(denied({ namespaces: { matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['prod'] }] } }), [z]);
  assert.deepEqual(denied({ pods: { podSelector: { matchLabels: { app: 'z' } } } }), [z]);
  assert.deepEqual(denied({ pods: { podSelector: { matchLabels: { app: 'z' } }, namespaceSelector: { matchLabels: { env: 'prod' } } } }), []);
  assert.deepEqual(denied({ namespaces: { matchLabels: { env: 'test' } } }, { pods: { podSelector: { matchLabels: { app: 'y' } } } }), [y, z]);
});

test('network sets and hosts are never peers, whatever labels they lack', () => {
  const others = [networkSet('set', [outside]), networkSet('a/set', [outside]), hostEndpoint('host', { expectedIPs: [outside] })];
  for (const operator of ['DoesNotExist', 'NotIn']) {
    const without = { matchExpressions: [{ key: 'never', operator, ...(operator === 'NotIn' ? { values: ['x'] } : {}) }] };
    for (const peer of [{ namespaces: without }, { pods: { podSelector: without } }]) {
      const open = clusterPolicy('p', { tier: 'Admin', priority: 1, subject, ingress: [{ action: 'Accept', from: [peer] }] });
      const closed = policy('a/closed', { podSelector: {} });
      assert.equal(verdictOf(into('a/x', outside, '10.0.0.1'), open, closed, ...others), 'deny end-of-tier default');
      assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), open, closed, ...others), 'allow rule kube-admin');
    }
  }
});

test('hosts are never subjects', () => {
  const deny = clusterPolicy('p', { tier: 'Admin', priority: 1, subject, ingress: [{ action: 'Deny', from: [everywhere] }] });
  const host = hostEndpoint('host', { interfaceName: 'eth0', profiles: ['projectcalico-default-allow'] });
  const { outInterface: _, ...packet } = into('a/x', y, '192.0.2.9');
  assert.equal(verdictOf(packet, deny, host), 'allow profile');
});

test('egress peers may be networks', () => {
  const deny = clusterPolicy('p', { tier: 'Admin', priority: 1, subject, egress: [{ action: 'Deny', to: [{ networks: ['192.0.2.0/24', '10.0.1.0/24'] }] }] });
  const reaches = (destination: string): string => verdictOf(outOf('a/x', '10.0.0.1', destination), deny);
  assert.deepEqual([reaches(outside), reaches(z), reaches('192.0.3.1')], ['deny rule kube-admin', 'deny rule kube-admin', 'allow profile']);
});

test('Accept is final, Pass goes to the NetworkPolicies, and those to the Baseline', () => {
  const admin = (action: string): WireObject => clusterPolicy('admin', { tier: 'Admin', priority: 1, subject, ingress: [{ action, from: [everywhere] }] });
  const baseline = clusterPolicy('base', { tier: 'Baseline', priority: 1, subject, ingress: [{ action: 'Deny', from: [everywhere] }] });
  const kubernetes = policy('a/k', { podSelector: {} });
  const packet = into('a/x', y, '10.0.0.1');
  assert.equal(verdictOf(packet, admin('Accept'), kubernetes, baseline), 'allow rule kube-admin');
  assert.equal(verdictOf(packet, admin('Pass'), kubernetes, baseline), 'deny end-of-tier default');
  assert.equal(verdictOf(packet, admin('Pass'), baseline), 'deny rule kube-baseline');
  assert.equal(verdictOf(packet, baseline, policy('a/k', { podSelector: {}, ingress: [{}] })), 'allow rule default');
  assert.equal(verdictOf(into('a/x', outside, '10.0.0.1'), admin('Deny'), baseline), 'allow profile');
});

test('priorities decide within a tier, then the order of the rules', () => {
  const one = (name: string, priority: number, ...actions: readonly string[]): WireObject =>
    clusterPolicy(name, { tier: 'Admin', priority, subject, ingress: actions.map((action) => ({ action, from: [everywhere] })) });
  const packet = into('a/x', y, '10.0.0.1');
  assert.equal(verdictOf(packet, one('a', 2, 'Deny'), one('b', 1, 'Accept')), 'allow rule kube-admin');
  assert.equal(verdictOf(packet, one('a', 1, 'Deny'), one('b', 1, 'Accept')), 'deny rule kube-admin');
  assert.equal(verdictOf(packet, one('a', 1, 'Accept', 'Deny')), 'allow rule kube-admin');
});

test('a direction without rules is not affected', () => {
  const only = clusterPolicy('p', { tier: 'Admin', priority: 1, subject, egress: [{ action: 'Deny', to: [everywhere] }] });
  assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), only), 'allow profile');
});

/** "protocol port" of what a rule with these protocols accepts into x. */
function admitted(field: string, ports: unknown, kind: 'cluster' | 'admin' = 'cluster'): readonly string[] {
  const rule = { from: [everywhere, { pods: { podSelector: {}, namespaceSelector: {} } }], [field]: ports };
  const open =
    kind === 'cluster'
      ? clusterPolicy('p', { tier: 'Admin', priority: 1, subject, ingress: [{ action: 'Accept', ...rule }] })
      : adminPolicy('AdminNetworkPolicy', 'p', { priority: 1, subject, ingress: [{ action: 'Allow', ...rule }] });
  const closed = policy('a/closed', { podSelector: {} });
  return ['6 80', '6 8080', '17 53', '17 80', '132 80', '1 '].filter((what) => {
    const [protocol, port] = what.split(' ');
    const packet = into('a/x', y, '10.0.0.1', { protocol: Number(protocol) });
    const { sourcePort: _, destinationPort: __, ...rest } = packet;
    return verdictOf(port === '' ? rest : { ...packet, destinationPort: Number(port) }, open, closed).startsWith('allow');
  });
}

test('protocols of a ClusterNetworkPolicy: numbers, ranges and names of whatever protocol; none means any', () => {
  assert.deepEqual(admitted('protocols', undefined), ['6 80', '6 8080', '17 53', '17 80', '132 80', '1 ']);
  assert.deepEqual(admitted('protocols', [{ tcp: { destinationPort: { number: 80 } } }]), ['6 80']);
  assert.deepEqual(admitted('protocols', [{ udp: { destinationPort: { range: { start: 53, end: 80 } } } }, { sctp: { destinationPort: { number: 80 } } }]), ['17 53', '17 80', '132 80']);
  assert.deepEqual(admitted('protocols', [{ destinationNamedPort: 'http' }]), ['6 8080']);
  assert.deepEqual(admitted('protocols', [{ destinationNamedPort: 'dns' }]), ['17 53']);
  assert.deepEqual(admitted('protocols', [{ destinationNamedPort: 'Http!' }]), []);
});

test('ports of an AdminNetworkPolicy', () => {
  assert.deepEqual(admitted('ports', undefined, 'admin'), ['6 80', '6 8080', '17 53', '17 80', '132 80', '1 ']);
  assert.deepEqual(admitted('ports', [{ portNumber: { port: 80 } }, { portNumber: { protocol: 'UDP', port: 53 } }], 'admin'), ['6 80', '17 53']);
  assert.deepEqual(admitted('ports', [{ portRange: { protocol: 'TCP', start: 80, end: 8080 } }], 'admin'), ['6 80', '6 8080']);
  assert.deepEqual(admitted('ports', [{ namedPort: 'http' }], 'admin'), ['6 8080']);
});

test('on egress a name is looked up on the pods that the peer means', () => {
  const open = clusterPolicy('p', {
    tier: 'Baseline',
    priority: 1,
    subject,
    egress: [
      { action: 'Accept', to: [{ namespaces: { matchLabels: { env: 'test' } } }], protocols: [{ destinationNamedPort: 'http' }] },
      { action: 'Deny', to: [everywhere] },
    ],
  });
  const reaches = (source: string, destination: string, destinationPort: number): string => verdictOf(outOf('a/y', source, destination, { destinationPort }), open);
  assert.deepEqual([reaches(y, z, 81), reaches(y, z, 80), reaches(y, '10.0.0.1', 8080)], ['allow rule kube-baseline', 'deny rule kube-baseline', 'deny rule kube-baseline']);
});

test('AdminNetworkPolicy comes before, BaselineAdminNetworkPolicy after the NetworkPolicies', () => {
  const admin = (action: string): WireObject => adminPolicy('AdminNetworkPolicy', 'p', { priority: 5, subject, ingress: [{ action, from: [everywhere] }] });
  const baseline = adminPolicy('BaselineAdminNetworkPolicy', 'default', { subject, ingress: [{ action: 'Deny', from: [everywhere] }] });
  const packet = into('a/x', y, '10.0.0.1');
  assert.equal(verdictOf(packet, admin('Allow'), policy('a/k', { podSelector: {} })), 'allow rule adminnetworkpolicy');
  assert.equal(verdictOf(packet, admin('Pass'), baseline), 'deny rule baselineadminnetworkpolicy');
  assert.equal(verdictOf(packet, baseline, policy('a/k', { podSelector: {}, ingress: [{}] })), 'allow rule default');
  assert.equal(verdictOf(packet, admin('Deny'), clusterPolicy('c', { tier: 'Admin', priority: 1, subject, ingress: [{ action: 'Accept', from: [everywhere] }] })), 'deny rule adminnetworkpolicy');
});

function fields(object: WireObject): readonly string[] {
  return judge(world([object])).invalid.map(({ field }) => field);
}

const fine = { tier: 'Admin', priority: 1, subject, ingress: [] };

test('a bad Accept disappears; a bad Deny or Pass, or a rule whose action cannot be read, denies everything', () => {
  const packet = into('a/x', outside, '10.0.0.1');
  const withRule = (rule: unknown): string => verdictOf(packet, clusterPolicy('p', { ...fine, ingress: [rule] }));
  assert.equal(withRule({ action: 'Accept', from: [{}] }), 'allow profile');
  for (const action of ['Deny', 'Pass', 'Allow', 'toString', undefined]) assert.equal(withRule({ action, from: [{}] }), 'deny rule kube-admin', action);
  assert.equal(withRule(null), 'deny rule kube-admin');
});

test('a direction whose only rule is a bad Accept is affected all the same', () => {
  const tierThatDenies = tier('adminnetworkpolicy', { order: 1, defaultAction: 'Deny' });
  const bad = adminPolicy('AdminNetworkPolicy', 'p', { priority: 1, subject, ingress: [{ action: 'Allow', from: [{}] }] });
  assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), bad, tierThatDenies), 'deny end-of-tier adminnetworkpolicy');
  assert.equal(verdictOf(outOf('a/x', '10.0.0.1', y), bad, tierThatDenies), 'allow profile');
});

test('something bad elsewhere does that to every rule', () => {
  const rules = { ingress: [{ action: 'Accept', from: [everywhere] }], egress: [{ action: 'Pass', to: [everywhere] }] };
  for (const spoilt of [{ priority: 1001 }, { priority: '1' }, { priority: undefined }, { tier: 'Middle' }, { tier: undefined }, { unknown: 1 }]) {
    const bad = clusterPolicy('p', { ...fine, ...rules, ...spoilt });
    assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), bad, policy('a/k', { podSelector: {} })), 'deny end-of-tier default', JSON.stringify(spoilt));
    assert.equal(verdictOf(outOf('a/x', '10.0.0.1', outside), bad), 'deny rule kube-admin', JSON.stringify(spoilt));
    assert.equal(fields(bad).length, 1, JSON.stringify(spoilt));
  }
});

test('a policy whose subject cannot be read is absent, and named', () => {
  for (const bad of [undefined, {}, { namespaces: {}, pods: { podSelector: {} } }, { pods: {} }, { nodes: {} }, { namespaces: { matchLabels: { a: 'b c' } } }, 'all']) {
    const deny = clusterPolicy('p', { ...fine, subject: bad, ingress: [{ action: 'Deny', from: [everywhere] }] });
    assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), deny), 'allow profile', JSON.stringify(bad));
    assert.equal(fields(deny).length, 1, JSON.stringify(bad));
  }
});

test('rules that the network policy API refuses', () => {
  const refused = (rule: Json, direction = 'ingress'): readonly string[] =>
    fields(clusterPolicy('p', { ...fine, [direction]: [{ action: 'Accept', ...rule }] })).map((field) => field.replace(`spec.${direction}[0].`, ''));
  assert.deepEqual(refused({}), ['from']);
  assert.deepEqual(refused({ from: [] }), ['from']);
  assert.deepEqual(refused({ to: [everywhere] }, 'ingress'), ['to', 'from']);
  assert.deepEqual(refused({ from: [{ networks: ['10.0.0.0/8'] }] }), ['from[0].networks']);
  for (const peer of [{}, null, { namespaces: {}, pods: { podSelector: {} } }]) assert.deepEqual(refused({ from: [peer] }), ['from[0]']);
  assert.deepEqual(refused({ to: [{ nodes: {} }] }, 'egress'), ['to[0].nodes']);
  assert.deepEqual(refused({ to: [{ domainNames: ['x'] }] }, 'egress'), ['to[0].domainNames']);
  assert.deepEqual(refused({ to: [{ networks: [] }] }, 'egress'), ['to[0].networks']);
  assert.deepEqual(refused({ to: [{ networks: ['10.0.0.0'] }] }, 'egress'), ['to[0].networks[0]']);
  assert.deepEqual(refused({ from: [{ pods: { namespaceSelector: {} } }] }), ['from[0].pods.podSelector']);
  const protocols = (...list: readonly unknown[]): readonly string[] => refused({ from: [everywhere], protocols: list }).map((field) => field.replace('protocols', ''));
  assert.deepEqual(protocols(), ['']);
  assert.deepEqual(protocols({}), ['[0]']);
  assert.deepEqual(protocols({ tcp: {}, udp: {} }), ['[0]']);
  assert.deepEqual(protocols({ tcp: {} }), ['[0].tcp']);
  assert.deepEqual(protocols({ tcp: { destinationPort: {} } }), ['[0].tcp.destinationPort']);
  assert.deepEqual(protocols({ tcp: { destinationPort: { number: 0 } } }), ['[0].tcp.destinationPort.number']);
  assert.deepEqual(protocols({ tcp: { destinationPort: { range: { start: 5, end: 5 } } } }), ['[0].tcp.destinationPort.range']);
  assert.deepEqual(protocols({ tcp: { port: 1 } }), ['[0].tcp.port']);
  assert.deepEqual(protocols({ icmp: {} }), ['[0].icmp']);
  for (const name of [80, '', '\ud800']) assert.deepEqual(protocols({ destinationNamedPort: name }), ['[0].destinationNamedPort']);
  assert.deepEqual(protocols({ destinationNamedPort: 'Http!' }), []);
  assert.deepEqual(refused({ from: [everywhere], ports: [] }), ['ports']);
});

test('what the older API refuses besides', () => {
  const refused = (rule: Json, direction = 'egress'): readonly string[] =>
    fields(adminPolicy('AdminNetworkPolicy', 'p', { priority: 1, subject, [direction]: [{ action: 'Allow', ...rule }] })).map((field) => field.replace(`spec.${direction}[0].`, ''));
  assert.deepEqual(refused({ to: [{ pods: { podSelector: {} } }] }), ['to[0].pods.namespaceSelector']);
  assert.deepEqual(refused({ to: [everywhere, { networks: ['10.0.0.0/8'] }], ports: [{ namedPort: 'http' }] }), ['ports']);
  assert.deepEqual(refused({ to: [everywhere], ports: [{ namedPort: 'http' }] }), []);
  assert.deepEqual(refused({ to: [everywhere], ports: [{ portNumber: { protocol: 'ICMP', port: 1 } }] }), ['ports[0].portNumber.protocol']);
  assert.deepEqual(refused({ to: [everywhere], ports: [{ portRange: { start: 2, end: 1 } }] }), ['ports[0].portRange']);
  assert.deepEqual(refused({ to: [everywhere], ports: [{ portRange: { start: 2, end: 2 } }] }), []);
  assert.deepEqual(refused({ to: [everywhere], protocols: [{ destinationNamedPort: 'x' }] }), ['protocols']);
  assert.deepEqual(fields(adminPolicy('BaselineAdminNetworkPolicy', 'other', { subject })), ['metadata.name']);
  assert.deepEqual(fields(adminPolicy('BaselineAdminNetworkPolicy', 'default', { subject, priority: 1 })), ['spec.priority']);
  assert.deepEqual(fields(adminPolicy('BaselineAdminNetworkPolicy', 'default', { subject, ingress: [{ action: 'Pass', from: [everywhere] }] })), ['spec.ingress[0].action']);
});

test('Calico’s policies may be in these tiers, too', () => {
  const global = globalPolicy('g', { tier: 'kube-admin', order: 1, types: ['Ingress'], ingress: [{ action: 'Allow' }] });
  const deny = (priority: number): WireObject => clusterPolicy('c', { ...fine, priority, ingress: [{ action: 'Deny', from: [everywhere] }] });
  assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), global, deny(2)), 'allow rule kube-admin');
  assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), global, deny(0)), 'deny rule kube-admin');
});

test('a priority that is none comes first: no policy can allow what this one denied', () => {
  const open = clusterPolicy('open', { tier: 'Admin', priority: 5, subject, ingress: [{ action: 'Accept', from: [everywhere] }] });
  const denying = (priority: unknown): WireObject => clusterPolicy('p', { tier: 'Admin', priority, subject, ingress: [{ action: 'Deny', from: [everywhere] }] });
  assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), open, denying(6)), verdictOf(into('a/x', y, '10.0.0.1'), open));
  for (const priority of [1001, 6.5, '6', undefined]) {
    assert.equal(verdictOf(into('a/x', y, '10.0.0.1'), open, denying(priority)), verdictOf(into('a/x', y, '10.0.0.1'), denying(1)), String(priority));
  }
});
