// The Kubernetes source against a real API server: what it learns, and what it still knows after everything that can go wrong
// between the two.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import type { WorkloadEndpoint } from '../../src/model/endpoint.ts';
import type { Policy } from '../../src/model/policy.ts';
import { KubernetesSource, type KubernetesSourceOptions } from '../../src/sync/kubernetes/source.ts';
import { Kubelet } from '../fakes/kubelet.ts';
import { Recorder } from '../sync/recorder.ts';
import { ApiServer } from './harness/api-server.ts';
import type { KubeObject } from './harness/client.ts';
import { AgentAccess } from './harness/rbac.ts';
import { Relay } from './harness/relay.ts';
import { makeScratch, removeScratch } from './harness/scratch.ts';

const policy = (name: string, spec: unknown): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name },
  spec,
});
const podRef = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'shop', name } });

/** A source under test, with what it said. Tries again soon: a test should not wait for half a minute. */
class Subject extends Recorder implements AsyncDisposable {
  readonly source: KubernetesSource;

  constructor(access: KubernetesSourceOptions['access'], options: Partial<KubernetesSourceOptions> = {}) {
    super();
    const { logger, metrics, reporter: health } = this;
    this.source = new KubernetesSource({ access, node: 'node-1', interfacePrefix: 'cali', logger, metrics, health, random: () => 0.02, ...options });
  }

  static async start(access: KubernetesSourceOptions['access'], options: Partial<KubernetesSourceOptions> = {}): Promise<Subject> {
    const subject = new Subject(access, options);
    await subject.source.start(subject.sink);
    return subject;
  }

  synced(): Promise<void> {
    return this.until('in-sync', () => this.inSync);
  }

  knows(key: string): Promise<void> {
    return this.until(`${key} to be known`, () => this.known.includes(key));
  }

  forgets(key: string): Promise<void> {
    return this.until(`${key} to be forgotten`, () => !this.known.includes(key));
  }

  value(key: string): unknown {
    const update = this.batches.flatMap((batch) => batch.updates).findLast((each) => each.op === 'upsert' && each.key === key);
    return update?.op === 'upsert' ? update.value : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.stop();
  }
}

describe('the Kubernetes source', () => {
  let server: ApiServer;
  let kubelet: Kubelet;
  let subject: Subject;

  before(async () => {
    server = await ApiServer.start();
    kubelet = new Kubelet(server.admin);
    await kubelet.createNode('node-1', '192.0.2.1');
    await kubelet.createNamespace('shop', { team: 'a' });
    const ports = [{ name: 'http', containerPort: 8080 }];
    await kubelet.createPod({ namespace: 'shop', name: 'web', node: 'node-1', ips: ['10.1.0.1', 'fd00::1'], labels: { app: 'web' }, ports });
    await kubelet.createPod({ namespace: 'shop', name: 'host', node: 'node-1', ips: ['192.0.2.1'], hostNetwork: true });
    await server.admin.create(policy('closed', { podSelector: { matchLabels: { app: 'web' } } }));
  });
  after(() => server.close());
  beforeEach(async () => {
    subject = await Subject.start({ kubeconfig: server.kubeconfig('admin') });
    await subject.synced();
  });
  afterEach(() => subject[Symbol.asyncDispose]());

  test('learns every kind, each as one batch, by a stream', async () => {
    await subject.until('nodes, for which in-sync does not wait', () => subject.batches.some(({ resource }) => resource === 'Node'));
    const read = ['EndpointSlice', 'Namespace', 'NetworkPolicy', 'Node', 'Pod', 'ServiceAccount'];
    const said = subject.batches.map(({ resource }) => resource);
    // In-sync may have to wait for discovery.
    assert.deepEqual(said.filter((resource) => resource !== 'API discovery').toSorted(), read);
    assert.equal(subject.batches.filter(({ inSync }) => inSync === true).length, 1);
    for (const kind of read) {
      assert.equal(subject.counter('caracal_sync_lists_total', { kind, method: 'stream' }), 1, kind);
    }
    for (const key of ['kns.shop', 'ksa.shop.default', 'knp/shop/closed', 'shop/web']) assert.ok(subject.known.includes(key), key);
    assert.deepEqual([subject.health?.ready, subject.warnings, subject.errors], [true, [], []]);
  });

  test('reads a pod as the API server completes it', () => {
    const pod = subject.value('shop/web') as WorkloadEndpoint;
    assert.deepEqual(pod.addresses, ['10.1.0.1', 'fd00::1']);
    assert.equal(pod.interfaceName, 'cali551b05c3e54');
    assert.deepEqual(pod.profiles, ['kns.shop', 'ksa.shop.default']);
    assert.deepEqual(pod.ports, [{ name: 'http', protocol: 6, port: 8080 }]);
    assert.ok(!subject.known.includes('shop/host'), 'a pod of the host network is no endpoint');
  });

  test('reads a policy as the API server completes it', () => {
    const { types, ingress, origin } = subject.value('knp/shop/closed') as Policy;
    assert.deepEqual([types, ingress, origin.generation], [{ ingress: true, egress: false }, [], 1]);
  });

  test('reads all kinds over one connection', async () => {
    await using relay = await Relay.start({ port: server.port });
    const { caFile, adminToken: token } = server;
    await using through = await Subject.start({ endpoint: `https://127.0.0.1:${relay.port}`, caFile, token });
    await through.synced();
    assert.equal(relay.connections, 1);
  });

  test('follows a pod through its life', async () => {
    await kubelet.createPod({ namespace: 'shop', name: 'job', node: 'node-1' });
    await kubelet.run('shop', 'job', ['10.1.0.7']);
    await subject.knows('shop/job');
    await kubelet.finish('shop', 'job');
    await subject.forgets('shop/job');
    await kubelet.removePod('shop', 'job');
  });

  test('hears nothing of a status that changes nothing used', async () => {
    const count = subject.batches.length;
    for (const reason of ['a', 'b', 'c']) await kubelet.patchStatus('shop', 'web', { reason });
    await kubelet.createServiceAccount('shop', `after-${count}`);
    await subject.knows(`ksa.shop.after-${count}`);
    await subject.until('the events', () => subject.counter('caracal_sync_events_total', { kind: 'Pod' }) >= 3);
    assert.deepEqual(subject.batches.slice(count).map(({ resource }) => resource), ['ServiceAccount']);
  });

  test('closes the rule of a CIDR that the API server let pass and the kernel would read in another way', async () => {
    const spec = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '010.0.0.0/8' } }] }, { from: [{ podSelector: {} }] }] };
    await server.admin.create(policy('octal', spec));
    await subject.knows('knp/shop/octal');
    assert.deepEqual((subject.value('knp/shop/octal') as Policy).ingress.map(({ index }) => index), [1]);
    assert.match(subject.warnings[0] ?? '', /^NetworkPolicy shop\/octal is invalid: spec\.ingress\[0\]\.from\[0\]\.ipBlock\.cidr/);
    await server.admin.delete(policy('octal', {}));
  });

  test('goes on where it was after the API server was killed', async () => {
    await server.kill();
    await subject.until('the loss to be said', () => subject.warnings.length > 0);
    await server.restart();
    await kubelet.createPod({ namespace: 'shop', name: 'late', node: 'node-1', ips: ['10.1.0.8'] });
    await subject.knows('shop/late');
    await subject.until('the return to be said', () => subject.infos.some((line) => line.startsWith('the API server answers again')));
    assert.ok(subject.said.flat().every((update) => !update.startsWith('delete')), 'nothing was forgotten on the way');
    assert.equal(subject.health?.ready, true);
    await kubelet.removePod('shop', 'late');
  });

  test('finds what was deleted and changed while it could not look, as one batch', async () => {
    await kubelet.createPod({ namespace: 'shop', name: 'old', node: 'node-1', ips: ['10.1.0.9'] });
    await using relay = await Relay.start({ port: server.port });
    const { caFile, adminToken: token } = server;
    await using through = await Subject.start({ endpoint: `https://127.0.0.1:${relay.port}`, caFile, token });
    await through.synced();
    const count = through.batches.length;
    relay.freeze();
    await kubelet.removePod('shop', 'old');
    await kubelet.createPod({ namespace: 'shop', name: 'new', node: 'node-1', ips: ['10.1.0.9'] });
    await server.admin.patch(podRef('web'), { metadata: { labels: { app: 'other' } } });
    await server.expireHistory();
    relay.cut();
    await through.forgets('shop/old');
    const [batch, ...more] = through.batches.slice(count).filter(({ resource }) => resource === 'Pod');
    assert.deepEqual(batch?.updates.map(({ op, key }) => `${op} ${key}`).toSorted(), ['delete shop/old', 'upsert shop/new', 'upsert shop/web']);
    assert.deepEqual(more, []);
    await kubelet.removePod('shop', 'new');
    await server.admin.patch(podRef('web'), { metadata: { labels: { app: 'web' } } });
  });

  test('notices an API server that stands still, and goes on when it moves again', async () => {
    await using impatient = await Subject.start({ kubeconfig: server.kubeconfig('admin') }, { timeouts: { headers: 1500, silence: 1500 } });
    await impatient.synced();
    await server.pause();
    await impatient.until('the silence to be said', () => impatient.warnings.length > 0);
    server.resume();
    await kubelet.createPod({ namespace: 'shop', name: 'after', node: 'node-1', ips: ['10.1.0.10'] });
    await impatient.knows('shop/after');
    assert.ok(impatient.said.flat().every((update) => !update.startsWith('delete')));
    await kubelet.removePod('shop', 'after');
  });

  test('finds the objects of a recreated name: the same key, what is new in it', async () => {
    await kubelet.createPod({ namespace: 'shop', name: 'db-0', node: 'node-1', ips: ['10.1.0.11'] });
    await subject.knows('shop/db-0');
    await kubelet.removePod('shop', 'db-0');
    await kubelet.createPod({ namespace: 'shop', name: 'db-0', node: 'node-2', ips: ['10.1.0.12'] });
    await subject.until('the other address', () => (subject.value('shop/db-0') as WorkloadEndpoint).addresses[0] === '10.1.0.12');
    assert.ok(subject.known.includes('shop/db-0'));
    await kubelet.removePod('shop', 'db-0');
  });
});

describe("the Kubernetes source with the agent's own rights", () => {
  let server: ApiServer;
  let kubelet: Kubelet;
  let access: AgentAccess;
  let directory: string;

  const endpoint = async (): Promise<KubernetesSourceOptions['access']> => ({ endpoint: server.url, caFile: server.caFile, token: await access.token() });

  before(async () => {
    server = await ApiServer.start();
    kubelet = new Kubelet(server.admin);
    access = await AgentAccess.grant(server);
    directory = makeScratch();
    await kubelet.createNamespace('shop');
  });
  after(async () => {
    await server.close();
    removeScratch(directory);
  });

  test('is not in sync while one kind is refused, says which, and becomes so when it is granted', async () => {
    await access.withdraw('networkpolicies');
    await using subject = await Subject.start(await endpoint());
    await subject.until('the refusal to be said', () => subject.errors.length > 0);
    await subject.until('the other kinds', () => subject.batches.length === 5);
    assert.deepEqual([subject.inSync, subject.health?.ready], [false, false]);
    assert.match(subject.health?.detail ?? '', /watch networkpolicies failed: 403 Forbidden/);
    assert.equal(subject.errors.length, 1);
    assert.match(subject.errors[0] ?? '', /watch networkpolicies failed: 403 Forbidden: .*; what is known of them holds until that is mended: grant the verbs list and watch/);
    await access.restore();
    await subject.synced();
    assert.equal(subject.health?.ready, true);
  });

  test('goes on with the new token after the old one was revoked', async () => {
    const tokenOf = (token: string): string => {
      const file = path.join(directory, 'kubeconfig');
      const cluster = { server: server.url, 'certificate-authority': server.caFile };
      const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u' } }];
      writeFileSync(file, JSON.stringify({ clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: { token } }], contexts, 'current-context': 'c' }));
      return file;
    };
    const old = await access.token();
    await using subject = await Subject.start({ kubeconfig: tokenOf(old) });
    await subject.synced();
    await access.revoke(old);
    // A watch that runs is not ended by a revoked token; the next request is refused.
    await server.restart();
    await subject.until('the refusal to be said', () => subject.errors.some((line) => line.includes('401')));
    assert.equal(subject.health?.ready, false);
    tokenOf(await access.token());
    await subject.until('everything to be read again', () => subject.health?.ready === true);
    await kubelet.createServiceAccount('shop', 'later');
    await subject.knows('ksa.shop.later');
    assert.ok(subject.known.includes('kns.shop'));
  });
});

describe('the Kubernetes source with a server that does not stream', () => {
  test('reads lists of several pages, each as one batch', async () => {
    await using server = await ApiServer.start({ featureGates: { WatchList: false } });
    const kubelet = new Kubelet(server.admin);
    await kubelet.createNamespace('shop');
    const names = Array.from({ length: 510 }, (_, i) => `account-${i}`);
    for (let i = 0; i < names.length; i += 30) await Promise.all(names.slice(i, i + 30).map((name) => kubelet.createServiceAccount('shop', name)));
    await using subject = await Subject.start({ kubeconfig: server.kubeconfig('admin') });
    await subject.synced();
    assert.equal(subject.known.filter((key) => key.startsWith('ksa.shop.account-')).length, 510);
    assert.equal(subject.batches.filter(({ resource }) => resource === 'ServiceAccount').length, 1);
    assert.equal(subject.counter('caracal_sync_lists_total', { kind: 'ServiceAccount', method: 'list' }), 1);
    assert.deepEqual([subject.warnings, subject.errors], [[], []]);
    await kubelet.createServiceAccount('shop', 'later');
    await subject.knows('ksa.shop.later');
  });
});
