// Rules of Calico's policies as the API serves them → rules of the model, and what a bad one becomes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type EntityMatch, type Rule, anyEntity } from '../../../src/model/rule.ts';
import { calicoNetworkPolicies } from '../../../src/sync/resources/calico-network-policy.ts';
import { DecodeContext } from '../../../src/sync/resources/decode-context.ts';
import { globalNetworkPolicies } from '../../../src/sync/resources/global-network-policy.ts';
import type { Problem } from '../../../src/sync/resources/problem.ts';
import { calicoObject, context } from './objects.ts';

type Direction = 'ingress' | 'egress';

const decode = (rule: unknown, direction: Direction, global: boolean, from = context()): { rules: readonly Rule[]; problems: readonly Problem[] } => {
  const spec = { [direction]: [rule] };
  const { value, problems } = global ? globalNetworkPolicies.decode(calicoObject('GlobalNetworkPolicy', spec), from) : calicoNetworkPolicies.decode(calicoObject('NetworkPolicy', spec), from);
  assert.ok(value);
  assert.deepEqual(value.types, { ingress: true, egress: true }, 'a bad rule changes no directions');
  return { rules: value[direction], problems };
};

const ruleOf = (rule: object, { direction = 'ingress', global = false }: { direction?: Direction; global?: boolean } = {}): Rule => {
  const { rules, problems } = decode({ action: 'Allow', ...rule }, direction, global);
  assert.deepEqual(problems, []);
  assert.equal(rules.length, 1);
  return rules[0] as Rule;
};
const sourceOf = (source: unknown, global = false): EntityMatch => ruleOf({ source }, { global }).source;
const selectorOf = (source: unknown, global = false): string | undefined => sourceOf(source, global).selector?.text;
const inShop = 'projectcalico.org/namespace == "shop"';

describe('the action', () => {
  for (const [wire, action] of [['Allow', 'allow'], ['Deny', 'deny'], ['Pass', 'pass'], ['Log', 'log']] as const) {
    test(wire, () => assert.equal(ruleOf({ action: wire }).action, action));
  }
  test('alone matches everything', () => assert.deepEqual(ruleOf({}), { action: 'allow', source: anyEntity, destination: anyEntity, index: 0 }));
});

describe('the protocol', () => {
  const cases: readonly [unknown, number][] = [['TCP', 6], ['udp', 17], ['Icmp', 1], ['ICMPV6', 58], ['sctp', 132], ['UDPLite', 136], [1, 1], [255, 255], ['47', 47], ['0006', 6]];
  for (const [wire, number] of cases) {
    test(`${JSON.stringify(wire)} is ${number}`, () => assert.equal(ruleOf({ protocol: wire }).protocol, number));
    test(`not ${JSON.stringify(wire)} is not ${number}`, () => assert.equal(ruleOf({ notProtocol: wire }).notProtocol, number));
  }
  test('and the family are kept beside one another', () => {
    const { protocol, ipVersion } = ruleOf({ protocol: 'ICMPv6', ipVersion: 6 });
    assert.deepEqual([protocol, ipVersion], [58, 6]);
  });
});

describe('the IP version', () => {
  test('may be the other one than that of ICMP where the protocol is a number: both versions have it', () => {
    assert.deepEqual([ruleOf({ protocol: 58, ipVersion: 4 }).ipVersion, ruleOf({ notProtocol: '1', ipVersion: 6 }).ipVersion], [4, 6]);
  });
  test('may be that of some of the networks only, or of none', () => {
    assert.deepEqual(ruleOf({ ipVersion: 4, source: { nets: ['fd00::/8'] } }).ipVersion, 4);
    assert.deepEqual(sourceOf({ nets: ['10.0.0.0/8', 'fd00::/8'] }).nets, ['10.0.0.0/8', 'fd00::/8']);
    assert.deepEqual(ruleOf({ ipVersion: 6, source: { nets: ['10.0.0.0/8', 'fd00::/8'] }, destination: { nets: ['::/0'], notNets: ['10.0.0.0/8'] } }).ipVersion, 6);
  });
});

describe('ICMP', () => {
  test('type and code, of the family of the protocol', () => {
    const { icmp, ipVersion } = ruleOf({ protocol: 'ICMP', icmp: { type: 3, code: 0 } });
    assert.deepEqual([icmp, ipVersion], [{ type: 3, code: 0 }, 4]);
  });
  test('their negation', () => {
    const { notIcmp, ipVersion } = ruleOf({ protocol: 58, notICMP: { type: 128 } });
    assert.deepEqual([notIcmp, ipVersion], [{ type: 128 }, 6]);
  });
  test('without a type is ICMP of any', () => assert.equal(ruleOf({ protocol: 'ICMP', icmp: {} }).icmp, undefined));
});

describe('nets', () => {
  test('are as many as one likes', () => assert.equal(sourceOf({ nets: Array.from({ length: 3000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`) }).nets.length, 3000));
  test('are masked, of both families, an address is a net of its own, each once', () => {
    const { nets, notNets } = sourceOf({ nets: ['10.1.2.3/8', 'FD00::1/64', '10.0.0.0/8', '192.0.2.1', '::/0'], notNets: ['10.1.0.1/16'] });
    assert.deepEqual([nets, notNets], [['10.0.0.0/8', 'fd00::/64', '192.0.2.1/32', '::/0'], ['10.1.0.0/16']]);
  });
  test('alone say nothing about a namespace', () => assert.equal(selectorOf({ nets: ['10.0.0.0/8'] }), undefined));
});

describe('ports', () => {
  test('numbers, ranges, names, and numbers in quotes', () => {
    const { destination } = ruleOf({ protocol: 'TCP', destination: { ports: [80, '443', '8000:8080', 'web'], notPorts: ['0:79', 65_535] } });
    assert.deepEqual(destination.ports, [{ first: 80, last: 80 }, { first: 443, last: 443 }, { first: 8000, last: 8080 }, { name: 'web' }]);
    assert.deepEqual(destination.notPorts, [{ first: 0, last: 79 }, { first: 65_535, last: 65_535 }]);
  });
  test('are as many as one likes', () => assert.equal(ruleOf({ protocol: 'TCP', destination: { notPorts: Array.from({ length: 300 }, (_, i) => i) } }).destination.notPorts.length, 300));
  test('a range from 0 is valid', () => assert.deepEqual(ruleOf({ protocol: 'UDP', source: { ports: ['0:65535'] } }).source.ports, [{ first: 0, last: 65_535 }]));
  test('alone say nothing about a namespace', () => assert.equal(ruleOf({ protocol: 'TCP', source: { ports: [1] } }).source.selector, undefined));
});

describe('selectors of a rule', () => {
  test('of a namespaced policy are about its namespace', () => assert.equal(selectorOf({ selector: "app == 'x'" }), `(${inShop} && app == "x")`));
  test('of a global one are about all endpoints', () => assert.equal(selectorOf({ selector: "app == 'x'" }, true), 'app == "x"'));
  test('negated, of a namespaced policy, are about its namespace all the same, and stay negated', () => {
    const { selector, notSelector } = sourceOf({ notSelector: "app == 'x'" });
    assert.deepEqual([selector?.text, notSelector?.text], [inShop, 'app == "x"']);
  });
  test('negated, of a global policy, have no positive one', () => {
    const { selector, notSelector } = sourceOf({ notSelector: "app == 'x'" }, true);
    assert.deepEqual([selector, notSelector?.text], [undefined, 'app == "x"']);
  });
  test('of namespaces are about labels that endpoints inherit', () => {
    assert.equal(selectorOf({ namespaceSelector: "team == 'a' && has(env)" }), '(pcns.team == "a" && has(pcns.env))');
    assert.equal(selectorOf({ namespaceSelector: "team == 'a'", selector: "app == 'x'" }, true), '(pcns.team == "a" && app == "x")');
  });
  test('of namespaces that say all() mean whatever has a namespace, also inside', () => {
    assert.equal(selectorOf({ namespaceSelector: 'all()' }, true), 'has(projectcalico.org/namespace)');
    assert.equal(selectorOf({ namespaceSelector: "!(team == 'all()' || all())" }), '!(pcns.team == "all()" || has(projectcalico.org/namespace))');
  });
  test('of namespaces that say global() mean what has none', () => {
    assert.equal(selectorOf({ namespaceSelector: 'global()', selector: "app == 'x'" }), '(!has(projectcalico.org/namespace) && app == "x")');
  });
  test('of service accounts, by name and by label', () => {
    assert.equal(selectorOf({ serviceAccounts: { names: ['b', 'a'] } }), `(${inShop} && projectcalico.org/serviceaccount in {"a", "b"})`);
    assert.equal(selectorOf({ serviceAccounts: { selector: "role != 'x'" } }, true), 'pcsa.role != "x"');
    assert.equal(selectorOf({ serviceAccounts: { selector: 'all()' } }, true), 'has(projectcalico.org/serviceaccount)');
  });
  test('of all kinds, nested as Calico nests them', () => {
    const source = { selector: "a == '1' || b == '2'", namespaceSelector: 'has(n)', serviceAccounts: { names: ['s'], selector: 'has(r)' } };
    const accounts = '(has(pcsa.r) && projectcalico.org/serviceaccount in {"s"})';
    assert.equal(selectorOf(source), `(has(pcns.n) && (${accounts} && (a == "1" || b == "2")))`);
  });
  test('that are empty are as absent ones', () => {
    const empty = { selector: '', notSelector: '', namespaceSelector: '', serviceAccounts: { names: [], selector: '' }, nets: [], ports: [] };
    assert.equal(sourceOf(empty), anyEntity);
  });
  test('of any length are read', () => assert.ok(selectorOf({ selector: `a == '${'x'.repeat(5000)}'`, serviceAccounts: { selector: `a == '${'x'.repeat(5000)}'` } })));
  test('of accounts that there cannot be match nobody', () => {
    assert.equal(selectorOf({ serviceAccounts: { names: ['system:serviceaccount:shop:web', 'Web_1', ''] } }, true), 'projectcalico.org/serviceaccount in {"", "Web_1", "system:serviceaccount:shop:web"}');
  });
});

describe('services', () => {
  const services = { name: 'db' };
  test('are those of the policy\'s own namespace', () => assert.equal(sourceOf({ services }).service, 'shop/db'));
  test('or of the one they name', () => assert.equal(sourceOf({ services: { ...services, namespace: 'data' } }, true).service, 'data/db'));
  test('that there cannot be are read none the less: they have no endpoints', () => assert.equal(sourceOf({ services: { name: 'db.v1', namespace: 'a.b' } }).service, 'a.b/db.v1'));
  test('as the destination of egress', () => assert.equal(ruleOf({ destination: { services } }, { direction: 'egress' }).destination.service, 'shop/db'));
  test('as a source may have ports', () => {
    const { source } = ruleOf({ protocol: 'TCP', source: { services, ports: [1] } });
    assert.deepEqual([source.service, source.ports], ['shop/db', [{ first: 1, last: 1 }]]);
  });
});

test('annotations are comments, by key', () => {
  assert.deepEqual(ruleOf({ metadata: { annotations: { why: 'because', 'a/b': '' } } }).comments, ['a/b=', 'why=because']);
});

describe('an http match', () => {
  const rule = { action: 'Allow', protocol: 'TCP', http: { methods: ['GET'], paths: [{ exact: '/a' }, { prefix: '/b' }] } };
  test('of an Allow makes the rule disappear, which is no fault of the object', () => {
    const { rules, problems } = decode(rule, 'ingress', true);
    assert.deepEqual(rules, []);
    assert.deepEqual(problems.map(({ field, isOurs }) => [field, isOurs]), [['spec.ingress[0].http', true]]);
  });
  test('is left out where something else enforces it', () => {
    const elsewhere = new DecodeContext({ node: 'node-1', interfacePrefix: 'cali', httpIsEnforcedElsewhere: true });
    const { rules, problems } = decode(rule, 'ingress', true, elsewhere);
    assert.deepEqual([rules.map(({ action, protocol }) => [action, protocol]), problems], [[['allow', 6]], []]);
  });
});

describe('a bad rule', () => {
  const port = { protocol: 'TCP' };
  const bad: readonly [what: string, rule: object, field: string, options?: { direction?: Direction; global?: true }][] = [
    ['an unknown field', { sources: {} }, '.sources'],
    ['an unknown field of an end', { source: { net: [] } }, '.source.net'],
    ['an end that is no object', { source: [] }, '.source'],
    ['nets that are no list', { source: { nets: '10.0.0.0/8' } }, '.source.nets'],
    ['a net that is none', { source: { nets: ['10.0.0.0/8', '10.0.0/8'] } }, '.source.nets[1]'],
    ['a net with leading zeros', { destination: { notNets: ['010.0.0.0/8'] } }, '.destination.notNets[0]'],
    ['a net that is null', { destination: { nets: [null] } }, '.destination.nets[0]'],
    ['a port above 65535', { ...port, source: { ports: [65_536] } }, '.source.ports[0]'],
    ['a negative port', { ...port, source: { ports: [-1] } }, '.source.ports[0]'],
    ['half a port', { ...port, source: { ports: [1.5] } }, '.source.ports[0]'],
    ['a range that goes down', { ...port, destination: { ports: ['2:1'] } }, '.destination.ports[0]'],
    ['a range without an end', { ...port, destination: { ports: ['2:'] } }, '.destination.ports[0]'],
    ['a name that no port can have', { ...port, destination: { notPorts: ['Web_1'] } }, '.destination.notPorts[0]'],
    ['a name of a port that is too long', { ...port, destination: { ports: ['a-name-of-16-char'] } }, '.destination.ports[0]'],
    ['ports without a protocol', { destination: { ports: [80] } }, '.destination'],
    ['a named port without a protocol', { destination: { ports: ['web'] } }, '.destination'],
    ['ports of a protocol without any', { protocol: 'ICMP', source: { notPorts: [80] } }, '.source'],
    ['a protocol that is none', { protocol: 'HTTP' }, '.protocol'],
    ['protocol 0', { protocol: 0 }, '.protocol'],
    ['protocol 256', { notProtocol: 256 }, '.notProtocol'],
    ['an IP version that is none', { ipVersion: 5 }, '.ipVersion'],
    ['ICMP of the other family', { ipVersion: 6, protocol: 'ICMP' }, '.ipVersion'],
    ['an ICMP type of the other family', { ipVersion: 6, protocol: 1, notICMP: { type: 8 } }, '.ipVersion'],
    ['not ICMPv6 of the other family', { ipVersion: 4, notProtocol: 'ICMPv6' }, '.ipVersion'],
    ['an ICMP type without the protocol', { icmp: { type: 8 } }, '.icmp'],
    ['a negated ICMP type of another protocol', { protocol: 'TCP', notICMP: { type: 8 } }, '.notICMP'],
    ['a negated ICMP match without a type', { protocol: 'ICMP', notICMP: {} }, '.notICMP'],
    ['an ICMP code without a type', { protocol: 'ICMP', icmp: { code: 1 } }, '.icmp.code'],
    ['an ICMP type above 254', { protocol: 'ICMP', icmp: { type: 255 } }, '.icmp.type'],
    ['a selector that does not parse', { source: { selector: 'a ==' } }, '.source.selector'],
    ['a selector that is no text', { source: { selector: 1 } }, '.source.selector'],
    ['a namespaceSelector that does not parse', { source: { namespaceSelector: 'team = a' } }, '.source.namespaceSelector'],
    ['a label that is too long with its prefix', { source: { namespaceSelector: `has(${'x'.repeat(510)})` } }, '.source'],
    ['global() in a selector', { source: { selector: 'global()' } }, '.source.selector'],
    ['global() in a negated selector', { source: { notSelector: '!global()' } }, '.source.notSelector'],
    ['global() in a selector of accounts', { source: { serviceAccounts: { selector: 'a == "b" || global()' } } }, '.source.serviceAccounts.selector'],
    ['a name of an account with quotes', { source: { serviceAccounts: { names: ['a', "x' }"] } } }, '.source.serviceAccounts.names[1]'],
    ['a name of an account that is no text', { source: { serviceAccounts: { names: [1] } } }, '.source.serviceAccounts.names[0]'],
    ['accounts that are a list', { source: { serviceAccounts: ['a'] } }, '.source.serviceAccounts'],
    ['an unknown field of accounts', { source: { serviceAccounts: { name: 'a' } } }, '.source.serviceAccounts.name'],
    ['services beside a selector', { source: { services: { name: 'db' }, selector: 'all()' } }, '.source.selector'],
    ['services beside nets', { source: { services: { name: 'db' }, nets: ['10.0.0.0/8'] } }, '.source.nets'],
    ['services beside ports, as a destination', { ...port, destination: { services: { name: 'db' }, ports: [1] } }, '.destination.ports', { direction: 'egress' }],
    ['services without a name', { source: { services: {} } }, '.source.services.name'],
    ['services as the destination of ingress', { destination: { services: { name: 'db' } } }, '.destination.services'],
    ['services as the source of egress', { source: { services: { name: 'db' } } }, '.source.services', { direction: 'egress' }],
    ['services of a global policy without a namespace', { source: { services: { name: 'db' } } }, '.source.services.namespace', { global: true }],
    ['an http match of egress', { http: { methods: ['GET'] } }, '.http', { direction: 'egress' }],
    ['an http match of another protocol', { protocol: 'UDP', http: {} }, '.http'],
    ['an http path that is none', { http: { paths: [{ exact: 'a' }] } }, '.http.paths[0]'],
    ['an http path twice', { http: { paths: [{ exact: '/a', prefix: '/b' }] } }, '.http.paths[0]'],
    ['an annotation that is no text', { metadata: { annotations: { why: 1 } } }, '.metadata.annotations[why]'],
    ['an unknown field of metadata', { metadata: { labels: { a: 'b' } } }, '.metadata.labels'],
  ];
  for (const [what, rule, field, { direction = 'ingress', global = false } = {}] of bad) {
    test(`with ${what}: an Allow disappears, a Deny or Pass denies everything, a Log disappears`, () => {
      for (const [action, left] of [['Allow', []], ['Deny', ['deny']], ['Pass', ['deny']], ['Log', []]] as const) {
        const { rules, problems } = decode({ action, ...rule }, direction, global);
        assert.deepEqual(rules, left.map((deny) => ({ action: deny, source: anyEntity, destination: anyEntity, index: 0 })), action);
        assert.ok(problems.some((problem) => problem.field === `spec.${direction}[0]${field}`), JSON.stringify(problems));
      }
    });
  }
  for (const [what, rule, field] of [
    ['no action', {}, '.action'],
    ['an unknown action', { action: 'Reject' }, '.action'],
    ['an action in other letters', { action: 'allow' }, '.action'],
    ['no object', 'Allow', ''],
    ['null', null, ''],
  ] as const) {
    test(`with ${what} denies everything: nobody knows what it does`, () => {
      const { rules, problems } = decode(rule, 'ingress', true);
      assert.deepEqual(rules, [{ action: 'deny', source: anyEntity, destination: anyEntity, index: 0 }]);
      assert.deepEqual(problems.map((problem) => problem.field), [`spec.ingress[0]${field}`]);
    });
  }
  test('with an http match that denies denies everything', () => {
    assert.deepEqual(decode({ action: 'Deny', http: { methods: ['GET'] } }, 'ingress', true).rules.map(({ action }) => action), ['deny']);
  });
  test('leaves the others as they are, at their places', () => {
    const spec = { ingress: [{ action: 'Deny', protocol: 'UDP' }, { action: 'Pass', protocol: 'X' }, { action: 'Allow', ipVersion: 5 }, { action: 'Allow' }] };
    const { value } = globalNetworkPolicies.decode(calicoObject('GlobalNetworkPolicy', spec), context());
    assert.deepEqual(value?.ingress.map(({ action, index, protocol }) => [action, index, protocol]), [['deny', 0, 17], ['deny', 1, undefined], ['allow', 3, undefined]]);
  });
});
