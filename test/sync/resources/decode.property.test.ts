// Whatever arrives, decoders answer, and never with more than was asked for.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { kinds } from '../../../src/sync/resources/kinds.ts';
import { networkPolicies } from '../../../src/sync/resources/network-policy.ts';
import { calicoObject, context, podWith, policyWith } from './objects.ts';

const good = policyWith({
  podSelector: { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['1'] }] },
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{ from: [{ podSelector: {} }, { namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80, endPort: 90 }] }],
  egress: [{ to: [{ podSelector: { matchLabels: { app: 'y' } } }], ports: [{ port: 'web', protocol: 'TCP' }] }],
});
const pod = podWith({ metadata: { labels: { app: 'x' }, annotations: {} }, spec: { containers: [{ ports: [{ name: 'web', containerPort: 80 }] }] } });

const calico = calicoObject(
  'NetworkPolicy',
  {
    tier: 'a', order: 1, types: ['Ingress'], selector: "a == 'b'", serviceAccountSelector: 'has(c)', stagedAction: 'Set', nets: ['10.0.0.0/8'], cidr: '10.0.0.0/8',
    node: 'node-1', interfaceName: 'eth0', expectedIPs: ['10.0.0.1'], serviceClusterIPs: [{ cidr: '10.0.0.0/8' }], defaultAction: 'Deny',
    ingress: [
      {
        action: 'Allow', ipVersion: 4, protocol: 'TCP', icmp: { type: 1, code: 1 }, http: { methods: ['GET'], paths: [{ exact: '/' }] }, metadata: { annotations: { a: 'b' } },
        source: { nets: ['10.0.0.0/8'], selector: 'all()', notSelector: 'has(a)', namespaceSelector: 'global()', serviceAccounts: { names: ['a'], selector: 'has(b)' }, ports: [1, 'a', '1:2'] },
        destination: { services: { name: 'a', namespace: 'b' } },
      },
    ],
  },
  { labels: { a: 'b' }, annotations: { 'projectcalico.org/metadata': '{"name":"a","labels":{"c":"d"}}' } },
);
const admin = {
  metadata: { name: 'default' },
  spec: {
    tier: 'Admin', priority: 1, subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { a: 'b' } } } },
    egress: [{ action: 'Deny', name: 'a', to: [{ namespaces: {} }, { networks: ['10.0.0.0/8'] }], protocols: [{ tcp: { destinationPort: { range: { start: 1, end: 2 } } } }, { destinationNamedPort: 'a' }], ports: [{ portNumber: { protocol: 'TCP', port: 1 } }] }],
  },
  addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 1, protocol: 'TCP' }],
};

/** Paths of all values in an object. */
const paths = (value: unknown, path: readonly string[] = []): string[][] => {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return [[...path], ...Object.entries(value).flatMap(([key, part]) => paths(part, [...path, key]))];
};

const replaced = (value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown => {
  if (key === undefined) return by;
  const part = (value as Record<string, unknown>)[key];
  if (Array.isArray(value)) return value.map((each: unknown, i) => (String(i) === key ? replaced(part, rest, by) : each));
  return { ...(value as object), [key]: replaced(part, rest, by) };
};

test('any JSON is decoded without an exception', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (object, metadata) => {
      for (const kind of kinds) {
        for (const value of [object, { metadata: object }, { metadata, spec: object, status: object }]) kind.decode(value, context());
      }
    }),
  );
});

for (const [what, object] of [['policy', good], ['pod', pod], ['object of Calico', calico], ['policy of an administrator', admin]] as const) {
  test(`a good ${what} with any one part replaced by any JSON is decoded without an exception`, () => {
    fc.assert(
      fc.property(fc.constantFrom(...paths(object)), fc.jsonValue(), (path, value) => {
        for (const kind of kinds) kind.decode(replaced(object, path, value), context());
      }),
      { numRuns: 500 },
    );
  });
}

test('a policy with a name always has a value, and with problems allows no more entries than without', () => {
  const specPaths = paths((good as { spec: unknown }).spec, ['spec']);
  fc.assert(
    fc.property(fc.constantFrom(...specPaths), fc.jsonValue(), (path, value) => {
      const { value: policy, problems } = networkPolicies.decode(replaced(good, path, value), context());
      assert.ok(policy);
      if (problems.length === 0) return;
      // Whatever entry was replaced, at most the untouched ones are left, and both directions stay isolated.
      assert.deepEqual(policy.types, { ingress: true, egress: true });
      const touched = path[1];
      // A whole list that was replaced may have good entries beside the bad ones.
      if ((touched === 'ingress' || touched === 'egress') && path.length === 2) return;
      if (touched === 'ingress') assert.deepEqual(policy.ingress, []);
      else if (touched === 'egress') assert.deepEqual(policy.egress, []);
      else assert.deepEqual([policy.ingress, policy.egress], [[], []]);
    }),
    { numRuns: 500 },
  );
});
