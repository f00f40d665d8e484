// What becomes of rules: which sets they need and in which way, what is merged, implied and negated; named ports and services.

import { parseSelector } from '../../../src/model/selector/parse.ts';
import { end, host, networkSet, pod, policy, profile, rule, slice } from '../objects.ts';
import type { NamedState } from './state.ts';

const web = pod('web', { local: true, labels: { app: 'web' }, address: '10.0.0.9' });
const http = { name: 'http' };
const tcp80 = { name: 'http', protocol: 6, port: 8080 };
const udp80 = { name: 'http', protocol: 17, port: 8081 };
const kindPod = parseSelector("kind == 'pod'");
const port80 = { first: 80, last: 80 };

export const ruleStates: readonly NamedState[] = [
  {
    name: 'a policy without rules isolates',
    objects: [web, policy('p', 'all()', [])],
    expected: { policies: ['knp/ns/p'], rules: { 'knp/ns/p': [] }, ingress: { 'ns/web': ['default (deny): knp/ns/p'] }, egress: { 'ns/web': [] } },
  },
  {
    name: 'types hold as they are given, never as the rules suggest',
    objects: [web, policy('p', 'all()', [rule('allow', { from: 'has(x)' })], { types: { ingress: false, egress: true } })],
    expected: { sets: {}, rules: { 'knp/ns/p': [] }, ingress: { 'ns/web': [] }, egress: { 'ns/web': ['default (deny): knp/ns/p'] } },
  },
  {
    name: 'both types',
    objects: [web, policy('p', 'all()', [], { types: { ingress: true, egress: true } })],
    expected: { ingress: { 'ns/web': ['default (deny): knp/ns/p'] }, egress: { 'ns/web': ['default (deny): knp/ns/p'] } },
  },
  {
    name: 'no types',
    objects: [web, policy('p', 'all()', [rule('allow', { from: 'has(x)' })], { types: { ingress: false, egress: false } })],
    expected: { policies: [], sets: {}, ingress: { 'ns/web': [] } },
  },
  {
    name: 'one selector in every action and both signs is three sets',
    objects: [
      web,
      pod('x', { labels: { x: '' }, address: '10.0.0.2' }),
      policy('p', 'all()', (['allow', 'deny', 'pass', 'log'] as const).flatMap((action) => [rule(action, { from: 'has(x)' }), rule(action, { notFrom: 'has(x)' })])),
    ],
    expected: {
      sets: { 'allow, has(x)': ['10.0.0.2'], 'deny, has(x)': ['10.0.0.2'], 'pass, has(x)': ['10.0.0.2'] },
      rules: {
        'knp/ns/p': [
          'allow from set:<allow, has(x)>',
          'allow from not-set:<deny, has(x)>',
          'deny from set:<deny, has(x)>',
          'deny from not-set:<allow, has(x)>',
          'pass from set:<pass, has(x)>',
          'pass from not-set:<pass, has(x)>',
          'log from set:<allow, has(x)>',
          'log from not-set:<allow, has(x)>',
        ],
      },
    },
  },
  {
    name: 'selector and notSelector speak of one labelled thing, not of an address that several cover',
    objects: [
      web,
      policy('p', 'all()', [rule('allow', { from: 'has(x)', notFrom: 'has(y)' })]),
      pod('xy', { labels: { x: '', y: '' }, address: '10.0.0.2' }),
      // Covers the pod's address, but is another thing.
      networkSet('n', { x: '' }, ['10.0.0.0/24', '10.0.0.2/32']),
    ],
    expected: { sets: { 'allow, (has(x) && !has(y))': ['10.0.0.0/24', '10.0.0.2'] }, rules: { 'knp/ns/p': ['allow from set:<allow, (has(x) && !has(y))>'] } },
  },
  {
    name: 'a notSelector alone stays a negated match, which unlabelled addresses pass',
    objects: [web, policy('p', 'all()', [rule('allow', { notFrom: 'has(y)' })]), pod('xy', { labels: { y: '' }, address: '10.0.0.2' })],
    expected: { sets: { 'deny, has(y)': ['10.0.0.2'] }, rules: { 'knp/ns/p': ['allow from not-set:<deny, has(y)>'] } },
  },
  {
    name: 'a named port comes from pods that the selector matches themselves',
    objects: [
      web,
      policy('p', 'all()', [rule('allow', {}, { protocol: 6, destination: end({ from: 'has(x)', ports: [http] }) })]),
      pod('x', { labels: { x: '' }, address: '10.0.0.2', ports: [tcp80, udp80] }),
      pod('y', { address: '10.0.0.3', ports: [tcp80] }),
      networkSet('n', { x: '' }, ['10.0.0.0/24', '10.0.0.3/32']),
    ],
    expected: {
      sets: { 'allow, port "http" (tcp) of has(x)': ['10.0.0.2,tcp:8080'] },
      rules: { 'knp/ns/p': ['allow 6 to port-set:<allow, port "http" (tcp) of has(x)>'] },
    },
  },
  {
    name: 'a named port without a protocol is the port of every protocol',
    objects: [web, policy('p', 'all()', [rule('allow', {}, { destination: end({ ports: [http] }) })]), pod('x', { address: '10.0.0.2', ports: [tcp80, udp80] })],
    expected: { sets: { 'allow, port "http" (any) of all()': ['10.0.0.2,tcp:8080', '10.0.0.2,udp:8081'] } },
  },
  {
    name: 'a named port on a pod with two addresses, which another pod shares',
    objects: [
      web,
      policy('p', 'all()', [rule('allow', {}, { protocol: 6, destination: end({ ports: [http] }) })]),
      pod('x', { addresses: ['10.0.0.2', 'fd00::2'], ports: [tcp80] }),
      pod('y', { address: '10.0.0.2', ports: [tcp80] }),
      pod('z', { address: '10.0.0.2' }),
    ],
    expected: { sets: { 'allow, port "http" (tcp) of all()': ['10.0.0.2,tcp:8080', 'fd00::2,tcp:8080'] } },
  },
  {
    name: 'beside a number a named port does not imply its selector',
    objects: [web, policy('p', 'all()', [rule('allow', {}, { protocol: 6, destination: end({ from: 'has(x)', ports: [http, port80] }) })])],
    expected: {
      sets: { 'allow, has(x)': [], 'allow, port "http" (tcp) of has(x)': [] },
      rules: { 'knp/ns/p': ['allow 6 to set:<allow, has(x)> port:80-80 port-set:<allow, port "http" (tcp) of has(x)>'] },
    },
  },
  {
    name: 'a name that a pod has for very many ports',
    objects: [
      web,
      pod('many', { address: '10.0.0.2', ports: Array.from({ length: 3000 }, (_, i) => ({ name: 'http', protocol: i % 2 === 0 ? 6 : 17, port: 1 + (i % 2500) })) }),
      pod('shared', { address: '10.0.0.2', ports: [tcp80] }),
      policy('p', "app == 'web'", [rule('allow', {}, { protocol: 6, destination: end({ ports: [http] }) })]),
    ],
    expected: { sets: { 'allow, port "http" (tcp) of all()': [...Array.from({ length: 1250 }, (_, i) => `10.0.0.2,tcp:${1 + 2 * i}`), '10.0.0.2,tcp:8080'].sort() } },
  },
  {
    name: 'whose port names count restricts the names alone',
    objects: [
      web,
      host('h', {}, { expectedAddresses: ['10.0.0.3'], ports: [{ name: 'http', protocol: 6, port: 81 }] }),
      pod('c', { labels: { kind: 'pod' }, address: '10.0.0.2', ports: [{ name: 'http', protocol: 6, port: 80 }] }),
      policy('p', "app == 'web'", [rule('allow', {}, { protocol: 6, destination: end({ ports: [http, { first: 443, last: 443 }], portNamesOf: kindPod }) })]),
    ],
    expected: {
      sets: { 'allow, port "http" (tcp) of kind == "pod"': ['10.0.0.2,tcp:80'] },
      rules: { 'knp/ns/p': ['allow 6 to port:443-443 port-set:<allow, port "http" (tcp) of kind == "pod">'] },
    },
  },
  {
    name: 'a selector beside those whose port names count stays a condition',
    objects: [
      web,
      pod('c', { labels: { kind: 'pod' }, address: '10.0.0.2', ports: [{ name: 'http', protocol: 6, port: 80 }] }),
      policy('p', "app == 'web'", [rule('allow', {}, { protocol: 6, destination: end({ from: 'has(x)', ports: [http], portNamesOf: kindPod }) })]),
    ],
    expected: { rules: { 'knp/ns/p': ['allow 6 to set:<allow, has(x)> port-set:<allow, port "http" (tcp) of kind == "pod">'] } },
  },
  {
    name: 'a named port that is excluded is looked for among what the positive selector matches, and acts the other way round',
    objects: [
      web,
      policy('p', 'all()', [rule('allow', {}, { protocol: 6, destination: end({ from: 'has(x)', notPorts: [http] }) }), rule('deny', {}, { protocol: 6, destination: end({ notPorts: [http] }) })]),
      pod('x', { labels: { x: '' }, address: '10.0.0.2', ports: [tcp80] }),
    ],
    expected: {
      sets: { 'allow, has(x)': ['10.0.0.2'], 'deny, port "http" (tcp) of has(x)': ['10.0.0.2,tcp:8080'], 'allow, port "http" (tcp) of all()': ['10.0.0.2,tcp:8080'] },
      rules: {
        'knp/ns/p': [
          'allow 6 to set:<allow, has(x)> not-port-set:<deny, port "http" (tcp) of has(x)>',
          'deny 6 to not-port-set:<allow, port "http" (tcp) of all()>',
        ],
      },
    },
  },
  {
    name: 'a port range that begins at 0 is a range',
    objects: [web, policy('p', 'all()', [rule('allow', {}, { protocol: 6, destination: end({ ports: [{ first: 0, last: 65_535 }] }) })])],
    expected: { rules: { 'knp/ns/p': ['allow 6 to port:0-65535'] }, ingress: { 'ns/web': ['default (deny): knp/ns/p'] } },
  },
  {
    name: 'networks and their exceptions are passed on as they are, both families',
    objects: [web, policy('p', 'all()', [rule('allow', { nets: ['10.0.0.0/8', 'fd00::/8'], notNets: ['10.1.0.0/16'] })])],
    expected: { sets: {}, rules: { 'knp/ns/p': ['allow from net:10.0.0.0/8 net:fd00::/8 not-net:10.1.0.0/16'] } },
  },
  {
    name: 'two policies need one set',
    objects: [web, policy('p', 'all()', [rule('allow', { from: 'has(x)' })]), policy('q', 'all()', [rule('allow', { from: 'has(x)' })]), pod('x', { labels: { x: '' }, address: '10.0.0.2' })],
    expected: { sets: { 'allow, has(x)': ['10.0.0.2'] } },
  },
  {
    name: 'one of them is left',
    objects: [web, policy('q', 'all()', [rule('allow', { from: 'has(x)' })]), pod('x', { labels: { x: '' }, address: '10.0.0.2' })],
    expected: { sets: { 'allow, has(x)': ['10.0.0.2'] } },
  },
  {
    name: 'a policy that selects nothing here needs nothing',
    objects: [web, policy('q', "app == 'db'", [rule('allow', { from: 'has(x)' })]), pod('db', { labels: { app: 'db' } })],
    expected: { policies: [], sets: {}, ingress: { 'ns/web': [] } },
  },
  {
    name: 'unless it asks to be there everywhere',
    objects: [web, policy('q', "app == 'db'", [rule('allow', { from: "app == 'db'" })], { isNeededEverywhere: true }), pod('db', { labels: { app: 'db' } })],
    expected: { policies: ['knp/ns/q'], sets: { 'allow, app == "db"': ['10.0.0.1'] }, ingress: { 'ns/web': [] } },
  },
  {
    name: 'a profile that an endpoint names and nobody knows has one rule, which denies',
    objects: [pod('web', { local: true, profiles: ['kns.ns'], address: '10.0.0.9' })],
    expected: { profiles: { 'kns.ns': 1 } },
  },
  {
    name: 'the profile is there; one that nobody names is not',
    objects: [pod('web', { local: true, profiles: ['kns.ns'], address: '10.0.0.9' }), profile('kns.ns', {}, [rule('allow')]), profile('kns.other', {}, [rule('allow')])],
    expected: { profiles: { 'kns.ns': 1 } },
  },
  {
    name: 'rules of a profile need sets too',
    objects: [pod('web', { local: true, profiles: ['p'], labels: { x: '' }, address: '10.0.0.9' }), profile('p', {}, [rule('allow', { from: 'has(x)' })])],
    expected: { sets: { 'allow, has(x)': ['10.0.0.9'] } },
  },
];

const tcp = { protocol: 6, port: 80 };
const dns = [{ protocol: 17, port: 53 }, { protocol: 6, port: 53 }];
const toService = policy('p', 'all()', [rule('allow', {}, { destination: end({ service: 'ns/dns' }) })]);
const fromService = policy('p', 'all()', [rule('allow', { service: 'ns/dns' })]);
const endpoints = 'allow, endpoints of service ns/dns';
const addresses = 'allow, addresses of service ns/dns';
const unclear = 'deny, every address while endpoints of service ns/dns cannot be read';

export const serviceStates: readonly NamedState[] = [
  {
    name: 'a service that nobody knows has no endpoints',
    objects: [web, toService],
    expected: { sets: { [endpoints]: [] }, rules: { 'knp/ns/p': [`allow to service:<${endpoints}>`] } },
  },
  {
    name: 'to a service: its addresses with each of its ports',
    objects: [web, toService, slice('a', 'ns/dns', ['10.0.0.2', 'fd00::2'], dns)],
    expected: { sets: { [endpoints]: ['10.0.0.2,tcp:53', '10.0.0.2,udp:53', 'fd00::2,tcp:53', 'fd00::2,udp:53'] } },
  },
  {
    name: 'from a service: its addresses, whatever the port',
    objects: [web, fromService, slice('a', 'ns/dns', ['10.0.0.2', 'fd00::2'], dns)],
    expected: { sets: { [addresses]: ['10.0.0.2', 'fd00::2'] }, rules: { 'knp/ns/p': [`allow from set:<${addresses}>`] } },
  },
  {
    name: 'a slice without ports gives addresses and no ports',
    objects: [web, policy('p', 'all()', [rule('allow', { service: 'ns/dns' }, { destination: end({ service: 'ns/dns' }) })]), slice('a', 'ns/dns', ['10.0.0.2'], [])],
    expected: { sets: { [addresses]: ['10.0.0.2'], [endpoints]: [] } },
  },
  {
    name: 'slices with one endpoint in common',
    objects: [web, toService, slice('a', 'ns/dns', ['10.0.0.2', '10.0.0.3'], [tcp]), slice('b', 'ns/dns', ['10.0.0.3', '10.0.0.4'], [tcp])],
    expected: { sets: { [endpoints]: ['10.0.0.2,tcp:80', '10.0.0.3,tcp:80', '10.0.0.4,tcp:80'] } },
  },
  {
    name: 'one of the slices is gone',
    objects: [web, toService, slice('b', 'ns/dns', ['10.0.0.3', '10.0.0.4'], [tcp])],
    expected: { sets: { [endpoints]: ['10.0.0.3,tcp:80', '10.0.0.4,tcp:80'] } },
  },
  {
    name: 'a slice that belongs to another service now',
    objects: [web, toService, slice('b', 'ns/web', ['10.0.0.3'], [tcp]), slice('c', 'other/dns', ['10.0.0.5'], [tcp])],
    expected: { sets: { [endpoints]: [] } },
  },
  {
    name: 'a service is one set for each way in which it acts',
    objects: [
      web,
      policy('p', 'all()', (['allow', 'deny', 'pass', 'log'] as const).map((action) => rule(action, {}, { destination: end({ service: 'ns/dns' }) }))),
      slice('a', 'ns/dns', ['10.0.0.2'], [tcp]),
    ],
    expected: {
      sets: {
        'allow, endpoints of service ns/dns': ['10.0.0.2,tcp:80'],
        'deny, endpoints of service ns/dns': ['10.0.0.2,tcp:80'],
        'pass, endpoints of service ns/dns': ['10.0.0.2,tcp:80'],
        [unclear]: [],
      },
    },
  },
  {
    name: 'endpoints that cannot be read are nobody to rules that allow and pass, and everybody to those that deny',
    objects: [
      web,
      policy('p', 'all()', (['allow', 'deny', 'pass'] as const).map((action) => rule(action, {}, { destination: end({ service: 'ns/dns' }) }))),
      slice('a', 'ns/dns', ['10.0.0.2'], [{ protocol: 6, port: 80 }]),
      slice('b', 'ns/dns', 'broken'),
    ],
    expected: {
      sets: {
        'allow, endpoints of service ns/dns': ['10.0.0.2,tcp:80'],
        'deny, endpoints of service ns/dns': ['10.0.0.2,tcp:80'],
        'pass, endpoints of service ns/dns': ['10.0.0.2,tcp:80'],
        [unclear]: ['0.0.0.0/1', '128.0.0.0/1', '8000::/1', '::/1'],
      },
      rules: {
        'knp/ns/p': [
          'allow to service:<allow, endpoints of service ns/dns>',
          'deny to service:<deny, endpoints of service ns/dns>',
          `deny to set:<${unclear}>`,
          'pass to service:<pass, endpoints of service ns/dns>',
        ],
      },
    },
  },
  {
    name: 'as a source, too',
    objects: [web, policy('p', 'all()', (['allow', 'deny', 'pass'] as const).map((action) => rule(action, { service: 'ns/dns' }))), slice('a', 'ns/dns', ['10.0.0.2']), slice('b', 'ns/dns', 'broken'), slice('c', 'ns/other', 'broken')],
    expected: {
      sets: {
        [addresses]: ['10.0.0.2'],
        'deny, addresses of service ns/dns': ['0.0.0.0/1', '10.0.0.2', '128.0.0.0/1', '8000::/1', '::/1'],
        'pass, addresses of service ns/dns': ['10.0.0.2'],
      },
    },
  },
  {
    name: 'of two slices that cannot be read one is mended',
    objects: [web, policy('p', 'all()', [rule('deny', {}, { destination: end({ service: 'ns/dns' }) })]), slice('a', 'ns/dns', ['10.0.0.2'], [{ protocol: 6, port: 80 }]), slice('b', 'ns/dns', ['10.0.0.3']), slice('c', 'ns/dns', 'broken')],
    expected: { sets: { 'deny, endpoints of service ns/dns': ['10.0.0.2,tcp:80'], [unclear]: ['0.0.0.0/1', '128.0.0.0/1', '8000::/1', '::/1'] } },
  },
];
