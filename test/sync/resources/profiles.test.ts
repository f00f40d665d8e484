// Namespaces and ServiceAccounts → profiles of the model.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { namespaces } from '../../../src/sync/resources/namespace.ts';
import { serviceAccounts } from '../../../src/sync/resources/service-account.ts';
import { context } from './objects.ts';

describe('a Namespace', () => {
  const decode = (metadata: unknown) => namespaces.decode({ metadata }, context());

  test('gives its labels, its name and allow-all to its pods', () => {
    const { value, problems } = decode({ name: 'shop', labels: { team: 'a', 'kubernetes.io/metadata.name': 'shop' } });
    assert.deepEqual(problems, []);
    assert.equal(value?.name, 'kns.shop');
    assert.deepEqual(value?.labels, ['pcns.kubernetes.io/metadata.name', 'shop', 'pcns.projectcalico.org/name', 'shop', 'pcns.team', 'a']);
    for (const rules of [value?.ingress, value?.egress]) {
      assert.deepEqual(rules?.map((rule) => [rule.action, rule.protocol, rule.source.selector, rule.source.nets]), [['allow', undefined, undefined, []]]);
    }
  });
  test('cannot claim another name by a label', () => {
    assert.deepEqual(decode({ name: 'shop', labels: { 'projectcalico.org/name': 'x' } }).value?.labels, ['pcns.projectcalico.org/name', 'shop']);
  });
  test('with labels that cannot be read is absent', () => {
    const { value, problems } = decode({ name: 'shop', labels: { team: 1 } });
    assert.equal(value, undefined);
    assert.deepEqual(problems.map(({ field }) => field), ['metadata.labels[team]']);
  });
  test('with a name that is no DNS label is absent', () => assert.equal(decode({ name: 'shop.x' }).value, undefined));
  test('is keyed by the name of its profile', () => assert.equal(namespaces.key({ namespace: '', name: 'shop' }), 'kns.shop'));
});

describe('a ServiceAccount', () => {
  const decode = (metadata: unknown) => serviceAccounts.decode({ metadata }, context());

  test('gives its labels and its name to its pods, and no rules', () => {
    const { value, problems } = decode({ namespace: 'shop', name: 'runner', labels: { role: 'x' } });
    assert.deepEqual(problems, []);
    assert.equal(value?.name, 'ksa.shop.runner');
    assert.deepEqual(value?.labels, ['pcsa.projectcalico.org/name', 'runner', 'pcsa.role', 'x']);
    assert.deepEqual([value?.ingress, value?.egress], [[], []]);
  });
  test('with labels that cannot be read is absent', () => assert.equal(decode({ namespace: 'shop', name: 'runner', labels: 'x' }).value, undefined));
  test('is keyed by the name of its profile', () => assert.equal(serviceAccounts.key({ namespace: 'shop', name: 'runner' }), 'ksa.shop.runner'));
});
