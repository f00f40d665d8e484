// Which policies an endpoint is policed by, and in which order; what holds for host endpoints.

import type { Policy } from '../../../src/model/policy.ts';
import type { Update } from '../../../src/model/update.ts';
import { globalPolicy, host, pod, policy, profile, rule, tier } from '../objects.ts';
import { originOf } from '../worlds.ts';
import type { NamedState } from './state.ts';

const web = pod('web', { local: true, labels: { app: 'web' }, address: '10.0.0.9' });

function ordered(name: string, order: number | undefined, more: Partial<Policy> = {}): Update {
  const { value, ...update } = policy(name, 'all()', [], more) as Update & { value: Policy };
  const { order: _, ...orderless } = value;
  return { ...update, value: order === undefined ? orderless : { ...orderless, order } } as Update;
}

const inTier = (name: string): Update => policy(`in-${name}`, 'all()', [], { tier: name });

export const tierStates: readonly NamedState[] = [
  {
    name: 'policies by order, the one without order last',
    objects: [web, ordered('last', undefined), ordered('b', 10), ordered('a', 20), ordered('c', -1)],
    expected: { ingress: { 'ns/web': ['default (deny): knp/ns/c knp/ns/b knp/ns/a knp/ns/last'] } },
  },
  {
    name: 'one of them moves to the front',
    objects: [web, ordered('last', -2), ordered('b', 10), ordered('a', 20), ordered('c', -1)],
    expected: { ingress: { 'ns/web': ['default (deny): knp/ns/last knp/ns/c knp/ns/b knp/ns/a'] } },
  },
  {
    name: 'equal orders by name, then namespace, then kind',
    objects: [
      web,
      ordered('b', 1),
      ordered('a', 1, { kind: 'np' }),
      ordered('a', 1),
      ordered('a', 1, { kind: 'gnp', origin: originOf('GlobalNetworkPolicy', 'a') }),
      ordered('a', 1, { origin: originOf('NetworkPolicy', 'a', 'na') }),
    ],
    expected: { ingress: { 'ns/web': ['default (deny): gnp/a knp/na/a knp/ns/a np/ns/a knp/ns/b'] } },
  },
  {
    name: 'two policies without order, by name',
    objects: [web, ordered('b', undefined), ordered('a', undefined)],
    expected: { ingress: { 'ns/web': ['default (deny): knp/ns/a knp/ns/b'] } },
  },
  {
    name: 'tiers by order, equal ones by name',
    objects: [web, tier('zoo', 5, 'deny'), tier('ant', 5, 'pass'), tier('first', 1, 'deny'), ...['zoo', 'ant', 'first', 'default'].map(inTier)],
    expected: { ingress: { 'ns/web': ['first (deny): knp/ns/in-first', 'ant (pass): knp/ns/in-ant', 'zoo (deny): knp/ns/in-zoo', 'default (deny): knp/ns/in-default'] } },
  },
  {
    name: 'the tier in the middle is gone: its policies come last and end in deny',
    objects: [web, tier('zoo', 5, 'deny'), tier('first', 1, 'deny'), ...['zoo', 'ant', 'first', 'default'].map(inTier)],
    expected: { ingress: { 'ns/web': ['first (deny): knp/ns/in-first', 'zoo (deny): knp/ns/in-zoo', 'default (deny): knp/ns/in-default', 'ant (deny): knp/ns/in-ant'] } },
  },
  {
    name: 'the tier default always exists',
    objects: [web, tier('late', 2_000_000, 'deny'), inTier('late'), inTier('default')],
    expected: { ingress: { 'ns/web': ['default (deny): knp/ns/in-default', 'late (deny): knp/ns/in-late'] } },
  },
  {
    name: 'a Tier object of its name says otherwise',
    objects: [web, tier('late', 2_000_000, 'deny'), tier('default', 3_000_000, 'pass'), inTier('late'), inTier('default')],
    expected: { ingress: { 'ns/web': ['late (deny): knp/ns/in-late', 'default (pass): knp/ns/in-default'] } },
  },
  {
    name: "the tiers of Kubernetes' cluster-wide policies exist without Tier objects",
    objects: [web, ...['baselineadminnetworkpolicy', 'kube-baseline', 'default', 'kube-admin', 'adminnetworkpolicy'].map(inTier)],
    expected: {
      ingress: {
        'ns/web': [
          'adminnetworkpolicy (pass): knp/ns/in-adminnetworkpolicy',
          'kube-admin (pass): knp/ns/in-kube-admin',
          'default (deny): knp/ns/in-default',
          'baselineadminnetworkpolicy (pass): knp/ns/in-baselineadminnetworkpolicy',
          'kube-baseline (pass): knp/ns/in-kube-baseline',
        ],
      },
    },
  },
  {
    name: 'a tier is there in the directions in which its policies isolate',
    objects: [web, tier('t', 1, 'deny'), policy('in', 'all()', [], { tier: 't' }), policy('out', 'all()', [], { types: { ingress: false, egress: true } })],
    expected: { ingress: { 'ns/web': ['t (deny): knp/ns/in'] }, egress: { 'ns/web': ['default (deny): knp/ns/out'] } },
  },
  {
    name: 'a label of the namespace brings a pod under a policy',
    objects: [pod('web', { local: true, profiles: ['kns.n'], address: '10.0.0.9' }), profile('kns.n', { 'pcns.env': 'prod' }), policy('p', "pcns.env == 'prod'", [])],
    expected: { ingress: { 'ns/web': ['default (deny): knp/ns/p'] } },
  },
  {
    name: 'and another value takes it out',
    objects: [pod('web', { local: true, profiles: ['kns.n'], address: '10.0.0.9' }), profile('kns.n', { 'pcns.env': 'test' }), policy('p', "pcns.env == 'prod'", [])],
    expected: { ingress: { 'ns/web': [] }, policies: [] },
  },
  {
    name: 'the namespace is not known any more',
    objects: [pod('web', { local: true, profiles: ['kns.n'], address: '10.0.0.9' }), policy('p', "pcns.env == 'prod'", [])],
    expected: { ingress: { 'ns/web': [] }, profiles: { 'kns.n': 1 } },
  },
  {
    name: 'two local pods see different policies',
    objects: [web, pod('db', { local: true, labels: { app: 'db' } }), policy('w', "app == 'web'", []), policy('d', "app == 'db'", []), globalPolicy('all', 'all()', [])],
    expected: { ingress: { 'ns/web': ['default (deny): gnp/all knp/ns/w'], 'ns/db': ['default (deny): gnp/all knp/ns/d'] } },
  },
];

const untracked = { doNotTrack: true, preDnat: false, applyOnForward: true };
const preDnat = { doNotTrack: false, preDnat: true, applyOnForward: true };
const forward = { doNotTrack: false, preDnat: false, applyOnForward: true };
const both = { ingress: true, egress: true };
const nic = host('nic', { nic: '' });

export const hostStates: readonly NamedState[] = [
  { name: 'a host endpoint that nothing selects', objects: [nic], expected: { hosts: { nic: {} }, policies: [] } },
  { name: 'a host endpoint of another node', objects: [host('nic', { nic: '' }, { node: 'node-1' }), globalPolicy('p', 'all()', [])], expected: { hosts: {}, policies: [] } },
  {
    name: 'a policy polices what begins or ends at the host',
    objects: [nic, globalPolicy('p', 'has(nic)', [], { types: both })],
    expected: { hosts: { nic: { normal: ['default (deny): gnp/p | gnp/p'] } }, policies: ['gnp/p'] },
  },
  {
    name: 'and what is forwarded, if it says so',
    objects: [nic, globalPolicy('p', 'has(nic)', [], { types: both, applies: forward }), globalPolicy('q', 'has(nic)', [])],
    expected: { hosts: { nic: { normal: ['default (deny): gnp/p gnp/q | gnp/p'], forward: ['default (deny): gnp/p | gnp/p'] } } },
  },
  {
    name: 'it does not say so any more',
    objects: [nic, globalPolicy('p', 'has(nic)', [], { types: both }), globalPolicy('q', 'has(nic)', [])],
    expected: { hosts: { nic: { normal: ['default (deny): gnp/p gnp/q | gnp/p'] } } },
  },
  {
    name: 'untracked and pre-DNAT policies have places of their own, and never apply to a workload',
    objects: [
      nic,
      web,
      globalPolicy('raw', 'all()', [rule('allow', { from: 'has(x)' })], { types: both, applies: untracked }),
      globalPolicy('dnat', 'all()', [], { types: both, applies: preDnat }),
      globalPolicy('plain', 'all()', []),
    ],
    expected: {
      hosts: { nic: { normal: ['default (deny): gnp/plain | '], untracked: ['default (deny): gnp/raw | gnp/raw'], preDnat: ['default (deny): gnp/dnat | '] } },
      ingress: { 'ns/web': ['default (deny): gnp/plain'] },
      sets: { 'allow, has(x)': [] },
    },
  },
  {
    name: 'without the host endpoint nothing needs them',
    objects: [web, globalPolicy('raw', 'all()', [rule('allow', { from: 'has(x)' })], { types: both, applies: untracked }), globalPolicy('plain', 'all()', [])],
    expected: { hosts: {}, policies: ['gnp/plain'], sets: {} },
  },
  {
    name: 'an untracked policy becomes a plain one',
    objects: [web, nic, globalPolicy('raw', 'all()', [], { types: both }), globalPolicy('plain', 'all()', [])],
    expected: {
      hosts: { nic: { normal: ['default (deny): gnp/plain gnp/raw | gnp/raw'] } },
      ingress: { 'ns/web': ['default (deny): gnp/plain gnp/raw'] },
      egress: { 'ns/web': ['default (deny): gnp/raw'] },
    },
  },
  {
    name: 'a pre-DNAT policy for egress alone applies to nothing',
    objects: [nic, globalPolicy('dnat', 'all()', [], { types: { ingress: false, egress: true }, applies: preDnat })],
    expected: { hosts: { nic: {} }, policies: [] },
  },
  {
    name: 'tiers of a host endpoint are its own in each place',
    objects: [
      nic,
      tier('first', 1, 'pass'),
      globalPolicy('a', 'all()', [], { tier: 'first', applies: untracked }),
      globalPolicy('b', 'all()', [], { tier: 'first' }),
      globalPolicy('c', 'all()', [], { applies: forward }),
    ],
    expected: { hosts: { nic: { untracked: ['first (pass): gnp/a | '], normal: ['first (pass): gnp/b | ', 'default (deny): gnp/c | '], forward: ['default (deny): gnp/c | '] } } },
  },
  {
    name: 'the host is a member of the set by which it is policed, with its named ports',
    objects: [
      host('nic', { nic: '' }, { expectedAddresses: ['10.9.0.1'], profiles: ['ours'], ports: [{ name: 'ssh', protocol: 6, port: 22 }] }),
      profile('ours', {}, [rule('allow')]),
      globalPolicy('p', 'has(nic)', [rule('allow', { from: 'has(nic)', ports: [{ name: 'ssh' }] }, { protocol: 6 }), rule('allow', { from: 'has(nic)' })]),
    ],
    expected: { profiles: { ours: 1 }, sets: { 'allow, port "ssh" (tcp) of has(nic)': ['10.9.0.1,tcp:22'], 'allow, has(nic)': ['10.9.0.1'] } },
  },
  {
    name: 'a host endpoint and a pod of one name',
    objects: [host('ns/web', { nic: '' }), web, globalPolicy('p', 'has(nic)', []), policy('q', "app == 'web'", [])],
    expected: { hosts: { 'ns/web': { normal: ['default (deny): gnp/p | '] } }, ingress: { 'ns/web': ['default (deny): knp/ns/q'] } },
  },
];
