// Random rules of Calico's policies: every condition, alone and with others, and (apart) what the API refuses.

import * as fc from 'fast-check';
import { block } from './ipv4.ts';
import { accountSelector, brokenSelectors, entityNamespaceSelector, selector } from './calico-selectors.ts';
import { accountNames, namespaceNames, outsideAddresses, podAddress, portNumbers, sometimes } from './vocabulary.ts';

export type Json = Readonly<Record<string, unknown>>;
type Direction = 'ingress' | 'egress';

export const serviceNames = ['api', 'shop'] as const;

const ipv4 = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.nat(1), fc.nat(11)).map(([node, index]) => podAddress(node, index)) },
  { weight: 3, arbitrary: fc.constantFrom(...outsideAddresses) },
);
export const ipv4Net = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(ipv4, fc.constantFrom(0, 8, 16, 24, 28, 29, 30, 31, 32, 32)).map(([address, prefix]) => block(address, prefix)) },
  { weight: 1, arbitrary: ipv4.map((address) => `${address}/24`) },
  { weight: 1, arbitrary: ipv4 },
);
export const ipv6Net = fc.constantFrom('fd00:65::/32', 'fd00:65:0:0::/64', 'fd00:65:0:1::/64', 'fd00:65::2/127', 'fd00:65:0:1::3/128', '2001:db8::/32', '::/0', 'fd00:65::1');
const nets = fc.oneof(
  { weight: 8, arbitrary: fc.array(ipv4Net, { minLength: 1, maxLength: 3 }) },
  { weight: 2, arbitrary: fc.array(ipv6Net, { minLength: 1, maxLength: 2 }) },
  { weight: 2, arbitrary: fc.tuple(ipv4Net, ipv6Net).map((both) => [...both]) },
  { weight: 1, arbitrary: fc.constant([]) },
);
const narrow = fc.array(fc.oneof({ weight: 4, arbitrary: ipv4.map((address) => `${address}/32`) }, { weight: 1, arbitrary: ipv6Net }), { minLength: 1, maxLength: 2 });

const port = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>(...portNumbers) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...portNumbers), fc.constantFrom(0, 1, 10, 1000)).map(([first, more]) => `${first}:${Math.min(first + more, 65535)}`) },
  { weight: 1, arbitrary: fc.constantFrom('0:80', '0:65535', '443') },
  { weight: 9, arbitrary: fc.constantFrom('http', 'http', 'dns', 'dns', 'sig', 'setup', 'metrics', 'metrics', 'nowhere') },
);
/** More than a rule of the kernel can have, and than newer versions of the API take. */
const many = fc.constantFrom(16, 20, 60).chain((length) => fc.uniqueArray(fc.integer({ min: 100, max: 4000 }), { minLength: length, maxLength: length })).map((list) => [...list, ...portNumbers]);
const ports = fc.oneof({ weight: 12, arbitrary: fc.array(port, { minLength: 1, maxLength: 3 }) }, { weight: 2, arbitrary: many });

const serviceAccounts = fc.record(
  { names: fc.uniqueArray(fc.constantFrom(...accountNames, 'nobody', 'No:Body'), { minLength: 1, maxLength: 2 }), selector: accountSelector },
  { requiredKeys: [] },
).filter((match) => 'names' in match || 'selector' in match);

/** Who is meant; empty quite often. */
const labelled: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ selector }) },
  // What network sets are labelled with more often than anything else.
  { weight: 2, arbitrary: fc.constantFrom<Json>({ selector: 'role == "outside"' }, { notSelector: 'role == "outside"' }, { selector: 'role == "outside"', namespaceSelector: 'global()' }) },
  { weight: 3, arbitrary: fc.record({ selector, namespaceSelector: entityNamespaceSelector }) },
  { weight: 3, arbitrary: fc.record({ namespaceSelector: entityNamespaceSelector }) },
  { weight: 3, arbitrary: fc.record({ notSelector: selector }) },
  { weight: 2, arbitrary: fc.record({ selector, notSelector: selector }) },
  { weight: 1, arbitrary: fc.record({ namespaceSelector: entityNamespaceSelector, notSelector: selector }) },
  { weight: 2, arbitrary: fc.record({ serviceAccounts }) },
  { weight: 1, arbitrary: fc.record({ serviceAccounts, selector, namespaceSelector: entityNamespaceSelector }) },
);
const peer: fc.Arbitrary<Json> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 8, arbitrary: labelled },
  { weight: 4, arbitrary: fc.record({ nets }) },
  { weight: 2, arbitrary: fc.record({ notNets: narrow }) },
  { weight: 1, arbitrary: fc.record({ nets, notNets: narrow }) },
  { weight: 2, arbitrary: fc.tuple(fc.record({ nets }), labelled).map(([a, b]) => ({ ...a, ...b })) },
);
const self: fc.Arbitrary<Json> = fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.oneof(labelled, fc.record({ nets }), fc.record({ notNets: narrow })) });

const services = fc.tuple(fc.constantFrom(...serviceNames), sometimes(35, fc.constantFrom(...namespaceNames.slice(0, 2))));

const icmp = fc.constantFrom({ type: 8 }, { type: 8, code: 0 }, { type: 3 }, { type: 3, code: 1 }, { type: 0 });
const protocols: fc.Arbitrary<Json> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom<Json>({ ipVersion: 4 }, { ipVersion: 6 }, { ipVersion: 4, notProtocol: 58 }) },
  { weight: 3, arbitrary: fc.constantFrom<Json>({ protocol: 'TCP' }, { protocol: 'UDP' }, { protocol: 6 }, { protocol: 'SCTP' }, { protocol: 'UDPLite' }, { protocol: 47 }) },
  { weight: 2, arbitrary: fc.constantFrom<Json>({ notProtocol: 'TCP' }, { notProtocol: 17 }, { notProtocol: 'ICMP' }) },
  { weight: 1, arbitrary: fc.constantFrom<Json>({ protocol: 'ICMP' }, { protocol: 'ICMPv6' }, { protocol: 1 }) },
  { weight: 2, arbitrary: fc.record<Json>({ protocol: fc.constantFrom('ICMP', 'ICMP', 'ICMPv6'), icmp }) },
  { weight: 5, arbitrary: fc.record<Json>({ protocol: fc.constantFrom('ICMP', 'ICMP', 'ICMPv6'), notICMP: icmp }) },
);
const transport = fc.constantFrom<Json>({ protocol: 'TCP' }, { protocol: 'TCP' }, { protocol: 'UDP' }, { protocol: 17 }, { protocol: 'SCTP' });

const action = fc.oneof(
  { weight: 11, arbitrary: fc.constant('Allow') },
  { weight: 5, arbitrary: fc.constant('Deny') },
  { weight: 4, arbitrary: fc.constant('Pass') },
  { weight: 1, arbitrary: fc.constant('Log') },
);

/** Enforced elsewhere, or by nobody: then the rule allows nothing. */
const http = fc.constantFrom<Json>({ methods: ['GET'] }, { methods: ['GET', 'PUT'], paths: [{ prefix: '/a' }] }, { paths: [{ exact: '/b' }] });

/** `namespace`: "" for a global policy, whose rules must say in which namespace a Service is. */
export function calicoRule(direction: Direction, isGlobal: boolean): fc.Arbitrary<Json> {
  const [near, far] = direction === 'ingress' ? (['destination', 'source'] as const) : (['source', 'destination'] as const);
  const plain = fc.tuple(protocols, peer, self).map(([match, there, here]) => ({ ...match, [far]: there, [near]: here }));
  const withPorts = fc
    .tuple(transport, peer, self, ports, fc.constantFrom('ports', 'ports', 'notPorts'), sometimes(35, fc.constantFrom({ ports: ['32768:33000'] }, { notPorts: ['0:32999'] })))
    .map(([match, there, here, list, field, sourcePorts]) => {
      const rule: Record<string, Json> = { [far]: there, [near]: here };
      rule['destination'] = { ...rule['destination'], [field]: list };
      if (sourcePorts !== null) rule['source'] = { ...rule['source'], ...sourcePorts };
      return { ...match, ...rule };
    });
  const ofService = fc.tuple(services, self).map(([[name, namespace], here]) => ({
    [far]: { services: { name, ...(namespace === null && !isGlobal ? {} : { namespace: namespace ?? namespaceNames[0] }) } },
    [near]: here,
  }));
  const namedOfSome = fc
    .tuple(transport, labelled, fc.constantFrom('http', 'dns', 'sig', 'metrics'), fc.constantFrom('ports', 'ports', 'notPorts'))
    .map(([match, who, name, field]) => ({ ...match, destination: { ...who, [field]: [name] } }));
  const match: fc.Arbitrary<Json> = fc.oneof({ weight: 10, arbitrary: plain }, { weight: 7, arbitrary: withPorts }, { weight: 6, arbitrary: ofService }, { weight: 2, arbitrary: namedOfSome });
  return fc.tuple(action, match, sometimes(12, http)).map(([verb, conditions, requests]) => {
    const takesHttp = direction === 'ingress' && verb === 'Allow' && ['TCP', 6, undefined].includes((conditions as { readonly protocol?: string | number }).protocol);
    return { action: verb, ...conditions, ...(takesHttp && requests !== null ? { http: requests } : {}) };
  });
}

/** Newer versions of the API have a limit. */
export const longSelector = `${'app == "web" || '.repeat(70)}has(app)`;

/** What makes any rule a bad one. */
export const brokenParts: readonly Json[] = [
  { source: { nets: ['10.65.0.0/33'] } },
  { source: { nets: ['10.65.0.0/24', '10.065.0.1'] } },
  { destination: { notNets: ['everybody'] } },
  ...brokenSelectors.map((text) => ({ source: { selector: text } })),
  { destination: { notSelector: 'app ==' } },
  { source: { namespaceSelector: 'env = "prod"' } },
  { source: { serviceAccounts: { selector: 'team' } } },
  { protocol: 'TCP', destination: { ports: [65536] } },
  { protocol: 'TCP', destination: { ports: ['90:80'] } },
  { protocol: 'TCP', destination: { notPorts: ['a port'] } },
  { protocol: 'ICMP', destination: { ports: [80] } },
  { protocol: 'NONE' },
  { protocol: 0 },
  { notProtocol: 256 },
  { ipVersion: 5 },
  { protocol: 'TCP', icmp: { type: 8 } },
  { protocol: 'ICMP', icmp: { type: 255 } },
  { protocol: 'ICMP', icmp: { code: 0 } },
  { protocol: 'ICMP', ipVersion: 6 },
  { source: { services: { name: 'api', namespace: 'alpha' }, selector: 'all()' } },
  { source: { services: { namespace: 'alpha' } } },
  { http: { methods: ['GET'] } },
  { http: { paths: [{ suffix: '/a' }] } },
  { http: 'GET' },
  { protocol: 'TCP', destination: { ports: ['Http'] } },
  { protocol: 'TCP', destination: { notPorts: ['http', 'a_port'] } },
  { source: { serviceAccounts: { names: ["it's"] } } },
  { protocol: 1, notICMP: { type: 8 }, ipVersion: 6 },
  { metadata: { annotations: { 'no key!': 'x' } } },
  { src: {} },
  { source: { net: ['0.0.0.0/0'] } },
];
