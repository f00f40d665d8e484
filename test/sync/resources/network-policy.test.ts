// NetworkPolicy as the API serves it → rules of the model.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { protocolNumbers } from '../../../src/model/net/protocol.ts';
import type { Policy } from '../../../src/model/policy.ts';
import type { EntityMatch, Rule } from '../../../src/model/rule.ts';
import { networkPolicies } from '../../../src/sync/resources/network-policy.ts';
import type { Problem } from '../../../src/sync/resources/problem.ts';
import { context, policyWith } from './objects.ts';

const TCP = protocolNumbers['TCP'];
const UDP = protocolNumbers['UDP'];
const isPod = 'projectcalico.org/orchestrator == "k8s"';
const inShop = 'projectcalico.org/namespace == "shop"';

const decode = (spec: unknown): { policy: Policy; problems: readonly Problem[] } => {
  const { value, problems } = networkPolicies.decode(policyWith(spec), context());
  assert.ok(value, 'a policy with a name always has a value');
  return { policy: value, problems };
};

/** Of a spec that the API server accepts. */
const valid = (spec: unknown): Policy => {
  const { policy, problems } = decode(spec);
  assert.deepEqual(problems, []);
  return policy;
};

const ingressOf = (entry: unknown): readonly Rule[] => valid({ ingress: [entry] }).ingress;
const sourceOf = (peer: unknown): EntityMatch | undefined => ingressOf({ from: [peer] })[0]?.source;
const selectorOfPeer = (peer: unknown): string | undefined => sourceOf(peer)?.selector?.text;
const portsOf = (ports: unknown): unknown => ingressOf({ ports }).map((rule) => [rule.protocol, rule.destination.ports]);

describe('what a NetworkPolicy selects', () => {
  test('every pod of its namespace when podSelector is empty', () => {
    assert.equal(valid({ podSelector: {} }).selector.text, `(${isPod} && ${inShop})`);
  });

  test('every pod of its namespace when there is no spec, or no podSelector', () => {
    assert.equal(valid(undefined).selector.text, `(${isPod} && ${inShop})`);
    assert.equal(valid({}).selector.text, `(${isPod} && ${inShop})`);
  });

  test('labels by key, then expressions as they stand', () => {
    const podSelector = {
      matchLabels: { tier: 'db', app: 'x' },
      matchExpressions: [
        { key: 'a', operator: 'In', values: ['2', '1'] },
        { key: 'b', operator: 'NotIn', values: ['1'] },
        { key: 'c', operator: 'Exists' },
        { key: 'd', operator: 'DoesNotExist', values: [] },
      ],
    };
    const terms = ['app == "x"', 'tier == "db"', 'a in {"1", "2"}', 'b not in {"1"}', 'has(c)', '!has(d)'];
    assert.equal(valid({ podSelector }).selector.text, `((${[isPod, ...terms].join(' && ')}) && ${inShop})`);
  });

  test('belongs to tier default at order 1000, and says which object and generation it comes from', () => {
    const { tier, order, kind, origin } = valid({});
    assert.deepEqual({ tier, order, kind }, { tier: 'default', order: 1000, kind: 'knp' });
    assert.deepEqual(origin, { kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', namespace: 'shop', name: 'web', generation: 7 });
  });
});

describe('policyTypes', () => {
  const typesOf = (spec: unknown): Policy['types'] => valid(spec).types;

  test('absent means Ingress', () => assert.deepEqual(typesOf({}), { ingress: true, egress: false }));
  test('absent or empty with egress rules means both', () => {
    assert.deepEqual(typesOf({ egress: [{}] }), { ingress: true, egress: true });
    assert.deepEqual(typesOf({ policyTypes: [], egress: [{}] }), { ingress: true, egress: true });
  });
  test('absent with an empty egress list means Ingress', () => assert.deepEqual(typesOf({ egress: [] }), { ingress: true, egress: false }));
  test('given, they count as given', () => {
    assert.deepEqual(typesOf({ policyTypes: ['Egress'], ingress: [{}] }), { ingress: false, egress: true });
    assert.deepEqual(typesOf({ policyTypes: ['Ingress'], egress: [{}] }), { ingress: true, egress: false });
  });
  test('rules of a direction that is not among them mean nothing', () => {
    assert.deepEqual(valid({ policyTypes: ['Egress'], ingress: [{}], egress: [{}] }).ingress, []);
  });
});

describe('peers', () => {
  test('absent or empty list: everybody', () => {
    for (const from of [undefined, null, []]) assert.deepEqual(ingressOf({ from })[0]?.source, { nets: [], notNets: [], ports: [], notPorts: [] });
  });

  test('no entries: nobody', () => assert.deepEqual(valid({ ingress: [] }).ingress, []));

  test('podSelector alone: pods of the own namespace', () => {
    assert.equal(selectorOfPeer({ podSelector: { matchLabels: { app: 'x' } } }), `(${inShop} && (${isPod} && app == "x"))`);
    assert.equal(selectorOfPeer({ podSelector: {} }), `(${inShop} && ${isPod})`);
  });

  test('namespaceSelector alone: all pods of these namespaces', () => {
    assert.equal(selectorOfPeer({ namespaceSelector: { matchLabels: { team: 'a' } } }), `(pcns.team == "a" && ${isPod})`);
  });

  test('both: these pods of these namespaces', () => {
    const peer = { namespaceSelector: { matchLabels: { team: 'a' } }, podSelector: { matchLabels: { app: 'x' } } };
    assert.equal(selectorOfPeer(peer), `(pcns.team == "a" && (${isPod} && app == "x"))`);
  });

  test('an empty namespaceSelector: pods of every namespace that is known, and pods only', () => {
    assert.equal(selectorOfPeer({ namespaceSelector: {} }), `(has(pcns.projectcalico.org/name) && ${isPod})`);
  });

  test('a namespaceSelector that holds without any label asks that the namespace is known', () => {
    const missing = { matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] };
    assert.equal(selectorOfPeer({ namespaceSelector: missing }), `((has(pcns.projectcalico.org/name) && !has(pcns.team)) && ${isPod})`);
    const other = { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] };
    assert.equal(selectorOfPeer({ namespaceSelector: other }), `((has(pcns.projectcalico.org/name) && pcns.team not in {"a"}) && ${isPod})`);
  });

  test('a namespaceSelector that asks for a label needs nothing more', () => {
    const mixed = { matchLabels: { env: 'p' }, matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] };
    assert.equal(selectorOfPeer({ namespaceSelector: mixed }), `((pcns.env == "p" && !has(pcns.team)) && ${isPod})`);
  });

  test('ipBlock with several excepts, host bits cleared', () => {
    const source = sourceOf({ ipBlock: { cidr: '10.1.2.3/8', except: ['10.1.0.0/16', '10.2.0.1/16'] } });
    assert.deepEqual([source?.nets, source?.notNets], [['10.0.0.0/8'], ['10.1.0.0/16', '10.2.0.0/16']]);
  });

  test('ipBlock of IPv6', () => assert.deepEqual(sourceOf({ ipBlock: { cidr: 'FD00::/8' } })?.nets, ['fd00::/8']));

  test('each peer is a rule of its own, with the index of its entry', () => {
    const rules = valid({ ingress: [{ from: [{ podSelector: {} }] }, { from: [{ podSelector: {} }, { ipBlock: { cidr: '0.0.0.0/0' } }] }] }).ingress;
    assert.deepEqual(rules.map((rule) => rule.index), [0, 1, 1]);
    assert.ok(rules.every((rule) => rule.action === 'allow'));
  });

  test('of egress are destinations, together with the ports', () => {
    const [rule] = valid({ egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 53, protocol: 'UDP' }] }] }).egress;
    assert.equal(rule?.protocol, UDP);
    assert.deepEqual(rule?.destination, { nets: ['10.0.0.0/8'], notNets: [], ports: [{ first: 53, last: 53 }], notPorts: [] });
    assert.deepEqual(rule?.source, { nets: [], notNets: [], ports: [], notPorts: [] });
  });
});

describe('ports', () => {
  test('absent or empty list: every protocol and port', () => {
    for (const ports of [undefined, null, []]) assert.deepEqual(portsOf(ports), [[undefined, []]]);
  });
  test('the protocol is TCP unless said otherwise', () => assert.deepEqual(portsOf([{ port: 80 }]), [[TCP, [{ first: 80, last: 80 }]]]));
  test('ranges that touch or overlap are folded', () => {
    const ports = [{ port: 90, endPort: 95 }, { port: 80 }, { port: 81 }, { port: 94, endPort: 99 }, { port: 83 }, { port: 92 }];
    assert.deepEqual(portsOf(ports), [[TCP, [{ first: 80, last: 81 }, { first: 83, last: 83 }, { first: 90, last: 99 }]]]);
  });
  test('names stay names, each once, after the numbers', () => {
    const ports = [{ port: 'web' }, { port: 8080 }, { port: 'admin' }, { port: 'web' }];
    assert.deepEqual(portsOf(ports), [[TCP, [{ first: 8080, last: 8080 }, { name: 'admin' }, { name: 'web' }]]]);
  });
  test('names are those of pods, also where nobody says whose: hosts have named ports, too', () => {
    const { ingress, egress } = valid({ ingress: [{ ports: [{ port: 'web' }, { port: 80 }] }], egress: [{ ports: [{ port: 'web' }] }, { to: [{ ipBlock: { cidr: '10.0.0.0/8' } }], ports: [{ port: 'web' }] }] });
    assert.deepEqual([...ingress, ...egress].map(({ destination }) => destination.portNamesOf?.text), [isPod, isPod, isPod]);
  });
  test('names on pods that a peer selects are those of these pods', () => {
    const [rule] = valid({ egress: [{ to: [{ podSelector: {} }], ports: [{ port: 'web' }] }] }).egress;
    assert.deepEqual([rule?.destination.selector?.text, rule?.destination.portNamesOf], [`(${inShop} && ${isPod})`, undefined]);
  });
  test('without names nobody is asked', () => assert.equal(ingressOf({ ports: [{ port: 80 }] })[0]?.destination.portNamesOf, undefined));
  test('an entry without a port is all ports of its protocol and wins over the others', () => {
    assert.deepEqual(portsOf([{ port: 80 }, { protocol: 'TCP' }, { port: 'web' }]), [[TCP, []]]);
    assert.deepEqual(portsOf([{}]), [[TCP, []]]);
  });
  test('each protocol is a rule of its own', () => {
    const ports = [{ port: 53, protocol: 'UDP' }, { port: 53 }, { protocol: 'SCTP' }];
    assert.deepEqual(portsOf(ports), [[6, [{ first: 53, last: 53 }]], [17, [{ first: 53, last: 53 }]], [132, []]]);
  });
  test('1 to 65535 are all of them', () => assert.deepEqual(portsOf([{ port: 1, endPort: 65_535 }]), [[TCP, [{ first: 1, last: 65_535 }]]]));
});

describe('a bad entry allows nothing, and the others stand', () => {
  const good = { from: [{ ipBlock: { cidr: '10.9.0.0/16' } }], ports: [{ port: 443 }] };
  const bad: readonly [string, unknown, string][] = [
    ['no object', 'all', ''],
    ['null', null, ''],
    ['an unknown field', { from: [], sources: [] }, '.sources'],
    ['peers that are no list', { from: {} }, '.from'],
    ['a peer that is no object', { from: ['web'] }, '.from[0]'],
    ['a peer that is null', { from: [null] }, '.from[0]'],
    ['a peer that names nothing', { from: [{}] }, '.from[0]'],
    ['a peer with an unknown field', { from: [{ podSelector: {}, serviceSelector: {} }] }, '.from[0].serviceSelector'],
    ['a peer with a selector and a block', { from: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }, '.from[0].ipBlock'],
    ['a second peer that is bad', { from: [{ podSelector: {} }, { ipBlock: { cidr: 'x' } }] }, '.from[1].ipBlock.cidr'],
    ['a CIDR with leading zeros', { from: [{ ipBlock: { cidr: '010.0.0.0/8' } }] }, '.from[0].ipBlock.cidr'],
    ['a prefix with a leading zero', { from: [{ ipBlock: { cidr: '10.0.0.0/08' } }] }, '.from[0].ipBlock.cidr'],
    ['a prefix that is too long', { from: [{ ipBlock: { cidr: '10.0.0.0/33' } }] }, '.from[0].ipBlock.cidr'],
    ['an address for a CIDR', { from: [{ ipBlock: { cidr: '10.0.0.1' } }] }, '.from[0].ipBlock.cidr'],
    ['an IPv4-mapped CIDR', { from: [{ ipBlock: { cidr: '::ffff:10.0.0.0/104' } }] }, '.from[0].ipBlock.cidr'],
    ['no CIDR', { from: [{ ipBlock: {} }] }, '.from[0].ipBlock.cidr'],
    ['a block that is no object', { from: [{ ipBlock: '10.0.0.0/8' }] }, '.from[0].ipBlock'],
    ['a bad except', { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.2'] } }] }, '.from[0].ipBlock.except[1]'],
    ['an except outside of the block', { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }] }, '.from[0].ipBlock.except[0]'],
    ['an except that is the whole block', { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }] }, '.from[0].ipBlock.except[0]'],
    ['an except of the other family', { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['fd00::/16'] } }] }, '.from[0].ipBlock.except[0]'],
    ['a namespaceSelector that is no object', { from: [{ namespaceSelector: 'a' }] }, '.from[0].namespaceSelector'],
    ['an unknown operator', { from: [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] } }] }, '.from[0].podSelector.matchExpressions[0].operator'],
    ['In without values', { from: [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }] }, '.from[0].podSelector.matchExpressions[0].values'],
    ['NotIn without values', { from: [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: [] }] } }] }, '.from[0].podSelector.matchExpressions[0].values'],
    ['Exists with values', { from: [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['1'] }] } }] }, '.from[0].podSelector.matchExpressions[0].values'],
    ['an expression without a key', { from: [{ podSelector: { matchExpressions: [{ operator: 'Exists' }] } }] }, '.from[0].podSelector.matchExpressions[0].key'],
    ['a bad label key', { from: [{ podSelector: { matchLabels: { 'a b': 'x' } } }] }, '.from[0].podSelector.matchLabels[a b]'],
    ['a bad label value', { from: [{ podSelector: { matchLabels: { a: 'x y' } } }] }, '.from[0].podSelector.matchLabels[a]'],
    ['a label value that is a number', { from: [{ podSelector: { matchLabels: { a: 1 } } }] }, '.from[0].podSelector.matchLabels[a]'],
    ['a label that only a namespace can give', { from: [{ podSelector: { matchLabels: { 'pcns.team': 'a' } } }] }, '.from[0].podSelector.matchLabels[pcns.team]'],
    ['a selector with an unknown field', { from: [{ podSelector: { matchFields: {} } }] }, '.from[0].podSelector.matchFields'],
    ['ports that are no list', { ports: { port: 80 } }, '.ports'],
    ['a port that is no object', { ports: [80] }, '.ports[0]'],
    ['port 0', { ports: [{ port: 0 }] }, '.ports[0].port'],
    ['port 65536', { ports: [{ port: 65_536 }] }, '.ports[0].port'],
    ['half a port', { ports: [{ port: 80.5 }] }, '.ports[0].port'],
    ['a number in quotes', { ports: [{ port: '80' }] }, '.ports[0].port'],
    ['a port name with an upper-case letter', { ports: [{ port: 'Web' }] }, '.ports[0].port'],
    ['a port name of 16 characters', { ports: [{ port: 'a234567890123456' }] }, '.ports[0].port'],
    ['an empty port name', { ports: [{ port: '' }] }, '.ports[0].port'],
    ['an endPort below the port', { ports: [{ port: 80, endPort: 79 }] }, '.ports[0].endPort'],
    ['an endPort above 65535', { ports: [{ port: 80, endPort: 65_536 }] }, '.ports[0].endPort'],
    ['an endPort without a port', { ports: [{ endPort: 80 }] }, '.ports[0].endPort'],
    ['an endPort beside a name', { ports: [{ port: 'web', endPort: 80 }] }, '.ports[0].endPort'],
    ['an unknown protocol', { ports: [{ protocol: 'ICMP' }] }, '.ports[0].protocol'],
    ['a protocol in lower case', { ports: [{ protocol: 'tcp' }] }, '.ports[0].protocol'],
    ['a port with an unknown field', { ports: [{ port: 80, hostPort: 80 }] }, '.ports[0].hostPort'],
    ['a good port beside a bad one', { ports: [{ port: 80 }, { port: -1 }] }, '.ports[1].port'],
  ];
  for (const [what, entry, field] of bad) {
    test(what, () => {
      const { policy, problems } = decode({ ingress: [entry, good], policyTypes: ['Ingress'] });
      assert.deepEqual(policy.ingress.map((rule) => rule.index), [1]);
      assert.deepEqual(policy.types, { ingress: true, egress: false });
      assert.deepEqual(problems.map((problem) => problem.field), [`spec.ingress[0]${field}`]);
      assert.ok(problems.every(({ problem, remedy }) => problem !== '' && remedy !== ''));
    });
  }

  test('of egress too', () => {
    const { policy, problems } = decode({ egress: [{ to: [{ ipBlock: { cidr: 'x' } }] }, { ports: [{ port: 53 }] }], policyTypes: ['Egress'] });
    assert.deepEqual(policy.egress.map((rule) => rule.index), [1]);
    assert.deepEqual(problems.map((problem) => problem.field), ['spec.egress[0].to[0].ipBlock.cidr']);
  });

  test('with policyTypes left out, a bad egress entry still isolates egress', () => {
    assert.deepEqual(decode({ egress: [{ to: [{}] }] }).policy.types, { ingress: true, egress: true });
  });
});

describe('an entry whose peers times ports are more than a node can have allows nothing, and the others stand', () => {
  const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const peers = (count: number): unknown => range(count).map((i) => ({ podSelector: { matchLabels: { app: `${i}` } } }));
  const odd = (count: number): unknown => range(count).map((i) => ({ port: 2 * i + 1 }));
  const names = (count: number): unknown => range(count).map((i) => ({ port: `p-${i}` }));
  const networks = (count: number): unknown => range(count).map((i) => `10.${i >> 8}.${i & 255}.0/24`);
  const last = { ports: [{ port: 53 }] };
  for (const [what, direction, entry] of [
    ['numbers', 'ingress', { from: peers(2000), ports: odd(400) }],
    ['ranges', 'ingress', { from: peers(2000), ports: range(200).map((i) => ({ port: 1 + 3 * i, endPort: 2 + 3 * i })) }],
    ['names', 'ingress', { from: peers(500), ports: names(101) }],
    ['names on each of the peers', 'egress', { to: peers(100), ports: names(50) }],
    ['exceptions, which each protocol repeats', 'egress', { to: [{ ipBlock: { cidr: '10.0.0.0/8', except: networks(17_000) } }], ports: ['TCP', 'UDP', 'SCTP'].map((protocol) => ({ protocol })) }],
  ] as const) {
    test(what, () => {
      const { policy, problems } = decode({ [direction]: [entry, last], policyTypes: ['Ingress', 'Egress'] });
      assert.deepEqual(policy[direction].map((rule) => rule.index), [1]);
      assert.deepEqual(problems.map(({ field, isOurs }) => [field, isOurs]), [[`spec.${direction}[0]`, true]]);
    });
  }
  test('entry by entry, both directions together', () => {
    const entry = { ports: odd(400) };
    const half = { ingress: [{ from: peers(1000), ...entry }], egress: [{ to: peers(1000), ...entry }] };
    assert.equal(decode({ ingress: half.ingress }).problems.length, 0);
    assert.deepEqual(decode(half).problems.map(({ field }) => field), ['spec.egress[0]']);
  });
  test('as many peers as an object can hold are not too many, nor are many ports', () => {
    assert.equal(decode({ ingress: [{ from: peers(20_000), ports: odd(15) }] }).problems.length, 0);
    assert.equal(decode({ ingress: [{ ports: odd(30_000) }], egress: [{ ports: names(3000) }] }).problems.length, 0);
    assert.equal(decode({ egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: networks(40_000) } }] }] }).problems.length, 0);
  });
});

describe('an unreadable podSelector: the whole namespace is isolated in both directions', () => {
  const bad: readonly [string, unknown][] = [
    ['no object', 'web'],
    ['a list', []],
    ['a bad operator', { matchExpressions: [{ key: 'a', operator: 'Is' }] }],
    ['a bad value', { matchLabels: { app: 'x y' } }],
    ['a value that is no string', { matchLabels: { app: true } }],
    ['matchLabels that are a list', { matchLabels: ['app'] }],
    ['an unknown field', { matchLabel: { app: 'x' } }],
    ['a reserved label', { matchLabels: { 'pcsa.role': 'x' } }],
  ];
  for (const [what, podSelector] of bad) {
    test(what, () => {
      const { policy, problems } = decode({ podSelector, policyTypes: ['Ingress'], ingress: [{}], egress: [{}] });
      assert.equal(policy.selector.text, `(${isPod} && ${inShop})`);
      assert.deepEqual([policy.types, policy.ingress, policy.egress], [{ ingress: true, egress: true }, [], []]);
      assert.ok(problems[0]?.field.startsWith('spec.podSelector'));
    });
  }

  test('a spec that is no object', () => {
    const { policy } = decode('all');
    assert.equal(policy.selector.text, `(${isPod} && ${inShop})`);
    assert.deepEqual([policy.types, policy.ingress, policy.egress], [{ ingress: true, egress: true }, [], []]);
  });
});

describe('bad elsewhere: it keeps selecting, isolates in both directions and allows nothing', () => {
  const bad: readonly [string, Record<string, unknown>, string][] = [
    ['an unknown policy type', { policyTypes: ['Ingres'] }, 'spec.policyTypes[0]'],
    ['policyTypes that are no list', { policyTypes: 'Ingress' }, 'spec.policyTypes'],
    ['three policyTypes', { policyTypes: ['Ingress', 'Egress', 'Ingress'] }, 'spec.policyTypes'],
    ['ingress that is no list', { ingress: {} }, 'spec.ingress'],
    ['egress that is no list', { egress: 'all' }, 'spec.egress'],
    ['an unknown field', { order: 5 }, 'spec.order'],
  ];
  for (const [what, spec, field] of bad) {
    test(what, () => {
      const { policy, problems } = decode({ podSelector: { matchLabels: { app: 'x' } }, ingress: [{}], egress: [{}], ...spec });
      assert.equal(policy.selector.text, `((${isPod} && app == "x") && ${inShop})`);
      assert.deepEqual([policy.types, policy.ingress, policy.egress], [{ ingress: true, egress: true }, [], []]);
      assert.deepEqual(problems.map((problem) => problem.field), [field]);
    });
  }
});

describe('the same policy', () => {
  const same = (a: unknown, b: unknown): boolean => {
    const [first, second] = [a, b].map((object) => networkPolicies.decode(object, context()).value);
    assert.ok(first && second);
    return networkPolicies.same(first, second);
  };

  test('written in another way is the same', () => {
    assert.ok(same(policyWith({ ingress: [{ ports: [{ port: 80 }, { port: 81 }] }] }), policyWith({ podSelector: {}, ingress: [{ ports: [{ port: 80, endPort: 81 }] }] })));
  });
  test('with another rule is another', () => assert.ok(!same(policyWith({ ingress: [{}] }), policyWith({ ingress: [] }))));
});
