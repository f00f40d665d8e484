import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { allowedAmongXAndY, calicoPolicy, globalPolicy, into, tier, world, xAndY } from './small-world.ts';

type Json = Record<string, unknown>;

function fields(object: WireObject, options: Partial<World['options']> = {}): readonly string[] {
  return judge(world([object], options)).invalid.map(({ field }) => field);
}

const onX = { selector: 'app == "x"' };
const https = { action: 'Allow', protocol: 'TCP', destination: { ports: [443] } };
const bad = { source: { nets: ['10.0.0.0/33'] } };

test('a bad Allow disappears, the others stay, and the policy goes on isolating', () => {
  const spec = { ...onX, types: ['Ingress'], ingress: [{ action: 'Allow', ...bad }, https] };
  assert.deepEqual(allowedAmongXAndY(globalPolicy('p', spec)), ['in x:443', 'out x', 'in y', 'out y']);
  assert.deepEqual(fields(globalPolicy('p', spec)), ['spec.ingress[0].source.nets[0]']);
});

test('a bad Log disappears', () => {
  assert.deepEqual(allowedAmongXAndY(globalPolicy('p', { ...onX, types: ['Ingress'], ingress: [{ action: 'Log', ...bad }, https] })), ['in x:443', 'out x', 'in y', 'out y']);
});

test('a bad Deny or Pass, and a rule whose action cannot be read, deny everything at their place and in their direction', () => {
  for (const action of ['Deny', 'Pass', 'allow', 'Accept', '', null, 7]) {
    const spec = { ...onX, ingress: [https, { action, ...bad }, { action: 'Allow' }], egress: [{ action: 'Allow' }] };
    assert.deepEqual(allowedAmongXAndY(globalPolicy('p', spec)), ['in x:443', 'out x', 'in y', 'out y'], String(action));
  }
  for (const rule of [null, 'Allow', {}, []]) {
    assert.deepEqual(allowedAmongXAndY(globalPolicy('p', { ...onX, types: ['Ingress'], ingress: [rule, { action: 'Allow' }] })), ['out x', 'in y', 'out y'], JSON.stringify(rule));
  }
});

test('a rule that denies everything is named as the wire has it', () => {
  const spec = { ingress: [https, { action: 'Deny', ...bad }] };
  const [decision] = judge(world([...xAndY, globalPolicy('p', spec)])).verdict(into('a/x', '192.0.2.1', '10.0.0.1')).decisions;
  assert.deepEqual([decision?.action, decision?.reason, decision?.rule], ['deny', 'rule', 1]);
});

test('something bad elsewhere: no rule allows, what denies or passes denies everything, and both directions are isolated', () => {
  const elsewhere: readonly Json[] = [
    { order: 'first' },
    { tier: 7 },
    { types: ['Ingres'] },
    { types: ['Ingress', 'Ingress'] },
    { types: 'Ingress' },
    { unknown: 1 },
    { applyOnForward: 'yes' },
    { doNotTrack: 1 },
  ];
  for (const spoilt of elsewhere) {
    assert.deepEqual(allowedAmongXAndY(globalPolicy('p', { ...onX, types: ['Ingress'], ingress: [https], ...spoilt })), ['in y', 'out y'], JSON.stringify(spoilt));
  }
});

test('a broken policy in a tier that passes denies what its rules that deny or pass might have denied', () => {
  const passing = tier('t', { order: 1, defaultAction: 'Pass' });
  const rules = { ingress: [{ action: 'Deny', source: { nets: ['203.0.113.0/24'] } }], egress: [https] };
  assert.deepEqual(allowedAmongXAndY(passing, globalPolicy('p', { ...onX, tier: 't', unknown: 1, ...rules })), ['out x', 'in y', 'out y']);
  assert.deepEqual(allowedAmongXAndY(passing, globalPolicy('p', { ...onX, tier: 't', ...rules })), ['in x:80', 'in x:443', 'out x', 'in y', 'out y']);
});

test('a policy whose order cannot be read is asked first in its tier, where what it denies closes most', () => {
  const rules = { ingress: [{ action: 'Deny', source: { nets: ['203.0.113.0/24'] } }], egress: [https] };
  const open = globalPolicy('open', { ...onX, order: -5, ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] });
  assert.deepEqual(allowedAmongXAndY(globalPolicy('p', { ...onX, order: 'first', ...rules }), open), ['out x', 'in y', 'out y']);
});

test('a list of rules that is none denies everything in its direction', () => {
  assert.deepEqual(allowedAmongXAndY(tier('t', { order: 1, defaultAction: 'Pass' }), globalPolicy('p', { ...onX, tier: 't', ingress: {} })), ['out x', 'in y', 'out y']);
  assert.deepEqual(allowedAmongXAndY(globalPolicy('p', { ...onX, types: ['Ingress'], ingress: [https], egress: 'none' })), ['in y', 'out y']);
  assert.deepEqual(allowedAmongXAndY(tier('t', { order: 1, defaultAction: 'Pass' }), globalPolicy('p', { ...onX, tier: 't', ingress: { action: 'Allow' } })), ['out x', 'in y', 'out y']);
});

const unreadable: readonly Json[] = [
  { selector: 'app = "x"' },
  { selector: 7 },
  { selector: 'global()' },
  { selector: '', serviceAccountSelector: 'role ==' },
  { selector: '', serviceAccountSelector: 'global()' },
];

test('an unreadable selector of a NetworkPolicy isolates its whole namespace in both directions, without rules', () => {
  for (const spec of unreadable) {
    assert.deepEqual(allowedAmongXAndY(calicoPolicy('a/p', { types: ['Ingress'], ingress: [{ action: 'Allow' }], ...spec })), [], JSON.stringify(spec));
    assert.equal(fields(calicoPolicy('a/p', spec)).length, 1);
  }
  assert.deepEqual(allowedAmongXAndY({ ...calicoPolicy('a/p', {}), spec: 'none' }), []);
});

test('an unreadable selector of a NetworkPolicy leaves its rules that deny or pass: they deny everything, also where the tier passes at its end', () => {
  const passing = tier('t', { order: 1, defaultAction: 'Pass' });
  for (const action of ['Deny', 'Pass', 'Refuse']) {
    const spec = { tier: 't', selector: '(', ingress: [{ action: 'Allow' }, { action, source: { nets: ['203.0.113.0/24'] } }], egress: [https] };
    assert.deepEqual(allowedAmongXAndY(passing, calicoPolicy('a/p', spec)), ['out x', 'out y'], action);
  }
  assert.deepEqual(allowedAmongXAndY(passing, calicoPolicy('a/p', { tier: 't', selector: '(', ingress: [https] })), ['in x:80', 'in x:443', 'out x', 'in y', 'out y']);
});

test('a global policy with an unreadable selector is absent, and named', () => {
  for (const spec of [...unreadable, { namespaceSelector: 'x' }, { namespaceSelector: 'global()' }]) {
    assert.deepEqual(allowedAmongXAndY(globalPolicy('p', spec)), ['in x:80', 'in x:443', 'out x', 'in y', 'out y'], JSON.stringify(spec));
    assert.equal(fields(globalPolicy('p', spec)).length, 1, JSON.stringify(spec));
  }
});

test('bad metadata is something bad elsewhere', () => {
  const annotations = (text: string): Json => ({ annotations: { 'projectcalico.org/metadata': text } });
  for (const metadata of [{ name: 'Not_A_Name' }, { labels: { a: 'b c' } }, annotations('not JSON'), annotations('[]'), annotations('{"labels":{"a":"b c"}}'), annotations('{"name":7}')]) {
    assert.deepEqual(allowedAmongXAndY(globalPolicy('p', { ...onX, types: ['Ingress'], ingress: [https] }, metadata)), ['in y', 'out y'], JSON.stringify(metadata));
  }
});

test('a misspelt field is never read as if it were not there', () => {
  const inRule = (rule: Json): readonly string[] => fields(globalPolicy('p', { ingress: [{ action: 'Allow', ...rule }] }));
  assert.deepEqual(inRule({ sources: {} }), ['spec.ingress[0].sources']);
  assert.deepEqual(inRule({ source: { net: [] } }), ['spec.ingress[0].source.net']);
  assert.deepEqual(inRule({ source: { serviceAccounts: { name: 'x' } } }), ['spec.ingress[0].source.serviceAccounts.name']);
  assert.deepEqual(inRule({ source: { services: { name: 'x', namespace: 'a', port: 1 } } }), ['spec.ingress[0].source.services.port']);
  assert.deepEqual(inRule({ protocol: 'ICMP', icmp: { typ: 1 } }), ['spec.ingress[0].icmp.typ']);
  assert.deepEqual(inRule({ metadata: { annotation: {} } }), ['spec.ingress[0].metadata.annotation']);
  assert.deepEqual(fields(calicoPolicy('a/p', { namespaceSelector: 'all()' })), ['spec.namespaceSelector']);
  assert.deepEqual(fields(calicoPolicy('a/p', { preDNAT: true })), ['spec.preDNAT']);
});

test('rules that Calico’s API refuses', () => {
  const refused = (rule: Json, direction = 'ingress', policy = 'global'): readonly string[] => {
    const spec = { [direction]: [{ action: 'Allow', ...rule }] };
    return fields(policy === 'global' ? globalPolicy('p', spec) : calicoPolicy('a/p', spec)).map((field) => field.replace(`spec.${direction}[0].`, ''));
  };
  for (const ipVersion of [5, '4', 46]) assert.deepEqual(refused({ ipVersion }), ['ipVersion']);
  for (const protocol of [0, 256, 'HTTP', '', 6.5, 'constructor']) assert.deepEqual(refused({ protocol }), ['protocol'], String(protocol));
  assert.deepEqual(refused({ notProtocol: 'GRE' }), ['notProtocol']);
  assert.deepEqual(refused({ protocol: 'ICMP', icmp: { type: 255 } }), ['icmp.type']);
  assert.deepEqual(refused({ protocol: 'ICMP', icmp: { type: 3, code: 256 } }), ['icmp.code']);
  assert.deepEqual(refused({ protocol: 'ICMP', icmp: { code: 1 } }), ['icmp.code']);
  assert.deepEqual(refused({ icmp: { type: 8 } }), ['icmp']);
  assert.deepEqual(refused({ protocol: 'TCP', icmp: { type: 8 } }), ['icmp']);
  assert.deepEqual(refused({ notICMP: { type: 8 } }), ['notICMP']);
  assert.deepEqual(refused({ protocol: 'ICMP', notICMP: {} }), ['notICMP']);
  assert.deepEqual(refused({ protocol: 'ICMP', ipVersion: 6 }), ['ipVersion']);
  assert.deepEqual(refused({ notProtocol: 'icmpv6', ipVersion: 4 }), ['ipVersion']);
  assert.deepEqual(refused({ notProtocol: 58, ipVersion: 4 }), []);
  assert.deepEqual(refused({ protocol: 1, notICMP: { type: 8 }, ipVersion: 6 }), ['ipVersion']);
  const [v4, v6] = [{ nets: ['10.0.0.0/8'] }, { nets: ['fd00::/8'] }];
  for (const parts of [{ ipVersion: 6, source: v4 }, { source: v4, destination: v6 }, { ipVersion: 4, source: { notNets: v6.nets } }]) assert.deepEqual(refused(parts), [], JSON.stringify(parts));
  for (const net of ['10.0.0.0/33', '10.0.0', '010.0.0.1', '::ffff:10.0.0.1', '', 7, null]) {
    assert.deepEqual(refused({ source: { nets: [net] } }), ['source.nets[0]'], String(net));
    assert.deepEqual(refused({ destination: { notNets: ['10.0.0.0/8', net] } }), ['destination.notNets[1]'], String(net));
  }
  for (const port of [65536, -1, 80.5, '80:79', '1:65536', 'a b', '', '80:', null, true]) {
    assert.deepEqual(refused({ protocol: 'TCP', destination: { ports: [port] } }), ['destination.ports[0]'], String(port));
    assert.deepEqual(refused({ protocol: 'TCP', source: { notPorts: [port] } }), ['source.notPorts[0]'], String(port));
  }
  for (const protocol of [undefined, 'ICMP', 'UDPLite', 4]) assert.deepEqual(refused({ ...(protocol && { protocol }), destination: { ports: [80] } }), ['protocol'], String(protocol));
  assert.deepEqual(refused({ notProtocol: 'UDP', destination: { notPorts: [80] } }), ['protocol']);
  assert.deepEqual(refused({ source: { selector: 'global()' } }), ['source.selector']);
  assert.deepEqual(refused({ source: { notSelector: 'a' } }), ['source.notSelector']);
  assert.deepEqual(refused({ source: { namespaceSelector: '(' } }), ['source.namespaceSelector']);
  assert.deepEqual(refused({ source: { serviceAccounts: { names: ['No Name', "quote'd"] } } }), ['source.serviceAccounts.names[1]']);
  assert.deepEqual(refused({ source: { serviceAccounts: { selector: 'x' } } }), ['source.serviceAccounts.selector']);
  assert.deepEqual(refused({ source: { services: { name: 'api' } } }), ['source.services.namespace']);
  assert.deepEqual(refused({ source: { services: { name: 'api' } } }, 'ingress', 'own'), []);
  assert.deepEqual(refused({ source: { services: { namespace: 'a' } } }), ['source.services.name']);
  const services = { name: 'api', namespace: 'a' };
  for (const other of [{ selector: 'all()' }, { notSelector: 'all()' }, { namespaceSelector: 'all()' }, { nets: ['10.0.0.0/8'] }, { notNets: ['10.0.0.0/8'] }, { serviceAccounts: {} }]) {
    assert.deepEqual(refused({ source: { services, ...other } }), [`source.${Object.keys(other).join()}`]);
  }
  assert.deepEqual(refused({ destination: { services } }), ['destination.services']);
  assert.deepEqual(refused({ source: { services } }, 'egress'), ['source.services']);
  assert.deepEqual(refused({ protocol: 'TCP', destination: { services, ports: [80] } }, 'egress'), ['destination.ports']);
});

test('an Allow with an http match disappears where nobody enforces it, and is named', () => {
  const policy = globalPolicy('p', { ...onX, types: ['Ingress'], ingress: [{ action: 'Allow', http: { methods: ['GET'] } }, https] });
  assert.deepEqual(allowedAmongXAndY(policy), ['in x:443', 'out x', 'in y', 'out y']);
  assert.deepEqual(fields(policy), ['spec.ingress[0].http']);
  assert.deepEqual(fields(policy, { httpRules: 'Drop' }), ['spec.ingress[0].http']);
  assert.deepEqual(fields(policy, { httpRules: 'Ignore' }), []);
});

test('http matches that Calico’s API refuses', () => {
  const refused = (direction: string, rule: Json): readonly string[] => fields(globalPolicy('p', { [direction]: [rule] }), { httpRules: 'Ignore' });
  const http = { methods: ['GET'] };
  assert.deepEqual(refused('ingress', { action: 'Deny', http }), ['spec.ingress[0].http']);
  assert.deepEqual(refused('egress', { action: 'Allow', http }), ['spec.egress[0].http']);
  assert.deepEqual(refused('ingress', { action: 'Allow', protocol: 'UDP', http }), ['spec.ingress[0].http']);
  assert.deepEqual(refused('ingress', { action: 'Allow', protocol: 6, http }), []);
  assert.deepEqual(refused('ingress', { action: 'Allow', http: { path: [] } }), ['spec.ingress[0].http.path']);
  assert.deepEqual(refused('ingress', { action: 'Allow', http: { paths: [{ exact: '/', prefix: '/' }] } }), ['spec.ingress[0].http.paths']);
  assert.deepEqual(refused('ingress', { action: 'Allow', http: { methods: [7] } }), ['spec.ingress[0].http.methods']);
});

test('combinations of doNotTrack, preDNAT and applyOnForward that the API refuses', () => {
  const refused = (spec: Json): readonly string[] => fields(globalPolicy('p', spec));
  assert.deepEqual(refused({ doNotTrack: true, preDNAT: true, applyOnForward: true }), ['spec.preDNAT']);
  assert.deepEqual(refused({ doNotTrack: true }), ['spec.applyOnForward']);
  assert.deepEqual(refused({ preDNAT: true, applyOnForward: false }), ['spec.applyOnForward']);
  assert.deepEqual(refused({ preDNAT: true, applyOnForward: true, egress: [{ action: 'Allow' }] }), ['spec.egress']);
  assert.deepEqual(refused({ preDNAT: true, applyOnForward: true, types: ['Ingress', 'Egress'] }), ['spec.types']);
  assert.deepEqual(refused({ doNotTrack: false, preDNAT: false }), []);
});

test('every problem is reported with kind, namespace, name and field', () => {
  const policy = calicoPolicy('a/p', { order: 'x', ingress: [{ action: 'Deny', protocol: 'X', source: { nets: ['y'] } }] });
  assert.deepEqual(
    judge(world([policy])).invalid.map(({ kind, namespace: ns, name, field }) => `${kind} ${ns}/${name} ${field}`),
    ['NetworkPolicy a/p spec.order', 'NetworkPolicy a/p spec.ingress[0].protocol', 'NetworkPolicy a/p spec.ingress[0].source.nets[0]'],
  );
});

test('lists and selectors may be as long as they like: not every version of the API has limits', () => {
  const many = (length: number, of: unknown): unknown[] => Array.from({ length }, () => of);
  const long = `has(${'a'.repeat(500)}) || has(${'b'.repeat(500)}) || has(${'c'.repeat(500)})`;
  const rule = (parts: Json): Json => ({ ingress: [{ action: 'Allow', protocol: 'TCP', ...parts }] });
  const specs: readonly Json[] = [
    { ingress: many(2000, { action: 'Deny' }), selector: long, serviceAccountSelector: long },
    rule({ source: { nets: many(500, '10.0.0.0/8'), notNets: many(500, '10.0.0.0/8') }, destination: { ports: many(100, 80), notPorts: many(100, 80) } }),
    rule({ source: { selector: long, namespaceSelector: long, serviceAccounts: { selector: long } } }),
    rule({ http: { methods: Array.from({ length: 30 }, (_, index) => `M${index}`), paths: many(30, { exact: `/${'a'.repeat(2000)}` }) } }),
  ];
  for (const spec of specs) assert.deepEqual(fields(calicoPolicy('a/p', spec), { httpRules: 'Ignore' }), [], Object.keys(spec).join());
});

test('a selector of parentheses in parentheses is refused where there are more than 200', () => {
  const nested = (depth: number): Json => ({ selector: `${'('.repeat(depth)}has(a)${')'.repeat(depth)}` });
  assert.deepEqual([fields(globalPolicy('p', nested(200))), fields(globalPolicy('p', nested(201)))], [[], ['spec.selector']]);
});

test('names that nothing can have are refused', () => {
  for (const tier of ['Security', 'a..b', 'x'.repeat(254), ' ']) assert.deepEqual(fields(globalPolicy('p', { tier })), ['spec.tier'], tier);
  for (const port of ['Http', 'a_port', '1-2', 'longer-than-fifteen', 'a--b']) assert.deepEqual(fields(globalPolicy('p', { ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [port] } }] })), ['spec.ingress[0].destination.ports[0]'], port);
});
