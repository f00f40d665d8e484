// The traps that others fell into, as far as states of objects show them: wire objects through the real decoders, and what this node
// must then hold. A number is that of the table in docs/design/calc.md, which says where each of the others is shown.

import type { Update } from '../../../src/model/update.ts';
import type { WireObject, World } from '../../../src/model/verdict.ts';
import { Feed } from '../../property/feed.ts';
import { calicoPolicy, clusterPolicy, globalPolicy, hostEndpoint, namespace, networkSet, pod, policy, slice, tier } from '../../verdict/small-world.ts';
import { localNode } from '../worlds.ts';
import type { NamedState } from './state.ts';

const options: World['options'] = { interfacePrefixes: ['cali'], defaultEndpointToHostAction: 'ACCEPT' };

/** What sync tells of a list of these. */
function told(...objects: readonly WireObject[]): readonly Update[] {
  return new Feed({ node: localNode, options }).list([namespace('shop', { team: 'shop' }), web, ...objects]);
}

const web = pod('shop/web', '10.0.0.9', { node: localNode, labels: { app: 'web' } });
const client = pod('shop/client', '10.0.0.2', { labels: { role: 'client' } });
const ofWeb = { selector: "app == 'web'", types: ['Ingress'] };
const fromClients = { action: 'Allow', source: { selector: "role == 'client'" } };
const clients = 'allow, role == "client"';
const isPoliced = { 'shop/web': ['default (deny): gnp/p'] };
const addressPool: WireObject = { apiVersion: 'crd.projectcalico.org/v1', kind: 'IPPool', metadata: { name: 'pool' }, spec: { cidr: '10.0.0.0/16', natOutgoing: true } };

export const trapStates: readonly NamedState[] = [
  {
    name: 'trap 1: a network that cannot be read takes its Allow along, and makes its Deny one of everything',
    objects: told(client, globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Allow', source: { nets: ['10.0.0.0/99'] } }, fromClients, { action: 'Deny', source: { nets: ['10.0.0.0/99'] } }] })),
    expected: { rules: { 'gnp/p': [`allow from set:<${clients}>`, 'deny'] }, sets: { [clients]: ['10.0.0.2'] }, ingress: isPoliced },
  },
  {
    name: 'trap 1: so does a namespaceSelector',
    objects: told(client, globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Allow', source: { namespaceSelector: 'team ==' } }] })),
    expected: { rules: { 'gnp/p': [] }, sets: {}, ingress: isPoliced },
  },
  {
    name: 'trap 1: and a selector of accounts',
    objects: told(client, globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Deny', source: { serviceAccounts: { selector: '==' } } }, fromClients] })),
    expected: { rules: { 'gnp/p': ['deny', `allow from set:<${clients}>`] }, ingress: isPoliced },
  },
  {
    name: "trap 2: types of a policy of Kubernetes' hold as they are given, whatever its rules",
    objects: told(policy('shop/p', { podSelector: {}, policyTypes: ['Egress'], ingress: [{}] })),
    expected: { ingress: { 'shop/web': [] }, egress: { 'shop/web': ['default (deny): knp/shop/p'] }, rules: { 'knp/shop/p': [] } },
  },
  {
    name: "trap 2: a policy of Calico's without types is for both directions, whatever its rules",
    objects: told(globalPolicy('p', { selector: "app == 'web'", ingress: [{ action: 'Allow' }] })),
    expected: { ingress: isPoliced, egress: isPoliced },
  },
  {
    name: "trap 3: a pod in the host's network is nobody: neither policed nor a member",
    objects: told(pod('shop/agent', '10.9.0.1', { node: localNode, labels: { role: 'client' }, spec: { hostNetwork: true } }), globalPolicy('p', { types: ['Ingress'], ingress: [fromClients] })),
    expected: { ingress: isPoliced, sets: { [clients]: [] } },
  },
  {
    name: 'trap 3: a host endpoint is a member by its expected addresses, never by those found on its interface',
    objects: told(hostEndpoint('named', { node: localNode, interfaceName: 'eth0' }, { role: 'client' }), hostEndpoint('expected', { node: localNode, interfaceName: 'eth1', expectedIPs: ['10.9.0.2'] }, { role: 'client' }), globalPolicy('p', { ...ofWeb, ingress: [fromClients] })),
    expected: { hosts: { named: {}, expected: {} }, sets: { [clients]: ['10.9.0.2'] } },
  },
  {
    name: 'trap 4: a pod without an address is not there',
    objects: told(pod('shop/late', '', { node: localNode, labels: { role: 'client' } }), globalPolicy('p', { ...ofWeb, ingress: [fromClients] })),
    expected: { ingress: isPoliced, sets: { [clients]: [] } },
  },
  {
    name: 'trap 4: it is there when its CNI plugin has written the address, before the kubelet does',
    objects: told(pod('shop/late', '', { node: localNode, labels: { role: 'client' }, annotations: { 'cni.projectcalico.org/podIP': '10.0.0.7/32' } }), globalPolicy('p', { ...ofWeb, ingress: [fromClients] })),
    expected: { ingress: { ...isPoliced, 'shop/late': [] }, sets: { [clients]: ['10.0.0.7'] } },
  },
  {
    name: 'trap 6: the tier of a policy is not there',
    objects: told(tier('late', { order: 2_000_000, defaultAction: 'Pass' }), globalPolicy('p', { ...ofWeb, tier: 'late' }), globalPolicy('q', { ...ofWeb, tier: 'gone' })),
    expected: { ingress: { 'shop/web': ['late (pass): gnp/p', 'gone (deny): gnp/q'] } },
  },
  {
    name: 'trap 6: the namespace of a pod is not known: its profile denies',
    objects: told(pod('lost/web', '10.0.0.8', { node: localNode })),
    expected: { profiles: { 'kns.shop': 1, 'ksa.shop.default': 1, 'kns.lost': 1, 'ksa.lost.default': 1 }, ingress: { 'shop/web': [], 'lost/web': [] } },
  },
  {
    name: 'trap 6: a policy of a namespace whose selector cannot be read closes all of that',
    objects: told(calicoPolicy('shop/p', { selector: 'app =', types: ['Ingress'], ingress: [{ action: 'Allow' }] })),
    expected: { ingress: { 'shop/web': ['default (deny): np/shop/p'] }, rules: { 'np/shop/p': [] } },
  },
  {
    name: 'trap 9: annotations of a rule go on as they were written: cutting and escaping comes with the text of the rule',
    objects: told(globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Allow', metadata: { annotations: { why: `a "quoted" word ${'x'.repeat(300)}` } } }] })),
    expected: { rules: { 'gnp/p': [`allow # why=a "quoted" word ${'x'.repeat(300)}`] } },
  },
  {
    name: 'trap 12: what a rule looks into is there before anything has it: a selector, a named port, a service',
    objects: told(globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Allow', protocol: 'TCP', source: { selector: 'has(nobody)' }, destination: { ports: ['nothing'] } }, { action: 'Allow', source: { services: { name: 'none', namespace: 'shop' } } }] })),
    expected: { sets: { 'allow, has(nobody)': [], 'allow, port "nothing" (tcp) of all()': [], 'allow, addresses of service shop/none': [] } },
  },
  {
    name: 'traps 15, 16: pools, whatever they say about NAT and whomever they cover, ask nothing of the calculation',
    objects: told(addressPool),
    expected: { sets: {}, policies: [], ingress: { 'shop/web': [] }, egress: { 'shop/web': [] }, hosts: {} },
  },
  {
    name: "trap 20: a service without a namespace is one of the policy's own",
    objects: told(calicoPolicy('shop/p', { ...ofWeb, ingress: [{ action: 'Allow', source: { services: { name: 'db' } } }] }), slice('shop/db', ['10.0.0.5'], []), slice('default/db', ['10.0.0.6'], [])),
    expected: { sets: { 'allow, addresses of service shop/db': ['10.0.0.5'] } },
  },
  {
    name: 'trap 20: a tier that cannot be read is as good as none: its policies come last, and deny',
    objects: told(tier('early', { order: 'soon' }), globalPolicy('p', { ...ofWeb, tier: 'early' }), globalPolicy('q', ofWeb)),
    expected: { ingress: { 'shop/web': ['default (deny): gnp/q', 'early (deny): gnp/p'] } },
  },
  {
    name: 'trap 21: a port range that begins at 0 deletes nothing, and denies what it says',
    objects: told(globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: ['0:65535'] } }, fromClients] })),
    expected: { ingress: isPoliced, rules: { 'gnp/p': ['deny 6 to port:0-65535', `allow from set:<${clients}>`] } },
  },
  {
    name: 'trap 22: namespaces as peers of a ClusterNetworkPolicy are pods, never network sets, though these lack the label too',
    objects: told(
      client,
      networkSet('outside', ['192.0.2.0/24']),
      networkSet('shop/inside', ['198.51.100.0/24']),
      clusterPolicy('p', {
        tier: 'Admin',
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ action: 'Accept', from: [{ namespaces: { matchExpressions: [{ key: 'secret', operator: 'DoesNotExist' }] } }] }],
      }),
    ),
    expected: { sets: { 'allow, ((has(pcns.projectcalico.org/name) && !has(pcns.secret)) && projectcalico.org/orchestrator == "k8s")': ['10.0.0.2', '10.0.0.9'] }, ingress: { 'shop/web': ['kube-admin (pass): kcnp/p'] } },
  },
  {
    name: 'trap 23: selector and notSelector are asked of one labelled thing, though a network set covers its address',
    objects: told(
      pod('shop/client', '10.0.0.2', { labels: { role: 'client', banned: '' } }),
      networkSet('wide', ['10.0.0.0/24', '10.0.0.2/32'], { role: 'client' }),
      globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Allow', source: { selector: "role == 'client'", notSelector: 'has(banned)' } }] }),
    ),
    expected: { sets: { 'allow, (role == "client" && !has(banned))': ['10.0.0.0/24', '10.0.0.2'] } },
  },
  {
    name: 'trap 23: a named port is that of pods which the selector selects, not of those that a network set covers',
    objects: told(
      pod('shop/other', '10.0.0.3', { spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] } }),
      pod('shop/client', '10.0.0.2', { labels: { role: 'client' }, spec: { containers: [{ ports: [{ name: 'http', containerPort: 8081 }] }] } }),
      networkSet('wide', ['10.0.0.0/24'], { role: 'client' }),
      globalPolicy('p', { selector: "app == 'web'", types: ['Egress'], egress: [{ action: 'Allow', protocol: 'TCP', destination: { selector: "role == 'client'", ports: ['http'] } }] }),
    ),
    expected: { sets: { 'allow, port "http" (tcp) of role == "client"': ['10.0.0.2,tcp:8081'] } },
  },
  {
    name: 'trap 24: all() within a namespaceSelector means having a namespace: what denies it selects global network sets',
    objects: told(client, networkSet('outside', ['192.0.2.0/24']), networkSet('shop/inside', ['198.51.100.0/24']), globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Allow', source: { namespaceSelector: "!(team == 'x' || all())" } }] })),
    expected: { sets: { 'allow, !(pcns.team == "x" || has(projectcalico.org/namespace))': ['192.0.2.0/24'] } },
  },
  {
    name: 'trap 24: all() alone is every namespace, and no global network set',
    objects: told(client, networkSet('outside', ['192.0.2.0/24']), networkSet('shop/inside', ['198.51.100.0/24']), globalPolicy('p', { ...ofWeb, ingress: [{ action: 'Allow', source: { namespaceSelector: 'all()' } }] })),
    expected: { sets: { 'allow, has(projectcalico.org/namespace)': ['10.0.0.2', '10.0.0.9', '198.51.100.0/24'] } },
  },
];
