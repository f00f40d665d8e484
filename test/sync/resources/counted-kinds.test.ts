// Kinds that are checked and counted, and of which calc is not told.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { InvalidObjects } from '../../../src/sync/resources/invalid-objects.ts';
import { kinds } from '../../../src/sync/resources/kinds.ts';
import { resourceCache } from '../../../src/sync/resources/resource-cache.ts';
import { type CountedResource, titleOf } from '../../../src/sync/resources/resource.ts';
import { Recorder } from '../recorder.ts';
import { calicoObject, context } from './objects.ts';

const counted = (kind: string): CountedResource => {
  const found = kinds.find((each) => each.kind === kind);
  assert.ok(found !== undefined && found.valueKind === undefined, `${kind} is counted only`);
  return found;
};
const fieldsOf = (kind: string, spec: unknown): string[] => counted(kind).decode(calicoObject(kind, spec), context()).problems.map(({ field }) => field);

test('each kind has a title of its own', () => assert.equal(new Set(kinds.map(titleOf)).size, kinds.length));

describe('a staged policy', () => {
  const rules = { ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [80] } }, { action: 'Allow', http: { methods: ['GET'] } }] };
  for (const [kind, spec] of [
    ['StagedGlobalNetworkPolicy', { stagedAction: 'Set', namespaceSelector: 'all()', ...rules }],
    ['StagedNetworkPolicy', { stagedAction: 'Learn', selector: "a == 'b'", ...rules }],
    ['StagedKubernetesNetworkPolicy', { stagedAction: 'Set', podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] }],
  ] as const) {
    test(`${kind} counts, and is never told of`, () => {
      const recorder = new Recorder();
      const cache = resourceCache(counted(kind), context(), new InvalidObjects(recorder.logger, recorder.metrics));
      const object = calicoObject(kind, spec);
      assert.equal(cache.upsert(object), undefined);
      assert.deepEqual([cache.size, recorder.warnings], [1, []]);
      const replacement = cache.replace();
      replacement.add(object);
      assert.deepEqual(replacement.finish(), []);
      assert.equal(cache.remove({ namespace: counted(kind).namespaced ? 'shop' : '', name: 'web' }), undefined);
      assert.equal(cache.size, 0);
    });
    test(`${kind} is checked as what it would become`, () => {
      assert.deepEqual(fieldsOf(kind, { ...spec, stagedAction: 'Drop' }), ['spec.stagedAction']);
      assert.deepEqual(fieldsOf(kind, { ...spec, order: 'x', ports: 1 }).sort(), ['spec.order', 'spec.ports']);
    });
  }
  for (const kind of ['StagedGlobalNetworkPolicy', 'StagedNetworkPolicy', 'StagedKubernetesNetworkPolicy']) {
    test(`${kind} that would delete a policy says nothing else`, () => {
      assert.deepEqual(fieldsOf(kind, { stagedAction: 'Delete', ...(kind === 'StagedKubernetesNetworkPolicy' ? {} : { tier: 'a' }), ingress: [] }), []);
      assert.deepEqual(fieldsOf(kind, { stagedAction: 'Delete', ingress: [{}] }), ['spec.ingress']);
    });
  }
  test('without an action would be set', () => assert.deepEqual(fieldsOf('StagedNetworkPolicy', { stagedAction: '', ...rules }), []));
  test('that is bad keeps nobody from being ready', () => {
    const { leavesGap, problems } = counted('StagedGlobalNetworkPolicy').decode(calicoObject('StagedGlobalNetworkPolicy', { selector: '(' }), context());
    assert.deepEqual([leavesGap, problems.length], [undefined, 1]);
  });
});

describe('settings of the cluster', () => {
  test('are read as they are', () => {
    assert.deepEqual(fieldsOf('IPPool', { cidr: '192.168.0.0/16', ipipMode: 'Never', natOutgoing: true, allowedUses: ['Workload'], blockSize: 26 }), []);
    assert.deepEqual(fieldsOf('FelixConfiguration', { nodeSelector: "a == 'b'", anythingElse: 1 }), []);
    assert.deepEqual(fieldsOf('ClusterInformation', { datastoreReady: true, calicoVersion: 'x' }), []);
    assert.deepEqual(fieldsOf('BGPConfiguration', { serviceClusterIPs: [{ cidr: '10.96.0.0/12' }], asNumber: 64_512 }), []);
  });
  for (const [kind, spec, field] of [
    ['IPPool', { cidr: '192.168.0.0/33' }, 'spec.cidr'],
    ['IPPool', { cidr: '10.0.0.0/8', vxlanMode: 'On' }, 'spec.vxlanMode'],
    ['IPPool', { cidr: '10.0.0.0/8', natOutgoing: 'true' }, 'spec.natOutgoing'],
    ['IPPool', { cidr: '10.0.0.0/8', allowedUses: ['Pods'] }, 'spec.allowedUses[0]'],
    ['FelixConfiguration', { nodeSelector: 'a ==' }, 'spec.nodeSelector'],
    ['ClusterInformation', { datastoreReady: 'no' }, 'spec.datastoreReady'],
    ['BGPConfiguration', { serviceExternalIPs: [{}] }, 'spec.serviceExternalIPs[0].cidr'],
    ['Node', { podCIDRs: ['10.0.0/24'] }, 'spec.podCIDRs[0]'],
  ] as const) {
    test(`${kind}: ${JSON.stringify(spec)} is named`, () => assert.deepEqual(fieldsOf(kind, spec), [field]));
  }
  test('Node: an address that is none is named', () => {
    const node = { metadata: { name: 'node-1' }, status: { addresses: [{ type: 'Hostname', address: 'node-1' }, { type: 'InternalIP', address: 'x' }] } };
    assert.deepEqual(counted('Node').decode(node, context()).problems.map(({ field }) => field), ['status.addresses[1].address']);
  });
});
