// What somebody may write who is allowed one namespace: objects that are made to end the agent, to fill its memory or to take its time.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Policy } from '../../../src/model/policy.ts';
import { calicoNetworkPolicies } from '../../../src/sync/resources/calico-network-policy.ts';
import { kinds } from '../../../src/sync/resources/kinds.ts';
import { networkPolicies } from '../../../src/sync/resources/network-policy.ts';
import { pods } from '../../../src/sync/resources/pod.ts';
import { type Decoded, ProblemList } from '../../../src/sync/resources/problem.ts';
import { shown } from '../../../src/sync/resources/wire.ts';
import { calicoObject, context, podWith, policyWith } from './objects.ts';

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const calicoPolicy = (spec: unknown, metadata: Record<string, unknown> = {}): Decoded<Policy> => calicoNetworkPolicies.decode(calicoObject('NetworkPolicy', spec, metadata), context());

describe('values that cannot be turned into text', () => {
  // An own property of these names hides the method that JavaScript would call.
  const values = ['{"toString":[]}', '{"toString":1,"valueOf":1}', '{"__proto__":{"name":"x"}}', '{"toJSON":1}', '{"length":3}', '[[[[{"toString":[]}]]]]'].map((text) => JSON.parse(text) as unknown);

  test('in the place of any text of a policy they are refused as what they are', () => {
    for (const value of values) {
      for (const services of [{ name: value }, { name: 'a', namespace: value }, value]) {
        const { value: policy, problems } = calicoPolicy({ egress: [{ action: 'Deny', destination: { services } }] });
        assert.ok(problems.length > 0);
        assert.deepEqual(policy?.egress.map(({ action, destination }) => [action, destination.service]), [['deny', undefined]]);
      }
    }
  });

  test('in any part of the metadata of any kind they end nothing', () => {
    for (const value of values) {
      for (const kind of kinds) {
        for (const metadata of [value, { name: value }, { namespace: value, name: 'x' }, { namespace: 'x', name: 'x', labels: value, annotations: value }, { namespace: 'x', name: 'x', labels: { a: value }, annotations: { a: value } }]) {
          kind.decode({ apiVersion: kind.apiVersion, kind: kind.kind, metadata, spec: value, status: value, endpoints: value, ports: value, addressType: value }, context());
        }
      }
    }
  });
});

describe('depth', () => {
  test('a stored metadata that is nested as deeply as an annotation can be is refused', () => {
    const values = deep(120_000);
    for (const text of [values, `{"name":${values}}`, `{"labels":${values}}`, `{"labels":{"a":${values}}}`]) {
      const { problems } = calicoPolicy({ ingress: [{ action: 'Allow' }] }, { annotations: { 'projectcalico.org/metadata': text } });
      assert.equal(problems.length, 1);
      assert.ok((problems[0]?.problem.length ?? 0) < 200);
    }
  });

  test('a selector that is negated very often is read', () => {
    const { value, problems } = calicoPolicy({ selector: `${'!'.repeat(200_001)}has(a)` });
    assert.deepEqual([value?.selector.text, problems], ['(!has(a) && projectcalico.org/namespace == "shop")', []]);
  });

  test('a selector that is nested deeply is refused, however long it is', () => {
    for (const selector of ['('.repeat(200_000), `${'('.repeat(200_000)}has(a)${')'.repeat(200_000)}`]) {
      const { value, problems } = calicoPolicy({ selector, ingress: [{ action: 'Allow' }], egress: [{ action: 'Deny', source: { selector } }] });
      assert.ok(value);
      assert.ok(problems.length > 0);
      assert.deepEqual(value.ingress, []);
    }
  });
});

describe('size', () => {
  test('of many problems the first ones are kept', () => {
    const { problems } = networkPolicies.decode(policyWith({ ingress: [{ ports: Array.from({ length: 20_000 }, () => ({ port: 0 })) }] }), context());
    assert.equal(problems.length, 100);
    assert.equal(problems[0]?.field, 'spec.ingress[0].ports[0].port');
  });

  test('what is not ours to refuse does not hide behind what is', () => {
    const { problems, report } = new ProblemList();
    for (let i = 0; i < 1000; i += 1) report(`a[${i}]`, 'cannot be done here', 'do not', true);
    report('b', 'is wrong');
    assert.deepEqual([problems.length, problems.at(-1)?.field], [101, 'b']);
  });

  test('keys and values of any length are shown in part', () => {
    const key = 'k'.repeat(100_000);
    const { problems } = calicoPolicy({}, { annotations: { 'projectcalico.org/metadata': JSON.stringify({ labels: { [key]: key } }) } });
    assert.ok(problems.length > 0);
    for (const { field, problem } of problems) assert.ok(field.length <= 200 && problem.length <= 300, `${field.length} ${problem.length}`);
    assert.equal(shown({ a: [1, { b: 'x' }], c: null }), '{"a":[1,{"b":"x"}],"c":null}');
    assert.equal(shown('line\nbreak'), '"line\\nbreak"');
    assert.equal(shown(Array.from({ length: 1000 }, () => 'text')).length, 64);
  });

  test('a pod with very many ports has each once', () => {
    const ports = Array.from({ length: 20_000 }, (_, i) => ({ name: `p-${i % 19_000}`, containerPort: 1 + (i % 19_000) }));
    const { value } = pods.decode(podWith({ spec: { containers: [{ ports }] } }), context());
    assert.equal(value?.ports.length, 19_000);
  });
});
