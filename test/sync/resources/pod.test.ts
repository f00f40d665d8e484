// Pod as the API serves it → endpoint of the model.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { WorkloadEndpoint } from '../../../src/model/endpoint.ts';
import { labelValue } from '../../../src/model/labels.ts';
import { pods } from '../../../src/sync/resources/pod.ts';
import type { Problem } from '../../../src/sync/resources/problem.ts';
import { context, type PodParts, podWith } from './objects.ts';

const decode = (parts: PodParts): { endpoint: WorkloadEndpoint | undefined; problems: readonly Problem[] } => {
  const { value, problems } = pods.decode(podWith(parts), context());
  return { endpoint: value, problems };
};

const endpointOf = (parts: PodParts = {}): WorkloadEndpoint => {
  const { endpoint, problems } = decode(parts);
  assert.deepEqual(problems, []);
  assert.ok(endpoint, 'the pod is an endpoint');
  return endpoint;
};

const isNone = (parts: PodParts): void => assert.deepEqual(decode(parts), { endpoint: undefined, problems: [] });

describe('a pod is no endpoint', () => {
  test('on the host network', () => isNone({ spec: { hostNetwork: true } }));
  test('without a node', () => isNone({ spec: { nodeName: '' } }));
  test('without an address', () => isNone({ status: { phase: 'Pending' } }));
  test('without a status', () => isNone({ status: null }));
  for (const phase of ['Succeeded', 'Failed', 'Completed']) test(`when it is ${phase}`, () => isNone({ status: { phase, podIP: '10.1.0.1' } }));
  test('when it is being deleted and its CNI plugin has emptied its annotation', () => {
    isNone({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', annotations: { 'cni.projectcalico.org/podIP': '' } } });
  });
});

describe('a pod is an endpoint still', () => {
  test('while it is being deleted and has its address', () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z', annotations: { 'cni.projectcalico.org/podIP': '10.1.0.1/32' } };
    assert.deepEqual(endpointOf({ metadata }).addresses, ['10.1.0.1']);
  });
  test('with an empty annotation while nobody deletes it', () => {
    assert.deepEqual(endpointOf({ metadata: { annotations: { 'cni.projectcalico.org/podIP': '' } } }).addresses, ['10.1.0.1']);
  });
});

describe('addresses come from the first place that names any', () => {
  const annotations = {
    'cni.projectcalico.org/podIPs': '10.1.0.3/32,fd00::3/128',
    'cni.projectcalico.org/podIP': '10.1.0.4/32',
    'vpc.amazonaws.com/pod-ips': '10.1.0.5, 10.1.0.6',
  };
  const without = (...keys: string[]): Record<string, string> => Object.fromEntries(Object.entries(annotations).filter(([key]) => !keys.includes(key)));

  test('status.podIPs, both families', () => {
    const status = { podIPs: [{ ip: '10.1.0.1' }, { ip: 'FD00:0::1' }], podIP: '10.1.0.2' };
    assert.deepEqual(endpointOf({ status, metadata: { annotations } }).addresses, ['10.1.0.1', 'fd00::1']);
  });
  test('status.podIP', () => assert.deepEqual(endpointOf({ status: { podIP: '10.1.0.2' }, metadata: { annotations } }).addresses, ['10.1.0.2']));
  test("Calico's annotation of all addresses", () => assert.deepEqual(endpointOf({ status: {}, metadata: { annotations } }).addresses, ['10.1.0.3', 'fd00::3']));
  test("Calico's annotation of one", () => {
    assert.deepEqual(endpointOf({ status: {}, metadata: { annotations: without('cni.projectcalico.org/podIPs') } }).addresses, ['10.1.0.4']);
  });
  test("Amazon's annotation", () => {
    const left = without('cni.projectcalico.org/podIPs', 'cni.projectcalico.org/podIP');
    assert.deepEqual(endpointOf({ status: {}, metadata: { annotations: left } }).addresses, ['10.1.0.5', '10.1.0.6']);
  });
  test('once each', () => assert.deepEqual(endpointOf({ status: { podIPs: [{ ip: '10.1.0.1' }, { ip: '10.1.0.1' }] } }).addresses, ['10.1.0.1']));
});

describe('labels', () => {
  const labelsOf = (parts: PodParts): WorkloadEndpoint['labels'] => endpointOf(parts).labels;

  test('are its own and three that say where it belongs', () => {
    const labels = labelsOf({ metadata: { labels: { app: 'x' } }, spec: { serviceAccountName: 'runner' } });
    assert.deepEqual(labels, ['app', 'x', 'projectcalico.org/namespace', 'shop', 'projectcalico.org/orchestrator', 'k8s', 'projectcalico.org/serviceaccount', 'runner']);
  });
  test('that claim another namespace, orchestrator or account are overwritten', () => {
    const claimed = { 'projectcalico.org/namespace': 'x', 'projectcalico.org/orchestrator': 'x', 'projectcalico.org/serviceaccount': 'x' };
    const labels = labelsOf({ metadata: { labels: claimed }, spec: { serviceAccountName: 'runner' } });
    assert.equal(labelValue(labels, 'projectcalico.org/namespace'), 'shop');
    assert.equal(labelValue(labels, 'projectcalico.org/orchestrator'), 'k8s');
    assert.equal(labelValue(labels, 'projectcalico.org/serviceaccount'), 'runner');
  });
  test('a claimed account is dropped where the pod has none', () => {
    assert.equal(labelValue(labelsOf({ metadata: { labels: { 'projectcalico.org/serviceaccount': 'x' } } }), 'projectcalico.org/serviceaccount'), undefined);
  });
  test('that only its namespace or account could give are dropped', () => {
    const labels = labelsOf({ metadata: { labels: { 'pcns.team': 'a', 'pcsa.role': 'b', pcns: 'c' } } });
    assert.equal(labelValue(labels, 'pcns.team'), undefined);
    assert.equal(labelValue(labels, 'pcsa.role'), undefined);
    assert.equal(labelValue(labels, 'pcns'), 'c');
  });
  test('equal sets of two pods are one object', () => {
    const shared = context();
    const [a, b] = ['a', 'b'].map((name) => pods.decode(podWith({ metadata: { name, labels: { app: 'a-label-of-some-length' } } }), shared).value);
    assert.equal(a?.labels, b?.labels);
  });
});

describe('profiles', () => {
  test('are those of the namespace and of the account, in this order', () => {
    assert.deepEqual(endpointOf({ spec: { serviceAccountName: 'runner' } }).profiles, ['kns.shop', 'ksa.shop.runner']);
  });
  test('is that of the namespace alone without an account', () => assert.deepEqual(endpointOf().profiles, ['kns.shop']));
});

describe('named ports', () => {
  test('of containers and init containers, TCP unless said otherwise', () => {
    const spec = {
      containers: [{ ports: [{ name: 'web', containerPort: 80 }, { containerPort: 81 }] }, { ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] }],
      initContainers: [{ ports: [{ name: 'proxy', containerPort: 15_001 }] }],
      ephemeralContainers: [{ ports: [{ name: 'debug', containerPort: 1 }] }],
    };
    assert.deepEqual(endpointOf({ spec }).ports, [
      { name: 'web', protocol: 6, port: 80 },
      { name: 'dns', protocol: 17, port: 53 },
      { name: 'proxy', protocol: 6, port: 15_001 },
    ]);
  });
  for (const [what, port] of [
    ['no object', 80],
    ['a bad name', { name: 'Web', containerPort: 80 }],
    ['a bad number', { name: 'web', containerPort: 0 }],
    ['a number in quotes', { name: 'web', containerPort: '80' }],
    ['a bad protocol', { name: 'web', containerPort: 80, protocol: 'ICMP' }],
  ] as const) {
    test(`that are ${what} are left out alone`, () => {
      const { endpoint, problems } = decode({ spec: { containers: [{ ports: [port, { name: 'ok', containerPort: 1 }] }] } });
      assert.deepEqual(endpoint?.ports, [{ name: 'ok', protocol: 6, port: 1 }]);
      assert.equal(problems.length, 1);
    });
  }
});

describe('the interface', () => {
  test('of a pod on this node is named by the hash of namespace and name', () => {
    // printf shop.web | sha1sum
    assert.equal(endpointOf().interfaceName, 'cali551b05c3e54');
  });
  test('of a pod elsewhere is unknown', () => assert.ok(!('interfaceName' in endpointOf({ spec: { nodeName: 'node-2' } }))));
});

describe('a pod of which a part cannot be read is absent, and named', () => {
  const bad: readonly [string, PodParts, string][] = [
    ['an address with leading zeros', { status: { podIPs: [{ ip: '010.1.0.1' }] } }, 'status.podIPs'],
    ['one bad address of two', { status: { podIPs: [{ ip: '10.1.0.1' }, { ip: 'x' }] } }, 'status.podIPs'],
    ['a podIP that is no text', { status: { podIP: 7 } }, 'status.podIP'],
    ['an address with a newline', { status: { podIP: '10.1.0.1\n' } }, 'status.podIP'],
    ['the unspecified address', { status: { podIPs: [{ ip: '10.1.0.1' }, { ip: '::' }] } }, 'status.podIPs'],
    ['the unspecified address in an annotation', { status: {}, metadata: { annotations: { 'cni.projectcalico.org/podIP': '0.0.0.0/32' } } }, 'metadata.annotations[cni.projectcalico.org/podIP]'],
    ['a network in an annotation', { status: {}, metadata: { annotations: { 'cni.projectcalico.org/podIP': '10.1.0.0/24' } } }, 'metadata.annotations[cni.projectcalico.org/podIP]'],
    ['a label that is no text', { metadata: { labels: { app: 1 } } }, 'metadata.labels[app]'],
    ['labels that are a list', { metadata: { labels: [] } }, 'metadata.labels'],
    ['annotations that are text', { metadata: { annotations: 'x' } }, 'metadata.annotations'],
    ['hostNetwork that is text', { spec: { hostNetwork: 'true' } }, 'spec.hostNetwork'],
    ['a node that is a number', { spec: { nodeName: 1 } }, 'spec.nodeName'],
    ['an account that is no name', { spec: { serviceAccountName: 'a\nb' } }, 'spec.serviceAccountName'],
    ['a name with a newline', { metadata: { name: 'a\nb' } }, 'metadata.name'],
    ['a namespace that is none', { metadata: { namespace: 'Shop' } }, 'metadata.namespace'],
    ['a status that is text', { status: 'Running' }, 'status'],
  ];
  for (const [what, parts, field] of bad) {
    test(what, () => {
      const { endpoint, problems } = decode(parts);
      assert.equal(endpoint, undefined);
      assert.deepEqual(problems.map((problem) => problem.field), [field]);
    });
  }
});

describe('an update of a pod', () => {
  const same = (a: PodParts, b: PodParts): boolean => pods.same(endpointOf(a), endpointOf(b));

  test('that only its status knows of changes nothing', () => {
    assert.ok(same({}, { status: { phase: 'Running', podIPs: [{ ip: '10.1.0.1' }], conditions: [{ type: 'Ready' }] }, metadata: { generation: 2, resourceVersion: '9' } }));
  });
  for (const [what, parts] of [
    ['its label', { metadata: { labels: { app: 'y' } } }],
    ['its address', { status: { podIP: '10.1.0.2' } }],
    ['its node', { spec: { nodeName: 'node-2' } }],
    ['its account', { spec: { serviceAccountName: 'x' } }],
    ['its port', { spec: { containers: [{ ports: [{ name: 'web', containerPort: 1 }] }] } }],
  ] as const) {
    test(`of ${what} is one`, () => assert.ok(!same({}, parts)));
  }
});
