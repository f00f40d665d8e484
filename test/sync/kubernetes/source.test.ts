// The source with kinds that may not be installed, against a server that says what the test says: when it is in sync and ready,
// what it asks for, and what it still knows.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { KubernetesSource, type KubernetesSourceOptions, type KindStatus } from '../../../src/sync/kubernetes/source.ts';
import { globalNetworkPolicies } from '../../../src/sync/resources/global-network-policy.ts';
import { networkPolicies } from '../../../src/sync/resources/network-policy.ts';
import { namespaces } from '../../../src/sync/resources/namespace.ts';
import type { AnyResource } from '../../../src/sync/resources/resource.ts';
import { serviceAccounts } from '../../../src/sync/resources/service-account.ts';
import { aggregatedDiscovery, body, bookmark, errorEvent, FakeApiServer, refusal, resourceList, WatchStream } from '../../fakes/api-server.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { Recorder } from '../recorder.ts';

const classic = 'crd.projectcalico.org/v1';
const modern = 'projectcalico.org/v3';
/** Kinds that are decoded as others are, so that nothing but their being there matters. */
const zones = { ...serviceAccounts, kind: 'Zone', plural: 'zones', namespaced: false, isOptional: true, apiVersion: classic, otherApiVersions: [modern], key: ({ name }: { name: string }) => `zone ${name}` } as AnyResource;
const areas = { ...zones, kind: 'Area', plural: 'areas', gating: 'unless-refused', key: ({ name }: { name: string }) => `area ${name}` } as AnyResource;
const notes = { ...zones, kind: 'Note', plural: 'notes', gating: 'none', key: ({ name }: { name: string }) => `note ${name}` } as AnyResource;

const pathOf = (plural: string, apiVersion = classic): string => `/apis/${apiVersion}/${plural}`;
const meta = (name: string, version: string): unknown => ({ metadata: { name, namespace: 'shop', resourceVersion: version } });
const added = (name: string, version: string): unknown => ({ type: 'ADDED', object: meta(name, version) });
const deleted = (name: string, version: string): unknown => ({ type: 'DELETED', object: meta(name, version) });

describe('a source of kinds that need not be installed', () => {
  let server: FakeApiServer;
  let clock: FakeClock;
  let recorder: Recorder;
  let source: KubernetesSource;

  const start = async (kinds: readonly AnyResource[] = [namespaces, zones], options: Partial<KubernetesSourceOptions> = {}): Promise<void> => {
    const { logger, metrics, reporter: health } = recorder;
    source = new KubernetesSource({ access: { endpoint: server.url, insecure: true }, node: 'node-1', interfacePrefix: 'cali', logger, metrics, health, clock, random: () => 0.5, kinds, ...options });
    await source.start(recorder.sink);
  };
  /** What discovery answers from now on; nothing else is there. */
  const serve = (served: Readonly<Record<string, readonly string[]>>): void => {
    server.always('/apis', body(aggregatedDiscovery(served), JSON.stringify(served)));
    for (const apiVersion of [classic, modern]) {
      const plurals = served[apiVersion];
      server.always(`/apis/${apiVersion}`, plurals === undefined ? refusal(404, 'NotFound') : body(resourceList(apiVersion, plurals)));
    }
  };
  const status = (kind: string): KindStatus => source.status.find((each) => each.kind === kind) ?? assert.fail(`no ${kind}`);
  const watched = (path: string): number => server.requests.filter((request) => request.path === path && request.query['watch'] === 'true').length;
  const gaugeOf = (name: string, kind: string): number | undefined => recorder.gauge(name, { kind });
  const discovered = (times: number): Promise<void> => recorder.until(`question ${times} to discovery`, () => server.count('/apis') >= times && clock.waiting > 0);
  /** Until nothing happens any more: discovery waits for its next time, and so many kinds for theirs. */
  const quiet = (failing: number): Promise<void> => recorder.until('quiet', () => clock.waiting === failing + 1);
  /** Lets time pass until discovery was asked again and has its answers. */
  const rediscover = async (milliseconds = 60_000, timers: { readonly failing?: number; readonly failingThen?: number } = {}): Promise<void> => {
    const { failing = 0, failingThen = failing } = timers;
    await quiet(failing);
    const asked = server.count('/apis');
    clock.advance(milliseconds);
    await recorder.until('another question to discovery', () => server.count('/apis') > asked);
    await quiet(failingThen);
  };

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock(1_000_000);
    recorder = new Recorder();
    // What is not served is not there; what is, and has no other answer, is a watch that says nothing.
    for (const apiVersion of [classic, modern]) {
      for (const plural of ['zones', 'areas', 'notes']) {
        server.always(pathOf(plural, apiVersion), (response, request) => (request.query['limit'] === '1' ? refusal(404, 'NotFound') : new WatchStream().answer)(response, request));
      }
    }
    server.always('/api/v1/namespaces', new WatchStream(added('shop', '3'), bookmark('9', true)).answer);
  });
  afterEach(async () => {
    await source.stop();
    await server[Symbol.asyncDispose]();
  });

  test('is not ready while a global policy that was good has a selector that cannot be read: it is gone, and named', async () => {
    const path = pathOf(globalNetworkPolicies.plural);
    const policy = (selector: string, version: string): unknown => ({ type: version === '3' ? 'ADDED' : 'MODIFIED', object: { apiVersion: classic, metadata: { name: 'web', resourceVersion: version }, spec: { selector, ingress: [{ action: 'Deny' }] } } });
    const watch = new WatchStream();
    serve({ [classic]: [globalNetworkPolicies.plural] });
    server.always(pathOf(globalNetworkPolicies.plural, modern), refusal(404, 'NotFound'));
    server.answer(path, watch.answer);
    await start([namespaces, globalNetworkPolicies]);
    await recorder.until('the request for it', () => watched(path) === 1);
    watch.send(policy('all()', '3'), bookmark('9', true));
    await recorder.until('in-sync', () => recorder.inSync);
    assert.deepEqual([recorder.health?.ready, gaugeOf('caracal_sync_invalid_objects', 'GlobalNetworkPolicy')], [true, undefined]);
    watch.send(policy('all(', '10'));
    await recorder.until('unready', () => recorder.health?.ready === false);
    assert.deepEqual([recorder.said.at(-1), recorder.known.includes('gnp/web')], [['delete gnp/web'], false]);
    assert.match(recorder.health?.detail ?? '', /GlobalNetworkPolicy web/);
    assert.equal(gaugeOf('caracal_sync_invalid_objects', 'GlobalNetworkPolicy'), 1);
    assert.equal(recorder.errors.length, 1);
    watch.send(policy('has(a)', '11'));
    await recorder.until('ready', () => recorder.health?.ready === true);
    assert.deepEqual([recorder.said.at(-1), gaugeOf('caracal_sync_invalid_objects', 'GlobalNetworkPolicy')], [['upsert gnp/web'], 0]);
  });

  describe('that are not', () => {
    beforeEach(() => serve({}));

    test('is in sync without them, and watches none of them', async () => {
      await start();
      await recorder.until('in-sync', () => recorder.inSync);
      assert.equal(recorder.health?.ready, true);
      assert.deepEqual([status('Zone').installed, status('Zone').synced], ['no', false]);
      assert.deepEqual(server.requests.filter(({ path }) => path === pathOf('zones')).map(({ query }) => query), [{ limit: '1' }]);
      assert.equal(gaugeOf('caracal_sync_installed', 'Zone'), 0);
      assert.deepEqual([recorder.warnings, recorder.errors], [[], []]);
    });

    test('asks discovery again within a minute, which costs nothing while nothing has changed', async () => {
      await start();
      await discovered(1);
      const asked = server.requests.length;
      await rediscover(55_000);
      await rediscover(55_000);
      assert.deepEqual(server.requests.slice(asked).map(({ path }) => path), ['/apis', '/apis']);
      assert.ok(server.requests.at(-1)?.ifNoneMatch !== undefined);
    });

    test('picks one up when it is installed: its first list as one batch, and ready all the time', async () => {
      await start();
      await recorder.until('in-sync', () => recorder.inSync);
      const watch = new WatchStream();
      server.answer(pathOf('zones'), watch.answer);
      serve({ [classic]: ['zones'] });
      await rediscover();
      await recorder.until('the request for it', () => watched(pathOf('zones')) === 1);
      assert.equal(recorder.health?.ready, true);
      watch.send(added('a', '3'), added('b', '4'));
      watch.send(bookmark('9', true));
      await recorder.until('its objects', () => recorder.known.includes('zone b'));
      assert.deepEqual(recorder.said.at(-1), ['upsert zone a', 'upsert zone b']);
      assert.deepEqual(recorder.batches.map(({ inSync }) => inSync === true).filter(Boolean), [true]);
      assert.ok(recorder.infos.some((line) => line === 'zones.crd.projectcalico.org are installed now and are read'), recorder.lines.join('\n'));
      assert.equal(gaugeOf('caracal_sync_installed', 'Zone'), 1);
    });

    test('one that is installed later and refused is named, and not ready', async () => {
      await start();
      await recorder.until('in-sync', () => recorder.inSync);
      server.always(pathOf('zones'), refusal(403, 'Forbidden'));
      serve({ [classic]: ['zones'] });
      await rediscover(60_000, { failingThen: 1 });
      await recorder.until('the refusal', () => recorder.errors.length > 0);
      assert.equal(recorder.health?.ready, false);
      assert.match(recorder.health?.detail ?? '', /^in sync; watch zones\.crd\.projectcalico\.org failed: 403 Forbidden.*grant the verbs list and watch/);
      assert.equal(gaugeOf('caracal_sync_refused', 'Zone'), 1);
    });
  });

  describe('that are', () => {
    beforeEach(() => serve({ [classic]: ['zones', 'areas', 'notes'] }));

    test('is not in sync before their first list', async () => {
      const watch = new WatchStream();
      server.answer(pathOf('zones'), watch.answer);
      await start();
      await recorder.until('the request for it', () => watched(pathOf('zones')) === 1 && recorder.known.includes('kns.shop'));
      assert.deepEqual([recorder.inSync, recorder.health?.ready], [false, false]);
      assert.match(recorder.health?.detail ?? '', /not listed yet: zones\.crd\.projectcalico\.org$/);
      watch.send(added('a', '3'), bookmark('9', true));
      await recorder.until('in-sync', () => recorder.inSync);
      assert.deepEqual([recorder.batches.at(-1)?.inSync, recorder.said.at(-1), recorder.health?.ready], [true, ['upsert zone a'], true]);
    });

    test('is not in sync while one that may not be refused is; the others go on', async () => {
      server.always(pathOf('zones'), refusal(403, 'Forbidden'));
      await start();
      await recorder.until('the refusal', () => recorder.errors.length > 0 && recorder.known.includes('kns.shop'));
      assert.deepEqual([recorder.inSync, recorder.health?.ready, status('Zone').installed], [false, false, 'yes']);
    });

    test('is in sync and ready while one that may be refused is: one warning and a gauge', async () => {
      server.always(pathOf('areas'), refusal(403, 'Forbidden'));
      await start([namespaces, areas]);
      await recorder.until('in-sync', () => recorder.inSync);
      assert.deepEqual([recorder.health?.ready, gaugeOf('caracal_sync_refused', 'Area'), recorder.errors], [true, 1, []]);
      assert.match(recorder.warnings.join('\n'), /^watch areas\.crd\.projectcalico\.org failed: 403 Forbidden.*grant the verbs list and watch[^\n]*$/);
      server.always(pathOf('areas'), new WatchStream(added('a', '3'), bookmark('9', true)).answer);
      await recorder.until('the wait', () => clock.waiting > 0);
      clock.advance(30_000);
      await recorder.until('its objects', () => recorder.known.includes('area a'));
      assert.equal(gaugeOf('caracal_sync_refused', 'Area'), 0);
    });

    test('is not in sync before the first list of one that may be refused and is not', async () => {
      const watch = new WatchStream();
      server.answer(pathOf('areas'), watch.answer);
      await start([namespaces, areas]);
      await recorder.until('the request for it', () => watched(pathOf('areas')) === 1 && recorder.known.includes('kns.shop'));
      assert.equal(recorder.inSync, false);
      watch.send(bookmark('9', true));
      await recorder.until('in-sync', () => recorder.inSync);
    });

    test('does not wait for one on which nothing depends', async () => {
      await start([namespaces, notes]);
      await recorder.until('in-sync', () => recorder.inSync && status('Note').installed === 'yes');
      assert.deepEqual([recorder.health?.ready, status('Note').synced], [true, false]);
    });

    test('asks discovery no more when everything is installed', async () => {
      server.answer(pathOf('zones'), new WatchStream(bookmark('9', true)).answer);
      await start();
      await recorder.until('in-sync', () => recorder.inSync);
      clock.advance(600_000);
      await recorder.until('nothing', () => true);
      assert.equal(server.count('/apis'), 1);
    });
  });

  describe('while discovery', () => {
    for (const [what, answer] of [
      ['fails', refusal(503, 'ServiceUnavailable')],
      ['breaks off', body('{"kind":"APIGroupDiscoveryList","items":[')],
    ] as const) {
      test(`${what}: is not in sync, for that is not "not installed"; then it is`, async () => {
        serve({});
        server.answer('/apis', answer, answer);
        await start();
        await recorder.until('namespaces', () => recorder.known.includes('kns.shop'));
        for (const times of [1, 2]) {
          await discovered(times);
          assert.deepEqual([recorder.inSync, recorder.health?.ready, status('Zone').installed], [false, false, 'unknown']);
          assert.match(recorder.health?.detail ?? '', /get \/apis failed/);
          clock.advance(30_000);
        }
        await recorder.until('in-sync', () => recorder.inSync);
        assert.deepEqual(recorder.batches.at(-1), { resource: 'API discovery', updates: [], receivedAt: recorder.batches.at(-1)?.receivedAt, inSync: true });
      });
    }

    test('is refused: is not in sync, and says what is to be granted', async () => {
      server.always('/apis', refusal(403, 'Forbidden'));
      await start();
      await recorder.until('the refusal', () => recorder.errors.length > 0);
      assert.match(recorder.errors[0] ?? '', /^get \/apis failed: 403 Forbidden.*system:discovery$/);
      assert.deepEqual([recorder.inSync, recorder.health?.ready], [false, false]);
    });

    test('cannot tell of one group: is not in sync', async () => {
      serve({});
      server.always(`/apis/${classic}`, refusal(503, 'ServiceUnavailable'));
      await start();
      await discovered(1);
      await recorder.until('namespaces', () => recorder.known.includes('kns.shop'));
      assert.deepEqual([recorder.inSync, status('Zone').installed], [false, 'unknown']);
      assert.match(recorder.health?.detail ?? '', /the API server cannot tell yet whether these are installed: zones\.crd\.projectcalico\.org$/);
      serve({});
      // Asked again as after a failure, not only a minute later.
      await rediscover(800);
      await recorder.until('in-sync', () => recorder.inSync);
    });

    test('fails later: stays in sync, and what is known holds', async () => {
      serve({ [classic]: ['zones'] });
      server.answer(pathOf('zones'), new WatchStream(added('a', '3'), bookmark('9', true)).answer);
      await start([namespaces, zones, notes]);
      await recorder.until('in-sync', () => recorder.inSync);
      server.always('/apis', refusal(503, 'ServiceUnavailable'));
      for (let i = 0; i < 4; i += 1) await rediscover();
      assert.deepEqual([recorder.health?.ready, recorder.known, status('Zone').installed], [true, ['kns.shop', 'zone a'], 'yes']);
    });
  });

  describe('of which one is taken away', () => {
    let watch: WatchStream;
    beforeEach(async () => {
      serve({ [classic]: ['zones'] });
      watch = new WatchStream(added('a', '3'), bookmark('9', true));
      server.answer(pathOf('zones'), watch.answer);
      server.always(pathOf('zones'), refusal(404, 'NotFound'));
      await start();
      await recorder.until('in-sync', () => recorder.inSync);
    });
    const missing = (): Promise<void> => recorder.until('the 404', () => status('Zone').failure?.missing === true);

    test('asks discovery at once, keeps what it knows until that has said twice that it is gone, and is ready all the time', async () => {
      serve({});
      watch.end();
      await missing();
      await rediscover(5_000, { failing: 1 });
      assert.deepEqual([recorder.known, recorder.health?.ready, status('Zone').installed], [['kns.shop', 'zone a'], true, 'yes']);
      assert.match(recorder.health?.detail ?? '', /watch zones\.crd\.projectcalico\.org failed: 404.*API discovery is asked/);
      await rediscover(20_000, { failing: 1, failingThen: 0 });
      await recorder.until('it to be forgotten', () => recorder.known.length === 1);
      assert.deepEqual([recorder.said.at(-1), recorder.health?.ready, recorder.health?.detail], [['delete zone a'], true, 'in sync']);
      assert.ok(recorder.warnings.some((line) => line.startsWith('zones.crd.projectcalico.org are not installed any more')), recorder.lines.join('\n'));
      assert.ok(!recorder.lines.some((line) => line.includes('lets us read')));
      assert.equal(gaugeOf('caracal_sync_objects', 'Zone'), 0);
    });

    test('asks for it no more when it is gone, and finds it when it comes back', async () => {
      serve({});
      watch.end();
      await missing();
      await rediscover(5_000, { failing: 1 });
      await rediscover(20_000, { failing: 1, failingThen: 0 });
      await recorder.until('it to be forgotten', () => status('Zone').installed === 'no');
      const asked = watched(pathOf('zones'));
      await rediscover();
      assert.equal(watched(pathOf('zones')), asked);
      serve({ [classic]: ['zones'] });
      server.answer(pathOf('zones'), new WatchStream(added('b', '30'), bookmark('40', true)).answer);
      await rediscover();
      await recorder.until('its objects', () => recorder.known.includes('zone b'));
      assert.equal(status('Zone').synced, true);
    });

    test('a 404 of a kind that discovery knows is not the end of it: listed anew, with the difference as one batch', async () => {
      watch.end();
      await missing();
      server.answer(pathOf('zones'), new WatchStream(added('b', '12'), bookmark('19', true)).answer);
      await rediscover(5_000, { failing: 1, failingThen: 0 });
      await recorder.until('its objects', () => recorder.known.includes('zone b'));
      assert.deepEqual(recorder.said.at(-1), ['delete zone a', 'upsert zone b']);
      assert.equal(status('Zone').failure, undefined);
    });

    test('no failure of discovery makes it gone', async () => {
      server.always('/apis', refusal(503, 'ServiceUnavailable'));
      watch.end();
      await missing();
      for (let i = 0; i < 5; i += 1) await rediscover(60_000, { failing: 1 });
      assert.deepEqual([recorder.known, status('Zone').installed], [['kns.shop', 'zone a'], 'yes']);
    });

    test('its last objects go with their events, which the API server sends first', async () => {
      watch.send(deleted('a', '12'));
      await recorder.until('the event', () => recorder.known.length === 1);
      serve({});
      watch.end();
      await missing();
      await rediscover(5_000, { failing: 1 });
      await rediscover(20_000, { failing: 1, failingThen: 0 });
      await recorder.until('it to be forgotten', () => status('Zone').installed === 'no');
      assert.equal(recorder.said.flat().filter((each) => each === 'delete zone a').length, 1);
    });
  });

  test('a watch that is open is believed before discovery is', async () => {
    serve({ [classic]: ['zones'] });
    const watch = new WatchStream(added('a', '3'), bookmark('9', true));
    server.answer(pathOf('zones'), watch.answer);
    await start([namespaces, zones, notes]);
    await recorder.until('in-sync', () => recorder.inSync);
    serve({});
    for (let i = 0; i < 4; i += 1) await rediscover();
    watch.send(added('b', '12'));
    await recorder.until('the event', () => recorder.known.includes('zone b'));
    assert.deepEqual(recorder.known, ['kns.shop', 'zone a', 'zone b']);
  });

  describe('that two groups serve', () => {
    const stream = (plural: string, apiVersion: string, ...names: string[]): WatchStream => {
      const watch = new WatchStream(...names.map((name, i) => added(name, String(i + 3))), bookmark('9', true));
      server.answer(pathOf(plural, apiVersion), watch.answer);
      return watch;
    };

    test('reads one of them, and says which it does not', async () => {
      serve({ [classic]: ['zones'], [modern]: ['zones'] });
      stream('zones', classic, 'a');
      await start();
      await recorder.until('in-sync', () => recorder.inSync);
      assert.equal(watched(pathOf('zones', modern)), 0);
      assert.match(recorder.infos.join('\n'), /also served by projectcalico\.org\/v3, which is not read; CALICO_API_GROUP/);
    });

    test('reads the one that is asked for', async () => {
      serve({ [classic]: ['zones'], [modern]: ['zones'] });
      stream('zones', modern, 'b');
      await start([namespaces, zones], { apiGroup: modern });
      await recorder.until('in-sync', () => recorder.inSync);
      assert.deepEqual([recorder.known, watched(pathOf('zones'))], [['kns.shop', 'zone b'], 0]);
      assert.equal(status('Zone').plural, 'zones.projectcalico.org');
    });

    test('changes over when the one is gone and the other is there: the old objects hold until the new list is complete', async () => {
      serve({ [classic]: ['zones'] });
      const old = stream('zones', classic, 'a', 'both');
      server.always(pathOf('zones'), refusal(404, 'NotFound'));
      await start();
      await recorder.until('in-sync', () => recorder.inSync);
      serve({ [modern]: ['zones'] });
      const next = new WatchStream(added('both', '3'));
      server.answer(pathOf('zones', modern), next.answer);
      old.end();
      await recorder.until('the 404', () => status('Zone').failure?.missing === true);
      await rediscover(5_000, { failing: 1 });
      await rediscover(20_000, { failing: 1, failingThen: 0 });
      await recorder.until('the request to the other group', () => watched(pathOf('zones', modern)) === 1);
      assert.deepEqual([recorder.known, recorder.health?.ready], [['kns.shop', 'zone a', 'zone both'], true]);
      next.send(added('b', '4'), bookmark('9', true));
      await recorder.until('its objects', () => recorder.known.includes('zone b'));
      assert.deepEqual(recorder.said.at(-1), ['delete zone a', 'upsert zone b']);
    });
  });

  test('a kind that every server has needs no discovery', async () => {
    server.answer('/apis/networking.k8s.io/v1/networkpolicies', new WatchStream(bookmark('9', true)).answer);
    await start([namespaces, networkPolicies]);
    await recorder.until('in-sync', () => recorder.inSync);
    assert.equal(server.count('/apis'), 0);
  });

  test('delivers nothing after stop, whatever discovery says', async () => {
    serve({ [classic]: ['zones'] });
    const watch = new WatchStream(added('a', '3'), bookmark('9', true), errorEvent(404, 'NotFound'));
    server.answer(pathOf('zones'), watch.answer);
    await start();
    await recorder.until('in-sync', () => recorder.inSync);
    await source.stop();
    const count = recorder.batches.length;
    serve({});
    clock.advance(600_000);
    assert.deepEqual([recorder.batches.length, clock.waiting], [count, 0]);
  });
});
