// The demo's story: six pods in three namespaces on one node, a seventh on a second node, and policies that come and go.
// What each step must lead to is written here by hand, never computed: a grid of source rows and destination columns, where
//   B  TCP and UDP pass     T  only TCP     U  only UDP     -  neither     .  not asked (a pod and itself)

import type { WireObject } from '../../src/model/verdict.ts';

export interface DemoPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: 'node-a' | 'node-b';
  readonly address: string;
}

export const pods: readonly DemoPod[] = [
  { namespace: 'shop', name: 'web', node: 'node-a', address: '10.65.0.11' },
  { namespace: 'shop', name: 'api', node: 'node-a', address: '10.65.0.12' },
  { namespace: 'shop', name: 'db', node: 'node-a', address: '10.65.0.13' },
  { namespace: 'ops', name: 'monitor', node: 'node-a', address: '10.65.0.21' },
  { namespace: 'ops', name: 'backup', node: 'node-a', address: '10.65.0.22' },
  { namespace: 'guest', name: 'visitor', node: 'node-a', address: '10.65.0.31' },
  { namespace: 'ops', name: 'remote', node: 'node-b', address: '10.65.1.41' },
];

/** Every pod listens on both. */
export const ports = { tcp: 8080, udp: 5353 } as const;

export type Mark = 'B' | 'T' | 'U' | '-' | '.';

export interface Change {
  /** Objects to create or replace. */
  readonly apply?: readonly WireObject[];
  /** Objects to delete. */
  readonly remove?: readonly WireObject[];
  /** Flush the agent's chains from outside, as another program on the node might. */
  readonly wipe?: true;
}

/** The UDP packet whose verdict the step changes: it is sent every millisecond to time the change. */
export interface Witness {
  readonly from: string;
  readonly to: string;
  readonly becomes: 'passed' | 'dropped';
}

export interface Step {
  readonly title: string;
  readonly change: Change;
  readonly witness?: Witness;
  /** Rows in the order of `sources`, columns in the order of `pods`. */
  readonly expected: readonly string[];
}

/** Rows of the grid: every pod, and the node itself. */
export const sources: readonly string[] = [...pods.map((pod) => pod.name), 'node-a'];

function namespace(name: string): WireObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { team: name } } };
}

function pod(each: DemoPod, labels: Readonly<Record<string, string>> = { app: each.name }): WireObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: each.name, namespace: each.namespace, labels },
    spec: {
      nodeName: each.node,
      containers: [
        {
          name: 'main',
          image: 'example.invalid/demo',
          ports: [
            { name: 'http', containerPort: ports.tcp },
            { name: 'dns', containerPort: ports.udp, protocol: 'UDP' },
          ],
        },
      ],
    },
    status: { phase: 'Running', podIP: each.address, podIPs: [{ ip: each.address }] },
  };
}

function policy(namespaceName: string, name: string, spec: Readonly<Record<string, unknown>>): WireObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: namespaceName },
    spec,
  };
}

/** What is there before the first step. */
export const initial: readonly WireObject[] = [
  ...['shop', 'ops', 'guest'].map(namespace),
  ...pods.map((each) => pod(each)),
];

const isolateShop = policy('shop', 'isolate', { podSelector: {}, policyTypes: ['Ingress'] });

const apiFromWeb = policy('shop', 'api-from-web', {
  podSelector: { matchLabels: { app: 'api' } },
  policyTypes: ['Ingress'],
  ingress: [
    {
      from: [{ podSelector: { matchLabels: { app: 'web' } } }],
      ports: [
        { protocol: 'TCP', port: 'http' },
        { protocol: 'UDP', port: 'dns' },
      ],
    },
  ],
});

const dbFromApi = policy('shop', 'db-from-api', {
  podSelector: { matchLabels: { app: 'db' } },
  policyTypes: ['Ingress'],
  ingress: [
    {
      from: [{ podSelector: { matchLabels: { app: 'api' } } }],
      ports: [
        { protocol: 'TCP', port: 8000, endPort: 8100 },
        { protocol: 'UDP', port: 5353 },
      ],
    },
  ],
});

const shopFromOps = policy('shop', 'from-ops', {
  podSelector: {},
  policyTypes: ['Ingress'],
  ingress: [
    {
      from: [{ namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'In', values: ['ops'] }] } }],
      ports: [{ protocol: 'UDP', port: 'dns' }],
    },
  ],
});

const guestEgress = policy('guest', 'only-out-by-tcp', {
  podSelector: {},
  policyTypes: ['Egress'],
  egress: [
    {
      to: [{ ipBlock: { cidr: '10.65.0.0/16', except: ['10.65.0.22/32'] } }],
      ports: [{ protocol: 'TCP', port: 8080 }],
    },
  ],
});

const calico = 'crd.projectcalico.org/v1';

/** Asked before the policies of namespaces; what it does not deny is passed on to them. */
const securityTier: WireObject = { apiVersion: calico, kind: 'Tier', metadata: { name: 'security' }, spec: { order: 100 } };

const suspects: WireObject = {
  apiVersion: calico,
  kind: 'GlobalNetworkSet',
  metadata: { name: 'suspects', labels: { reputation: 'bad' } },
  spec: { nets: ['10.65.1.41/32', '203.0.113.0/24'] },
};

const shopFront: WireObject = {
  apiVersion: calico,
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'security.shop-front' },
  spec: {
    tier: 'security',
    namespaceSelector: "team == 'shop'",
    types: ['Ingress'],
    ingress: [
      { action: 'Deny', source: { namespaceSelector: 'global()', selector: "reputation == 'bad'" } },
      { action: 'Deny', protocol: 'UDP', source: { namespaceSelector: "team == 'ops'" } },
      { action: 'Pass' },
    ],
  },
};

const opsAdmin: WireObject = {
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  kind: 'ClusterNetworkPolicy',
  metadata: { name: 'ops-from-db' },
  spec: {
    tier: 'Admin',
    priority: 5,
    subject: { namespaces: { matchLabels: { team: 'ops' } } },
    ingress: [
      {
        action: 'Accept',
        from: [{ pods: { namespaceSelector: { matchLabels: { team: 'shop' } }, podSelector: { matchLabels: { app: 'db' } } } }],
        protocols: [{ tcp: { destinationPort: { number: 8080 } } }],
      },
      { action: 'Deny', from: [{ namespaces: { matchLabels: { team: 'shop' } } }] },
    ],
  },
};

const web = pods[0] as DemoPod;

//                     web api db mon bak vis rem
export const steps: readonly Step[] = [
  {
    title: 'No policy: everybody reaches everybody',
    change: {},
    expected: [
      /* web     */ '. B B B B B B',
      /* api     */ 'B . B B B B B',
      /* db      */ 'B B . B B B B',
      /* monitor */ 'B B B . B B B',
      /* backup  */ 'B B B B . B B',
      /* visitor */ 'B B B B B . B',
      /* remote  */ 'B B B B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'shop/isolate: nothing may enter the pods of shop',
    change: { apply: [isolateShop] },
    witness: { from: 'visitor', to: 'web', becomes: 'dropped' },
    expected: [
      /* web     */ '. - - B B B B',
      /* api     */ '- . - B B B B',
      /* db      */ '- - . B B B B',
      /* monitor */ '- - - . B B B',
      /* backup  */ '- - - B . B B',
      /* visitor */ '- - - B B . B',
      /* remote  */ '- - - B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'shop/api-from-web, shop/db-from-api: web to api by the named ports http and dns; api to db by TCP 8000-8100 and UDP 5353',
    change: { apply: [apiFromWeb, dbFromApi] },
    witness: { from: 'api', to: 'db', becomes: 'passed' },
    expected: [
      /* web     */ '. B - B B B B',
      /* api     */ '- . B B B B B',
      /* db      */ '- - . B B B B',
      /* monitor */ '- - - . B B B',
      /* backup  */ '- - - B . B B',
      /* visitor */ '- - - B B . B',
      /* remote  */ '- - - B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'shop/from-ops: the namespace ops, on any node, by the named UDP port dns',
    change: { apply: [shopFromOps] },
    witness: { from: 'remote', to: 'web', becomes: 'passed' },
    expected: [
      /* web     */ '. B - B B B B',
      /* api     */ '- . B B B B B',
      /* db      */ '- - . B B B B',
      /* monitor */ 'U U U . B B B',
      /* backup  */ 'U U U B . B B',
      /* visitor */ '- - - B B . B',
      /* remote  */ 'U U U B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'guest/only-out-by-tcp: visitor speaks TCP 8080 to 10.65.0.0/16, but not to backup',
    change: { apply: [guestEgress] },
    witness: { from: 'visitor', to: 'monitor', becomes: 'dropped' },
    expected: [
      /* web     */ '. B - B B B B',
      /* api     */ '- . B B B B B',
      /* db      */ '- - . B B B B',
      /* monitor */ 'U U U . B B B',
      /* backup  */ 'U U U B . B B',
      /* visitor */ '- - - T - . T',
      /* remote  */ 'U U U B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'The pod shop/web loses its label app=web: api does not know it any more',
    change: { apply: [pod(web, { app: 'shadow' })] },
    witness: { from: 'web', to: 'api', becomes: 'dropped' },
    expected: [
      /* web     */ '. - - B B B B',
      /* api     */ '- . B B B B B',
      /* db      */ '- - . B B B B',
      /* monitor */ 'U U U . B B B',
      /* backup  */ 'U U U B . B B',
      /* visitor */ '- - - T - . T',
      /* remote  */ 'U U U B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'All policies of shop are deleted: only that of guest is left',
    change: { remove: [isolateShop, apiFromWeb, dbFromApi, shopFromOps] },
    witness: { from: 'db', to: 'web', becomes: 'passed' },
    expected: [
      /* web     */ '. B B B B B B',
      /* api     */ 'B . B B B B B',
      /* db      */ 'B B . B B B B',
      /* monitor */ 'B B B . B B B',
      /* backup  */ 'B B B B . B B',
      /* visitor */ 'T T T T - . T',
      /* remote  */ 'B B B B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'GlobalNetworkPolicy security.shop-front, in a tier of its own: nothing from GlobalNetworkSet suspects (remote), no UDP from ops; the rest passes on',
    change: { apply: [securityTier, suspects, shopFront] },
    witness: { from: 'monitor', to: 'web', becomes: 'dropped' },
    expected: [
      /* web     */ '. B B B B B B',
      /* api     */ 'B . B B B B B',
      /* db      */ 'B B . B B B B',
      /* monitor */ 'T T T . B B B',
      /* backup  */ 'T T T B . B B',
      /* visitor */ 'T T T T - . T',
      /* remote  */ '- - - B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'ClusterNetworkPolicy ops-from-db, tier Admin: of shop only db speaks to ops, and by TCP 8080 only; remote is on the other node',
    change: { apply: [opsAdmin] },
    witness: { from: 'db', to: 'monitor', becomes: 'dropped' },
    expected: [
      /* web     */ '. B B - - B B',
      /* api     */ 'B . B - - B B',
      /* db      */ 'B B . T T B B',
      /* monitor */ 'T T T . B B B',
      /* backup  */ 'T T T B . B B',
      /* visitor */ 'T T T T - . T',
      /* remote  */ '- - - B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
  {
    title: 'Another program flushes the chains of the agent: they are back, and nothing has changed',
    change: { wipe: true },
    witness: { from: 'visitor', to: 'backup', becomes: 'dropped' },
    expected: [
      /* web     */ '. B B - - B B',
      /* api     */ 'B . B - - B B',
      /* db      */ 'B B . T T B B',
      /* monitor */ 'T T T . B B B',
      /* backup  */ 'T T T B . B B',
      /* visitor */ 'T T T T - . T',
      /* remote  */ '- - - B B B .',
      /* node-a  */ 'B B B B B B B',
    ],
  },
];
