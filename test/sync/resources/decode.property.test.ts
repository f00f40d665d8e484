// Whatever arrives, decoders answer, and never with more than was asked for.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { kinds } from '../../../src/sync/resources/kinds.ts';
import { networkPolicies } from '../../../src/sync/resources/network-policy.ts';
import { context, podWith, policyWith } from './objects.ts';

const good = policyWith({
  podSelector: { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['1'] }] },
  policyTypes: ['Ingress', 'Egress'],
  ingress: [{ from: [{ podSelector: {} }, { namespaceSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80, endPort: 90 }] }],
  egress: [{ to: [{ podSelector: { matchLabels: { app: 'y' } } }], ports: [{ port: 'web', protocol: 'TCP' }] }],
});
const pod = podWith({ metadata: { labels: { app: 'x' }, annotations: {} }, spec: { containers: [{ ports: [{ name: 'web', containerPort: 80 }] }] } });

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

for (const [what, object] of [['policy', good], ['pod', pod]] as const) {
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
