// Discovery against a real API server, above all one that has just started and has not found yet what is installed.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { isRequestFailure } from '../../src/sync/errors.ts';
import { loadKubeConfig } from '../../src/sync/kubernetes/api-access.ts';
import { Discovery, type ServedApis } from '../../src/sync/kubernetes/discovery.ts';
import { KubernetesTransport, type Transport } from '../../src/sync/kubernetes/transport.ts';
import { ApiServer } from './harness/api-server.ts';
import { calicoCrds, CLASSIC, installCrds, MODERN } from './harness/crds.ts';

const ROUNDS = 5;
const wanted = new Map([CLASSIC, MODERN].map((apiVersion) => [apiVersion, new Set(['tiers', 'networksets'])]));
const has = (served: ServedApis, apiVersion: string): boolean | string => {
  const resources = served.get(apiVersion) ?? 'unknown';
  return typeof resources === 'string' ? resources : ['tiers', 'networksets'].every((plural) => resources.has(plural));
};

describe('discovery on a real API server', () => {
  let server: ApiServer;
  let transport: KubernetesTransport;
  const { signal } = new AbortController();

  before(async () => {
    server = await ApiServer.start();
    await installCrds(server.admin, calicoCrds(CLASSIC));
    transport = new KubernetesTransport(() => loadKubeConfig({ kubeconfig: server.kubeconfig('admin') }));
  });
  after(async () => {
    await transport.close();
    await server.close();
  });

  test('finds what is served and what is not, and is told when nothing has changed', async () => {
    const discovery = new Discovery(transport, wanted);
    const first = await discovery.read(signal);
    assert.deepEqual([has(first, CLASSIC), has(first, MODERN)], [true, 'absent']);
    assert.equal(await discovery.read(signal), first);
  });

  test('finds the same where lists of groups are all it is given, as by an old server', async () => {
    const plain: Transport = {
      get: (path, query, options) => transport.get(path, query, { ...options, accept: 'application/json' }),
      renewCredentials: () => {},
      close: async () => {},
    };
    const served = await new Discovery(plain, wanted).read(signal);
    assert.deepEqual([has(served, CLASSIC), has(served, MODERN)], [true, 'absent']);
  });

  test('never takes what a server that starts has not found yet for not installed', async () => {
    const found = new Set<boolean | string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      await server.kill();
      let started = false;
      const restart = server.restart().finally(() => {
        started = true;
      });
      while (!started) {
        try {
          found.add(has(await new Discovery(transport, wanted).read(signal), CLASSIC));
        } catch (error) {
          if (!isRequestFailure(error)) throw error;
          await turn();
        }
      }
      await restart;
    }
    found.delete('unknown');
    assert.deepEqual([...found], [true]);
  });
});
