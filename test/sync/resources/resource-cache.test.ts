// What calc is told about one kind: only what has changed, and nothing that was not seen to change.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import type { Update } from '../../../src/model/update.ts';
import { globalNetworkPolicies } from '../../../src/sync/resources/global-network-policy.ts';
import { InvalidObjects } from '../../../src/sync/resources/invalid-objects.ts';
import { pods } from '../../../src/sync/resources/pod.ts';
import { type ResourceCache, resourceCache } from '../../../src/sync/resources/resource-cache.ts';
import { Recorder } from '../recorder.ts';
import { calicoObject, context, podWith } from './objects.ts';

const named = (name: string, labels: Record<string, string> = {}): unknown => podWith({ metadata: { name, labels } });
const short = (update: Update | undefined): string | undefined => update && `${update.op} ${update.key}`;

describe('the cache of a kind', () => {
  let recorder: Recorder;
  let invalid: InvalidObjects;
  let cache: ResourceCache;

  beforeEach(() => {
    recorder = new Recorder();
    invalid = new InvalidObjects(recorder.logger, recorder.metrics);
    cache = resourceCache(pods, context(), invalid);
  });

  test('tells of a new object, and of one that changed', () => {
    assert.equal(short(cache.upsert(named('a'))), 'upsert shop/a');
    assert.equal(short(cache.upsert(named('a', { app: 'x' }))), 'upsert shop/a');
  });

  test('says nothing of an update that changes nothing used', () => {
    cache.upsert(named('a'));
    assert.equal(cache.upsert(named('a')), undefined);
  });

  test('deletes what is gone, once', () => {
    cache.upsert(named('a'));
    assert.equal(short(cache.remove({ namespace: 'shop', name: 'a' })), 'delete shop/a');
    assert.equal(cache.remove({ namespace: 'shop', name: 'a' }), undefined);
  });

  test('deletes what is no endpoint any more', () => {
    cache.upsert(named('a'));
    assert.equal(short(cache.upsert(podWith({ metadata: { name: 'a' }, status: { phase: 'Succeeded' } }))), 'delete shop/a');
  });

  test('says nothing of what never was an endpoint', () => assert.equal(cache.upsert(podWith({ spec: { hostNetwork: true } })), undefined));

  test('a complete list is the difference: what is missing goes, what is new comes, the rest is silent', () => {
    for (const name of ['a', 'b', 'c']) cache.upsert(named(name));
    const replacement = cache.replace();
    for (const pod of [named('b'), named('c', { app: 'x' }), named('d')]) replacement.add(pod);
    assert.deepEqual(replacement.finish().map(short), ['delete shop/a', 'upsert shop/c', 'upsert shop/d']);
  });

  test('a list that is not finished changes nothing', () => {
    cache.upsert(named('a'));
    cache.replace().add(named('b'));
    assert.equal(cache.size, 1);
    assert.deepEqual(cache.replace().finish().map(short), ['delete shop/a']);
  });

  test('an object that is deleted while the list comes is not in it', () => {
    const replacement = cache.replace();
    replacement.add(named('a'));
    replacement.remove({ namespace: 'shop', name: 'a' });
    assert.deepEqual(replacement.finish(), []);
  });

  test('an invalid object is warned of once, and again when it is wrong in another way', () => {
    const bad = (label: unknown): unknown => podWith({ metadata: { labels: { app: label } } });
    for (const label of [1, 1, 2, 2]) cache.upsert(bad(label));
    assert.equal(recorder.warnings.length, 2);
    assert.match(recorder.warnings[0] ?? '', /^Pod shop\/web is invalid: metadata\.labels\[app\] 1 must be a string \(put the value in quotes\); until then the pod counts as absent/);
    assert.equal(recorder.gauge('caracal_sync_invalid_objects', { kind: 'Pod' }), 1);
    assert.deepEqual(invalid.list().map(({ kind, name }) => `${kind} ${name}`), ['Pod shop/web']);
  });

  test('of an object that is wrong in many ways the first ones are kept: the others are counted', () => {
    const labels = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`label-${i}`, i]));
    cache.upsert(podWith({ metadata: { labels } }));
    const [object] = invalid.list();
    assert.equal(object?.problems.length, 3);
    assert.match(object.text, /; and 47 more$/);
    assert.ok(recorder.warnings[0]?.includes(object.text));
    cache.upsert(podWith({ metadata: { labels: { ...labels, another: 1 } } }));
    assert.equal(recorder.warnings.length, 2);
  });

  test('an invalid object that is corrected, deleted or no longer listed is not counted', () => {
    const bad = podWith({ metadata: { labels: 1 } });
    const count = (): number | undefined => recorder.gauge('caracal_sync_invalid_objects', { kind: 'Pod' });
    cache.upsert(bad);
    cache.upsert(podWith());
    assert.equal(count(), 0);
    cache.upsert(bad);
    cache.remove({ namespace: 'shop', name: 'web' });
    assert.equal(count(), 0);
    cache.upsert(bad);
    cache.replace().finish();
    assert.equal(count(), 0);
  });
});

describe('an object that may have denied something and is not in force', () => {
  const policy = (selector: string): unknown => calicoObject('GlobalNetworkPolicy', { selector });
  let recorder: Recorder;
  let invalid: InvalidObjects;
  let cache: ResourceCache;
  let told: number;

  beforeEach(() => {
    recorder = new Recorder();
    told = 0;
    invalid = new InvalidObjects(recorder.logger, recorder.metrics, () => (told += 1));
    cache = resourceCache(globalNetworkPolicies, context(), invalid);
  });

  test('is an error, and a gap until it is corrected', () => {
    cache.upsert(policy('('));
    assert.deepEqual(invalid.gaps, ['GlobalNetworkPolicy web']);
    assert.match(recorder.errors[0] ?? '', /^GlobalNetworkPolicy web is invalid: spec\.selector .* until then the policy is not in force$/);
    cache.upsert(policy('(('));
    assert.equal(told, 1);
    cache.upsert(policy('all()'));
    assert.deepEqual([invalid.gaps, told], [[], 2]);
  });
  test('is no gap any more when it is gone, deleted or no longer listed', () => {
    cache.upsert(policy('('));
    cache.remove({ namespace: '', name: 'web' });
    assert.deepEqual(invalid.gaps, []);
    cache.upsert(policy('('));
    cache.replace().finish();
    assert.deepEqual([invalid.gaps, told], [[], 4]);
  });
  test('takes the policy that was in force away', () => {
    cache.upsert(policy('all()'));
    assert.equal(short(cache.upsert(policy('('))), 'delete gnp/web');
  });
});

test('an object that only this agent cannot enforce is not called invalid', () => {
  const recorder = new Recorder();
  const cache = resourceCache(globalNetworkPolicies, context(), new InvalidObjects(recorder.logger, recorder.metrics));
  cache.upsert(calicoObject('GlobalNetworkPolicy', { ingress: [{ action: 'Allow', http: { methods: ['GET'] } }] }));
  assert.match(recorder.warnings[0] ?? '', /GlobalNetworkPolicy web is not enforced as it is written: spec\.ingress\[0\]\.http/);
});
