// What one question to discovery makes of everything that servers of all ages, and broken ones, answer.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { loadKubeConfig } from '../../../src/sync/kubernetes/api-access.ts';
import { Discovery, type ServedApis } from '../../../src/sync/kubernetes/discovery.ts';
import { KubernetesTransport } from '../../../src/sync/kubernetes/transport.ts';
import { aggregatedDiscovery, type Answer, body, FakeApiServer, refusal, resourceList } from '../../fakes/api-server.ts';

const classic = 'crd.projectcalico.org/v1';
const alpha = 'policy.networking.k8s.io/v1alpha2';
const wanted = new Map([[classic, new Set(['tiers', 'networksets'])], [alpha, new Set(['clusternetworkpolicies'])]]);
const both = { [classic]: ['tiers', 'networksets', 'ippools'], [alpha]: ['clusternetworkpolicies'], 'apps/v1': ['deployments'] };

describe('discovery', () => {
  let server: FakeApiServer;
  let transport: KubernetesTransport;
  let discovery: Discovery;

  beforeEach(async () => {
    server = await FakeApiServer.start();
    transport = new KubernetesTransport(() => loadKubeConfig({ endpoint: server.url, insecure: true }));
    discovery = new Discovery(transport, wanted);
    for (const [apiVersion, plurals] of wanted) {
      server.always(`/apis/${apiVersion}`, refusal(404, 'NotFound'));
      for (const plural of plurals) server.always(`/apis/${apiVersion}/${plural}`, refusal(404, 'NotFound'));
    }
  });
  afterEach(async () => {
    await transport.close();
    await server[Symbol.asyncDispose]();
  });

  const read = (): Promise<ServedApis> => discovery.read(new AbortController().signal);
  const plain = (served: ServedApis): unknown =>
    Object.fromEntries([...served].map(([apiVersion, resources]) => [apiVersion, typeof resources === 'string' ? resources : [...resources].filter((name) => !name.includes('/')).toSorted()]));
  const paths = (): string[] => server.requests.map(({ path }) => path);

  test('asks one question where everything is served', async () => {
    server.always('/apis', body(aggregatedDiscovery(both)));
    assert.deepEqual(plain(await read()), { [classic]: ['ippools', 'networksets', 'tiers'], [alpha]: ['clusternetworkpolicies'] });
    assert.deepEqual(paths(), ['/apis']);
  });

  test('takes nothing for absent that the server does not say 404 to', async () => {
    server.always('/apis', body(aggregatedDiscovery({ 'apps/v1': ['deployments'] })));
    server.answer(`/apis/${classic}`, refusal(503, 'ServiceUnavailable'));
    assert.deepEqual(plain(await read()), { [classic]: 'unknown', [alpha]: 'absent' });
    assert.deepEqual(plain(await read()), { [classic]: 'absent', [alpha]: 'absent' });
  });

  test('believes a list that is answered before it believes discovery', async () => {
    server.always('/apis', body(aggregatedDiscovery({})));
    server.answer(`/apis/${classic}/tiers`, body({ kind: 'TierList', items: [] }));
    assert.deepEqual(plain(await read()), { [classic]: ['tiers'], [alpha]: 'absent' });
    assert.deepEqual(server.requests.find(({ path }) => path === `/apis/${classic}/tiers`)?.query, { limit: '1' });
  });

  test('cannot tell where a list is answered by 503', async () => {
    server.always('/apis', body(aggregatedDiscovery({})));
    server.answer(`/apis/${classic}/tiers`, refusal(503, 'ServiceUnavailable'));
    assert.deepEqual(plain(await read()), { [classic]: 'unknown', [alpha]: 'absent' });
  });

  test('believes discovery where it may not list', async () => {
    server.always('/apis', body(aggregatedDiscovery({})));
    for (const plural of ['tiers', 'networksets']) server.answer(`/apis/${classic}/${plural}`, refusal(403, 'Forbidden'));
    assert.deepEqual(plain(await read()), { [classic]: 'absent', [alpha]: 'absent' });
  });

  test('asks for no list of what was absent before', async () => {
    server.always('/apis', body(aggregatedDiscovery({})));
    await read();
    const count = server.requests.length;
    await read();
    assert.deepEqual(paths().slice(count).toSorted(), ['/apis', `/apis/${classic}`, `/apis/${alpha}`]);
  });

  test('finds what the first answer lacks under its own path', async () => {
    server.always('/apis', body(aggregatedDiscovery({ [classic]: ['tiers'] })));
    server.answer(`/apis/${classic}`, body(resourceList(classic, ['tiers', 'networksets'])));
    assert.deepEqual(plain(await read()), { [classic]: ['networksets', 'tiers'], [alpha]: 'absent' });
  });

  test('does not believe what is stale', async () => {
    server.always('/apis', body(aggregatedDiscovery({ [alpha]: ['clusternetworkpolicies'] }, [classic])));
    server.answer(`/apis/${classic}`, refusal(503, 'ServiceUnavailable'));
    assert.deepEqual(plain(await read()), { [classic]: 'unknown', [alpha]: ['clusternetworkpolicies'] });
  });

  test('asks an old server, which lists groups only, for each of them', async () => {
    server.always('/apis', body({ kind: 'APIGroupList', apiVersion: 'v1', groups: [{ name: 'crd.projectcalico.org', versions: [{ groupVersion: classic, version: 'v1' }] }] }));
    server.answer(`/apis/${classic}`, body(resourceList(classic, ['tiers', 'networksets'])));
    assert.deepEqual(plain(await read()), { [classic]: ['networksets', 'tiers'], [alpha]: 'absent' });
  });

  test('asks nothing more while the answer is the same', async () => {
    server.always('/apis', body(aggregatedDiscovery({}), '"one"'));
    const first = await read();
    assert.deepEqual(plain(await read()), plain(first));
    assert.deepEqual(paths().slice(0, -1).toSorted(), ['/apis', `/apis/${classic}`, `/apis/${classic}/networksets`, `/apis/${classic}/tiers`, `/apis/${alpha}`, `/apis/${alpha}/clusternetworkpolicies`]);
    assert.deepEqual([paths().at(-1), server.requests.at(-1)?.ifNoneMatch], ['/apis', '"one"']);
  });

  test('asks everything again when the answer is another one', async () => {
    server.answer('/apis', body(aggregatedDiscovery({}), '"one"'), body(aggregatedDiscovery(both), '"two"'));
    await read();
    assert.deepEqual(plain(await read()), { [classic]: ['ippools', 'networksets', 'tiers'], [alpha]: ['clusternetworkpolicies'] });
  });

  test('asks again for what nobody could tell, although the answer is the same', async () => {
    server.always('/apis', body(aggregatedDiscovery({ [alpha]: ['clusternetworkpolicies'] }), '"one"'));
    server.answer(`/apis/${classic}`, refusal(503, 'ServiceUnavailable'));
    await read();
    assert.deepEqual(plain(await read()), { [classic]: 'absent', [alpha]: ['clusternetworkpolicies'] });
  });

  const failures: Readonly<Record<string, Answer>> = {
    'a refusal': refusal(403, 'Forbidden'),
    'a server without such a path': refusal(404, 'NotFound'),
    'a server that is overloaded': refusal(503, 'ServiceUnavailable'),
    'half an answer': body('{"kind":"APIGroupDiscoveryList","items":['),
    'a page of a proxy': body('<html>'),
    'another object': body({ kind: 'PodList', items: [] }),
    'groups that are no list': body({ kind: 'APIGroupDiscoveryList', items: null }),
    'a group that is no object': body({ kind: 'APIGroupDiscoveryList', items: ['apps'] }),
    '304 to a question without an etag': (response) => void response.writeHead(304).end(),
    'a connection that breaks': (response) => void response.destroy(),
  };
  for (const [what, answer] of Object.entries(failures)) {
    test(`${what} is no answer, and never "not installed"`, async () => {
      server.always('/apis', answer);
      await assert.rejects(read(), { code: /REQUEST_REFUSED|RESPONSE_BROKEN|CONNECTION_FAILED/ });
    });
  }

  const versionFailures: Readonly<Record<string, Answer>> = {
    'a refused token': refusal(401, 'Unauthorized'),
    'a refusal': refusal(403, 'Forbidden'),
    'half an answer': body('{"kind":"APIResourceList","resources":['),
    'another object': body({ kind: 'Status' }),
    'a connection that breaks': (response) => void response.destroy(),
  };
  for (const [what, answer] of Object.entries(versionFailures)) {
    test(`${what} to the second question is no answer either`, async () => {
      server.always('/apis', body(aggregatedDiscovery({})));
      server.always(`/apis/${classic}`, answer);
      await assert.rejects(read(), { code: /REQUEST_REFUSED|RESPONSE_BROKEN|CONNECTION_FAILED/ });
    });
  }

  test('a failure does not make it forget that it must ask everything', async () => {
    server.answer('/apis', body(aggregatedDiscovery({}), '"one"'), refusal(503, 'ServiceUnavailable'), body(aggregatedDiscovery(both), '"two"'));
    await read();
    await assert.rejects(read());
    assert.deepEqual(plain(await read()), { [classic]: ['ippools', 'networksets', 'tiers'], [alpha]: ['clusternetworkpolicies'] });
  });
});
