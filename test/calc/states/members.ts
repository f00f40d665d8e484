// Who is a member of a set: endpoints, host endpoints and network sets, by their labels and by those of their namespaces.

import { host, networkSet, pod, policy, profile, rule } from '../objects.ts';
import type { NamedState } from './state.ts';

const web = pod('web', { local: true, labels: { app: 'web' }, address: '10.0.0.9' });
const client = { role: 'client' };
const fromClients = policy('p', "app == 'web'", [rule('allow', { from: "role == 'client'" })]);
const denyClients = policy('p', "app == 'web'", [rule('deny', { from: "role == 'client'" })]);
const clients = 'allow, role == "client"';

export const memberStates: readonly NamedState[] = [
  { name: 'nothing at all', objects: [], expected: { sets: {}, policies: [], profiles: {}, ingress: {}, egress: {}, hosts: {}, rules: {} } },
  { name: 'a local pod that nothing selects', objects: [web], expected: { sets: {}, ingress: { 'ns/web': [] }, egress: { 'ns/web': [] } } },
  {
    name: 'a selector that nothing matches is an empty set, not an absent match',
    objects: [web, fromClients],
    expected: { sets: { [clients]: [] }, rules: { 'knp/ns/p': [`allow from set:<${clients}>`] } },
  },
  { name: 'a remote pod by its label', objects: [web, fromClients, pod('c', { labels: client, address: '10.0.0.2' })], expected: { sets: { [clients]: ['10.0.0.2'] } } },
  { name: 'a pod whose label says something else', objects: [web, fromClients, pod('c', { labels: { role: 'server' }, address: '10.0.0.2' })], expected: { sets: { [clients]: [] } } },
  {
    name: 'a pod with an address of each family',
    objects: [web, fromClients, pod('c', { labels: client, addresses: ['10.0.0.2', 'fd00::2'] })],
    expected: { sets: { [clients]: ['10.0.0.2', 'fd00::2'] } },
  },
  {
    name: 'two pods with one address, one of which matches',
    objects: [web, fromClients, pod('a', { labels: client, address: '10.0.0.2' }), pod('b', { address: '10.0.0.2' })],
    expected: { sets: { [clients]: ['10.0.0.2'] } },
  },
  {
    name: 'two pods with one address, both of which match',
    objects: [web, fromClients, pod('a', { labels: client, address: '10.0.0.2' }), pod('b', { labels: client, address: '10.0.0.2' })],
    expected: { sets: { [clients]: ['10.0.0.2'] } },
  },
  {
    name: 'a pod that lists its address twice',
    objects: [web, fromClients, pod('a', { labels: client, addresses: ['10.0.0.2', '10.0.0.2'] })],
    expected: { sets: { [clients]: ['10.0.0.2'] } },
  },
  {
    name: 'a pod of this node without an interface is a member and is not local',
    objects: [web, fromClients, pod('bare', { local: true, bare: true, labels: client, address: '10.0.0.2' })],
    expected: { sets: { [clients]: ['10.0.0.2'] }, ingress: { 'ns/web': ['default (deny): knp/ns/p'] } },
  },
  {
    name: 'a label of the namespace counts for its pods',
    objects: [web, policy('p', 'all()', [rule('allow', { from: "pcns.team == 'a'" })]), profile('kns.n', { 'pcns.team': 'a' }), pod('c', { profiles: ['kns.n'], address: '10.0.0.2' })],
    expected: { sets: { 'allow, pcns.team == "a"': ['10.0.0.2'] } },
  },
  {
    name: 'own labels shadow those of the namespace, and an earlier profile a later one',
    objects: [
      web,
      policy('p', 'all()', [rule('allow', { from: "team == 'a'" })]),
      profile('kns.n', { team: 'a' }),
      profile('ksa.n', { team: 'b' }),
      pod('own', { labels: { team: 'b' }, profiles: ['kns.n'], address: '10.0.0.2' }),
      pod('first', { profiles: ['kns.n', 'ksa.n'], address: '10.0.0.3' }),
      pod('second', { profiles: ['ksa.n', 'kns.n'], address: '10.0.0.4' }),
    ],
    expected: { sets: { 'allow, team == "a"': ['10.0.0.3'] } },
  },
  {
    name: 'a namespace that is not known gives no label',
    objects: [web, policy('p', 'all()', [rule('allow', { from: 'has(team)' }), rule('deny', { from: '!has(team)' })]), pod('c', { profiles: ['kns.gone'], address: '10.0.0.2' })],
    expected: { sets: { 'allow, has(team)': [], 'deny, !has(team)': ['10.0.0.2', '10.0.0.9'] } },
  },
  {
    name: 'a label that is absent satisfies != and not in',
    objects: [web, policy('p', 'all()', [rule('allow', { from: "role != 'client'" }), rule('allow', { from: "role not in {'client'}" })]), pod('c', { labels: client, address: '10.0.0.2' })],
    expected: { sets: { 'allow, role != "client"': ['10.0.0.9'], 'allow, role not in {"client"}': ['10.0.0.9'] } },
  },
  {
    name: 'a label that is present and empty is present',
    objects: [web, policy('p', 'all()', [rule('allow', { from: 'has(flag)' }), rule('allow', { from: "flag == ''" })]), pod('c', { labels: { flag: '' }, address: '10.0.0.2' })],
    expected: { sets: { 'allow, has(flag)': ['10.0.0.2'], 'allow, flag == ""': ['10.0.0.2'] } },
  },
  {
    name: 'a global network set by its labels',
    objects: [web, fromClients, networkSet('n', client, ['192.0.2.0/24', '198.51.100.7/32', '2001:db8::/32', '2001:db8::7/128'])],
    expected: { sets: { [clients]: ['192.0.2.0/24', '198.51.100.7', '2001:db8::/32', '2001:db8::7'] } },
  },
  {
    name: 'a network set of a namespace inherits its labels',
    objects: [web, policy('p', 'all()', [rule('allow', { from: "team == 'a'" })]), profile('kns.n', { team: 'a' }), networkSet('s', {}, ['192.0.2.0/24'], 'n')],
    expected: { sets: { 'allow, team == "a"': ['192.0.2.0/24'] } },
  },
  {
    name: 'a network set whose own label shadows that of its namespace',
    objects: [web, policy('p', 'all()', [rule('allow', { from: "team == 'a'" })]), profile('kns.n', { team: 'a' }), networkSet('s', { team: 'b' }, ['192.0.2.0/24'], 'n')],
    expected: { sets: { 'allow, team == "a"': [] } },
  },
  {
    name: 'every address, which a set of the kernel cannot hold, is its two halves',
    objects: [web, fromClients, networkSet('n', client, ['0.0.0.0/0', '::/0'])],
    expected: { sets: { [clients]: ['0.0.0.0/1', '128.0.0.0/1', '8000::/1', '::/1'] } },
  },
  {
    name: 'every address, and one of its halves by name',
    objects: [web, fromClients, networkSet('n', client, ['0.0.0.0/0']), networkSet('m', client, ['128.0.0.0/1'])],
    expected: { sets: { [clients]: ['0.0.0.0/1', '128.0.0.0/1'] } },
  },
  {
    name: 'networks that overlap are all members',
    objects: [web, fromClients, networkSet('n', client, ['10.0.0.0/8', '10.1.0.0/16']), networkSet('m', client, ['10.0.0.0/8']), pod('c', { labels: client, address: '10.1.0.1' })],
    expected: { sets: { [clients]: ['10.0.0.0/8', '10.1.0.0/16', '10.1.0.1'] } },
  },
  {
    name: 'a network set and a pod with one address are one member',
    objects: [web, fromClients, networkSet('n', client, ['10.0.0.2/32']), pod('c', { labels: client, address: '10.0.0.2' })],
    expected: { sets: { [clients]: ['10.0.0.2'] } },
  },
  {
    name: 'the network set without the pod',
    objects: [web, fromClients, networkSet('n', client, ['10.0.0.2/32'])],
    expected: { sets: { [clients]: ['10.0.0.2'] } },
  },
  {
    name: 'a network set without networks',
    objects: [web, fromClients, networkSet('n', client, [])],
    expected: { sets: { [clients]: [] } },
  },
  {
    name: 'a broken network set opens nothing',
    objects: [web, fromClients, networkSet('n', client, 'broken'), networkSet('m', client, ['192.0.2.0/24'])],
    expected: { sets: { [clients]: ['192.0.2.0/24'] } },
  },
  {
    name: 'a broken network set closes everything',
    objects: [web, denyClients, networkSet('n', client, 'broken'), networkSet('m', client, ['192.0.2.0/24'])],
    expected: { sets: { 'deny, role == "client"': ['0.0.0.0/1', '128.0.0.0/1', '192.0.2.0/24', '8000::/1', '::/1'] } },
  },
  {
    name: 'a broken network set in an exception of an Allow closes, in one of a Deny it does not',
    objects: [web, policy('p', 'all()', [rule('allow', { notFrom: 'has(role)' }), rule('deny', { notFrom: 'has(role)' }), rule('pass', { from: 'has(role)' })]), networkSet('n', client, 'broken')],
    expected: { sets: { 'deny, has(role)': ['0.0.0.0/1', '128.0.0.0/1', '8000::/1', '::/1'], 'allow, has(role)': [], 'pass, has(role)': [] } },
  },
  {
    name: 'the network set is mended',
    objects: [web, denyClients, networkSet('n', client, ['198.51.100.0/24']), networkSet('m', client, ['192.0.2.0/24'])],
    expected: { sets: { 'deny, role == "client"': ['192.0.2.0/24', '198.51.100.0/24'] } },
  },
  {
    name: 'a host endpoint by its expected addresses, on any node',
    objects: [web, fromClients, host('here', client, { expectedAddresses: ['10.9.0.1'] }), host('there', client, { node: 'node-1', expectedAddresses: ['10.9.0.2', 'fd00::2'] })],
    expected: { sets: { [clients]: ['10.9.0.1', '10.9.0.2', 'fd00::2'] }, hosts: { here: {} } },
  },
  {
    name: 'a broken host endpoint closes everything, opens nothing and polices nothing',
    objects: [web, policy('p', 'all()', (['allow', 'deny', 'pass'] as const).map((action) => rule(action, { from: 'has(role)' }))), host('h', client, { isBroken: true })],
    expected: {
      sets: { 'allow, has(role)': [], 'deny, has(role)': ['0.0.0.0/1', '128.0.0.0/1', '8000::/1', '::/1'], 'pass, has(role)': [] },
      hosts: {},
    },
  },
  {
    name: 'a host endpoint without expected addresses is in no set',
    objects: [web, fromClients, host('here', client)],
    expected: { sets: { [clients]: [] } },
  },
];
