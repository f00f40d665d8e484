// List and watch against a server that misbehaves in every way that was ever seen, and some more.
//
// Namespaces stand for all kinds. Time is the test's: an attempt after a failure waits until the test lets it pass.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { jsonDecoder } from '../../../src/sync/kubernetes/decoder.ts';
import { loadKubeConfig } from '../../../src/sync/kubernetes/api-access.ts';
import { Reflector, type ReflectorStatus } from '../../../src/sync/kubernetes/reflector.ts';
import { KubernetesTransport, type Timeouts } from '../../../src/sync/kubernetes/transport.ts';
import { InvalidObjects } from '../../../src/sync/resources/invalid-objects.ts';
import { nodes } from '../../../src/sync/resources/cluster-settings.ts';
import { namespaces } from '../../../src/sync/resources/namespace.ts';
import { resourceCache } from '../../../src/sync/resources/resource-cache.ts';
import type { AnyResource } from '../../../src/sync/resources/resource.ts';
import { type Answer, body, bookmark, errorEvent, FakeApiServer, page, refusal, silence, WatchStream } from '../../fakes/api-server.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { Recorder } from '../recorder.ts';
import { context } from '../resources/objects.ts';

const path = '/api/v1/namespaces';
const namespace = (name: string, version: string, labels: Record<string, string> = {}): unknown => ({ metadata: { name, resourceVersion: version, labels } });
const added = (name: string, version: string): unknown => ({ type: 'ADDED', object: namespace(name, version) });
const modified = (name: string, version: string, team = 'a'): unknown => ({ type: 'MODIFIED', object: namespace(name, version, { team }) });
const deleted = (name: string, version: string): unknown => ({ type: 'DELETED', object: namespace(name, version) });
const listPage = (version: string, items: readonly unknown[], token?: string): Answer => page('NamespaceList', version, items, token);
const noStreaming = refusal(422, 'Invalid', { message: 'sendInitialEvents is forbidden' });

describe('a reflector', () => {
  let server: FakeApiServer;
  let clock: FakeClock;
  let recorder: Recorder;
  let transport: KubernetesTransport;
  let reflector: Reflector;
  let initial: boolean[];
  let token: string;

  const failures = (verb: string, reason: string): number => recorder.counter('caracal_sync_request_failures_total', { kind: 'Namespace', verb, reason });
  const status = (): ReflectorStatus => reflector.status;

  const start = (...answers: readonly Answer[]): void => {
    server.answer(path, ...answers);
    reflector.start();
  };
  /** Until the next attempt waits for time to pass. */
  const waits = (): Promise<void> => recorder.until('the reflector to wait', () => clock.waiting > 0);
  /** Lets the longest possible wait pass. */
  const retry = async (): Promise<void> => {
    await waits();
    clock.advance(30_000);
  };

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock(1_000_000);
    recorder = new Recorder();
    initial = [];
    token = 'first';
    connect({ headers: 20_000, silence: 20_000 });
  });

  const connect = (timeouts: Timeouts, kind: AnyResource = namespaces): void => {
    transport = new KubernetesTransport(() => loadKubeConfig({ endpoint: server.url, insecure: true, token }), timeouts);
    reflector = new Reflector({
      cache: resourceCache(kind, context(), new InvalidObjects(recorder.logger, recorder.metrics)),
      apiVersion: 'v1',
      transport,
      decoder: jsonDecoder,
      clock,
      random: () => 0.5,
      metrics: recorder.metrics,
      deliver: (updates, receivedAt, isInitial) => {
        initial.push(isInitial);
        recorder.sink({ resource: 'Namespace', updates, receivedAt });
      },
      onStatus: () => {},
      onRecovered: () => {},
    });
  };
  afterEach(async () => {
    await reflector.stop();
    await transport.close();
    await server[Symbol.asyncDispose]();
  });

  describe('with a server that streams the initial state', () => {
    test('asks for it, and delivers it as one batch however many chunks it comes in', async () => {
      const watch = new WatchStream(added('a', '5'));
      start(watch.answer);
      const { query } = await server.request(1);
      const { timeoutSeconds, ...rest } = query;
      assert.deepEqual(rest, { watch: 'true', allowWatchBookmarks: 'true', sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' });
      assert.ok(Number(timeoutSeconds) >= 300 && Number(timeoutSeconds) < 600);
      watch.send(added('b', '3'));
      watch.send(bookmark('9', true));
      await recorder.batch(1);
      assert.deepEqual([recorder.said, initial], [[['upsert kns.a', 'upsert kns.b']], [true]]);
      assert.ok(status().synced);
    });

    test('delivers an empty initial state too', async () => {
      start(new WatchStream(bookmark('9', true)).answer);
      await recorder.batch(1);
      assert.deepEqual([recorder.said, initial], [[[]], [true]]);
    });

    test('an object that is deleted while the state is streamed is not in it', async () => {
      start(new WatchStream(added('a', '5'), added('b', '6'), deleted('a', '7'), bookmark('9', true)).answer);
      await recorder.batch(1);
      assert.deepEqual(recorder.said, [['upsert kns.b']]);
    });

    test('events of one chunk are one batch, those after the initial state another', async () => {
      const watch = new WatchStream(added('a', '5'), bookmark('9', true), added('b', '10'), added('c', '11'));
      start(watch.answer);
      await recorder.batch(2);
      watch.send(deleted('a', '12'), modified('b', '13'), bookmark('14'));
      await recorder.batch(3);
      assert.deepEqual(recorder.said, [['upsert kns.a'], ['upsert kns.b', 'upsert kns.c'], ['delete kns.a', 'upsert kns.b']]);
      assert.deepEqual(initial, [true, false, false]);
    });

    test('a stream that breaks off before its end is no state; after the second time pages are asked for', async () => {
      const broken = (): Answer => (response) => {
        response.writeHead(200);
        response.write(`${JSON.stringify(added('a', '5'))}\n`);
        setImmediate(() => response.destroy());
      };
      start(broken(), broken(), listPage('7', [namespace('a', '5')]));
      await retry();
      await retry();
      await recorder.batch(1);
      assert.deepEqual(recorder.said, [['upsert kns.a']]);
      assert.equal((await server.request(3)).query['watch'], undefined);
    });

    test('a stream that ends before its end mark is no state either', async () => {
      const watch = new WatchStream(added('a', '5'));
      start(watch.answer, new WatchStream(added('a', '5'), added('b', '6'), bookmark('9', true)).answer);
      await server.request(1);
      watch.end();
      await retry();
      await recorder.batch(1);
      assert.deepEqual(recorder.said, [['upsert kns.a', 'upsert kns.b']]);
    });
  });

  describe('with a server that does not', () => {
    for (const [code, reason] of [[422, 'Invalid'], [400, 'BadRequest'], [406, 'NotAcceptable']] as const) {
      test(`(it answers ${code}) lists in pages at once and without a word`, async () => {
        start(refusal(code, reason), listPage('7', [namespace('a', '5')], 'next'), listPage('7', [namespace('b', '6')]));
        await recorder.batch(1);
        assert.deepEqual(recorder.said, [['upsert kns.a', 'upsert kns.b']]);
        assert.deepEqual((await server.request(2)).query, { limit: '500' });
        assert.deepEqual((await server.request(3)).query, { limit: '500', continue: 'next' });
        const { query } = await server.request(4);
        assert.equal(query['resourceVersion'], '7');
        assert.equal(query['sendInitialEvents'], undefined);
        assert.deepEqual([recorder.lines, status().failure], [[], undefined]);
      });
    }

    test('an empty list is a state', async () => {
      start(noStreaming, listPage('7', []));
      await recorder.batch(1);
      assert.deepEqual([recorder.said, initial], [[[]], [true]]);
    });

    test('never asks it to stream again', async () => {
      const watch = new WatchStream(errorEvent(410, 'Expired'));
      start(noStreaming, listPage('7', []), watch.answer, listPage('9', [namespace('a', '8')]));
      await recorder.batch(2);
      assert.deepEqual((await server.request(4)).query, { limit: '500' });
    });

    for (const [what, broken] of [
      ['a page that is no JSON', body('{"kind": "NamespaceList", "items": [')],
      ['a page of another kind', page('PodList', '7', [])],
      ['a page without items', body({ kind: 'NamespaceList', metadata: { resourceVersion: '7' } })],
      ['items that are null', body({ kind: 'NamespaceList', metadata: { resourceVersion: '7' }, items: null })],
      ['a page without a resourceVersion', body({ kind: 'NamespaceList', metadata: {}, items: [] })],
      ['an empty answer', body('')],
      ['a 500', refusal(500, 'InternalError')],
      ['a 403', refusal(403, 'Forbidden')],
      ['a page that breaks off', ((response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"kind":');
        setImmediate(() => response.destroy());
      }) satisfies Answer],
    ] as const) {
      test(`${what} is never "empty", first or later`, async () => {
        start(noStreaming, broken, listPage('7', [namespace('a', '5')]), new WatchStream(errorEvent(410, 'Expired')).answer, listPage('9', [namespace('a', '5')], 'next'), broken);
        await waits();
        assert.deepEqual([recorder.said, status().synced], [[], false]);
        assert.equal(status().failure?.verb, 'list');
        await retry();
        await recorder.batch(1);
        await recorder.until('the second failure', () => status().failure !== undefined);
        assert.deepEqual(recorder.known, ['kns.a']);
      });
    }

    test('a page that continues with itself is not followed for ever', async () => {
      start(noStreaming, listPage('7', [], 'again'), listPage('7', [], 'again'));
      await waits();
      assert.match(status().failure?.message ?? '', /continues with the page/);
    });

    test('a continue token that has expired starts the list again', async () => {
      start(noStreaming, listPage('7', [namespace('a', '5')], 'next'), refusal(410, 'Expired'), listPage('9', [namespace('b', '8')]));
      await recorder.batch(1);
      assert.deepEqual(recorder.said, [['upsert kns.b']]);
    });
  });

  describe('whose watch ends', () => {
    const synced = (): WatchStream => new WatchStream(added('a', '5'), added('b', '6'), bookmark('9', true));
    const versionOf = async (number: number): Promise<string | undefined> => (await server.request(number)).query['resourceVersion'];

    test('resumes at the last event, at once', async () => {
      const watch = synced();
      start(watch.answer);
      await recorder.batch(1);
      watch.send(modified('a', '12'));
      await recorder.batch(2);
      watch.end();
      assert.equal(await versionOf(2), '12');
      assert.equal(status().failure, undefined);
    });

    test('resumes at the last bookmark', async () => {
      const watch = synced();
      start(watch.answer);
      await recorder.batch(1);
      watch.send(bookmark('20'));
      await recorder.until('the bookmark', () => (recorder.gauge('caracal_sync_last_heard_timestamp_seconds', { kind: 'Namespace' }) ?? 0) > 0);
      watch.send(modified('a', '21'));
      await recorder.batch(2);
      watch.send(bookmark('30'));
      watch.end();
      assert.equal(await versionOf(2), '30');
    });

    test('by a reset in the middle of a line: the half event is no event, and comes whole after the resume', async () => {
      const watch = synced();
      const line = JSON.stringify(modified('a', '12'));
      start(watch.answer, new WatchStream(modified('a', '12')).answer);
      await recorder.batch(1);
      watch.write(line.slice(0, 30));
      await server.request(1);
      watch.reset();
      await retry();
      assert.equal(await versionOf(2), '9');
      await recorder.batch(2);
      assert.deepEqual(recorder.said[1], ['upsert kns.a']);
    });

    test('in the middle of a line without a reset: the same', async () => {
      const watch = synced();
      start(watch.answer, new WatchStream(modified('a', '12')).answer);
      await recorder.batch(1);
      watch.write(JSON.stringify(modified('a', '12')).slice(0, 30));
      watch.end();
      assert.equal(await versionOf(2), '9');
      await recorder.batch(2);
      assert.deepEqual(recorder.said[1], ['upsert kns.a']);
    });

    for (const [what, expire] of [
      ['as HTTP status', refusal(410, 'Expired')],
      ['in the stream, which stays open', new WatchStream(errorEvent(410, 'Expired')).answer],
      ['because the version is from the future', refusal(504, 'Timeout', { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } })],
    ] as const) {
      test(`by 410 ${what}: lists again at once, and what was missed is one batch`, async () => {
        const watch = synced();
        start(watch.answer, expire, new WatchStream(modified('b', '20'), added('c', '21'), bookmark('30', true)).answer);
        await recorder.batch(1);
        watch.end();
        const batch = await recorder.batch(2);
        assert.deepEqual(batch.updates.map(({ op, key }) => `${op} ${key}`), ['delete kns.a', 'upsert kns.b', 'upsert kns.c']);
        assert.deepEqual([initial, status().failure], [[true, false], undefined]);
      });
    }

    test('by 410 again and again does not make it list without a pause', async () => {
      const watch = synced();
      const again = (): Answer => new WatchStream(bookmark('30', true), errorEvent(410, 'Expired')).answer;
      start(watch.answer, refusal(410, 'Expired'), again(), again(), again());
      await recorder.batch(1);
      watch.end();
      await waits();
      assert.ok(server.requests.length <= 4, JSON.stringify(server.requests));
    });

    test('and whose history went back, as after a restored backup: lists again', async () => {
      const watch = synced();
      start(watch.answer, new WatchStream(added('c', '3'), bookmark('4', true)).answer);
      await recorder.batch(1);
      watch.send(bookmark('4'));
      const batch = await recorder.batch(2);
      assert.deepEqual(batch.updates.map(({ op, key }) => `${op} ${key}`), ['delete kns.a', 'delete kns.b', 'upsert kns.c']);
    });

    test('by an error in the stream that is none of the version: resumes after a pause', async () => {
      const watch = synced();
      start(watch.answer);
      await recorder.batch(1);
      watch.send(modified('a', '12'), errorEvent(500, 'InternalError'));
      await recorder.batch(2);
      assert.deepEqual(recorder.said[1], ['upsert kns.a'], 'what came before the error has happened');
      await retry();
      assert.equal(await versionOf(2), '12');
    });

    for (const [what, line] of [
      ['an event without an object', '{"type":"ADDED"}\n'],
      ['text', 'hello\n'],
      ['a list', '[]\n'],
      ['an event of an unknown type', `${JSON.stringify({ type: 'MOVED', object: namespace('a', '19') })}\n`],
      ['a deletion of nobody knows what', '{"type":"DELETED","object":{"metadata":{"resourceVersion":"19"}}}\n'],
    ] as const) {
      test(`by ${what}: keeps what it has, and lists again after a pause`, async () => {
        const watch = synced();
        start(watch.answer, new WatchStream(added('a', '5'), bookmark('30', true)).answer);
        await recorder.batch(1);
        watch.write(line);
        await waits();
        assert.equal(failures('watch', 'ResponseBroken'), 1);
        assert.deepEqual(recorder.known, ['kns.a', 'kns.b']);
        await retry();
        await recorder.batch(2);
        assert.deepEqual(recorder.said[1], ['delete kns.b']);
      });
    }

    test('as soon as it began, again and again, is asked for less and less often', async () => {
      const watch = synced();
      const atOnce: Answer = (response) => void response.writeHead(200).end();
      start(watch.answer, atOnce, atOnce, atOnce);
      await recorder.batch(1);
      watch.end();
      await waits();
      clock.advance(399);
      assert.equal(server.requests.length, 2);
      clock.advance(1);
      await server.request(3);
      await waits();
      clock.advance(799);
      assert.equal(server.requests.length, 3);
      clock.advance(1);
      await server.request(4);
    });
  });

  describe('with a server that refuses', () => {
    test('a kind (403): is not in sync, says verb and reason, and goes on asking', async () => {
      start(refusal(403, 'Forbidden', { message: 'namespaces is forbidden: User "agent" cannot watch' }), new WatchStream(bookmark('9', true)).answer);
      await waits();
      const { failure, synced } = status();
      assert.deepEqual([synced, failure?.verb, failure?.refused, failure?.message], [false, 'watch', true, '403 Forbidden: namespaces is forbidden: User "agent" cannot watch']);
      assert.equal(failures('watch', 'Forbidden'), 1);
      await retry();
      await recorder.batch(1);
      assert.equal(status().failure, undefined);
    });

    test('a kind that it let us read before: keeps what is known', async () => {
      const watch = new WatchStream(added('a', '5'), bookmark('9', true));
      start(watch.answer, refusal(403, 'Forbidden'));
      await recorder.batch(1);
      watch.end();
      await waits();
      assert.deepEqual([recorder.known, status().failure?.refused, status().synced], [['kns.a'], true, true]);
    });

    test('the token (401): reads the credentials again and asks at once', async () => {
      server.answer(path, refusal(401, 'Unauthorized'), new WatchStream(bookmark('9', true)).answer);
      token = 'second';
      reflector.start();
      await recorder.batch(1);
      assert.deepEqual(server.requests.map(({ authorization }) => authorization), ['Bearer first', 'Bearer second']);
      assert.equal(status().failure, undefined);
    });

    test('every token (401): waits, and says so', async () => {
      start(refusal(401, 'Unauthorized'), refusal(401, 'Unauthorized'), new WatchStream(bookmark('9', true)).answer);
      await waits();
      assert.equal(server.requests.length, 2);
      assert.ok(status().failure?.refused);
      await retry();
      await recorder.batch(1);
    });

    test('for now (429): waits for as long as it says', async () => {
      start(refusal(429, 'TooManyRequests', { headers: { 'retry-after': '45' } }), new WatchStream(bookmark('9', true)).answer);
      await waits();
      clock.advance(44_999);
      assert.equal(server.requests.length, 1);
      clock.advance(1);
      await recorder.batch(1);
      assert.equal(failures('watch', 'TooManyRequests'), 1);
    });

    test('for now, in the stream: waits for as long as it says, and resumes', async () => {
      const watch = new WatchStream(bookmark('9', true), errorEvent(429, 'TooManyRequests', { retryAfterSeconds: 45 }));
      start(watch.answer);
      await waits();
      clock.advance(44_999);
      assert.equal(server.requests.length, 1);
      clock.advance(1);
      assert.equal((await server.request(2)).query['resourceVersion'], '9');
    });

    test('with a page of a proxy: says the status', async () => {
      start((response) => void response.writeHead(503, { 'content-type': 'text/html' }).end('<html>'.repeat(1000)));
      await waits();
      assert.equal(status().failure?.message, '503 ServiceUnavailable');
    });
  });

  describe('with a server that is dead', () => {
    beforeEach(() => connect({ headers: 150, silence: 150 }));

    test('and accepts connections only: gives up on an answer and asks again', async () => {
      start(silence, new WatchStream(bookmark('9', true)).answer);
      await waits();
      assert.equal(failures('watch', 'ConnectionFailed'), 1);
      await retry();
      await recorder.batch(1);
    });

    test('in the middle of a watch: notices its silence and resumes', async () => {
      start(new WatchStream(added('a', '5'), bookmark('9', true)).answer);
      await recorder.batch(1);
      await waits();
      assert.equal(status().watching, false);
      assert.deepEqual(recorder.known, ['kns.a']);
      await retry();
      assert.equal((await server.request(2)).query['resourceVersion'], '9');
    });

    test('and back: does not wait any longer when it is told so', async () => {
      start(silence, new WatchStream(bookmark('9', true)).answer);
      await waits();
      reflector.hurry();
      await recorder.batch(1);
      assert.equal(clock.waiting, 0);
    });

    test('waits longer from failure to failure', async () => {
      const reset: Answer = (response) => void response.destroy();
      start(reset, reset, reset, new WatchStream(bookmark('9', true)).answer);
      for (const [i, delay] of [400, 800, 1600].entries()) {
        await recorder.until(`failure ${i + 1}`, () => server.requests.length === i + 1 && clock.waiting > 0);
        clock.advance(delay - 1);
        assert.equal(clock.waiting, 1);
        clock.advance(1);
      }
      await recorder.batch(1);
    });
  });

  test('an event that changes nothing used is no batch, but counted', async () => {
    const watch = new WatchStream(added('a', '5'), bookmark('9', true));
    start(watch.answer);
    await recorder.batch(1);
    watch.send(added('a', '10'));
    watch.send(added('b', '11'));
    await recorder.batch(2);
    assert.deepEqual(recorder.said[1], ['upsert kns.b']);
    assert.equal(recorder.counter('caracal_sync_events_total', { kind: 'Namespace' }), 2);
  });

  test('objects of a kind that is counted only come and go without a batch, and the metric says how many there are', async () => {
    connect({ headers: 20_000, silence: 20_000 }, nodes);
    const watch = new WatchStream(added('a', '5'), bookmark('9', true));
    server.answer('/api/v1/nodes', watch.answer);
    reflector.start();
    const counted = (number: number): Promise<void> => recorder.until(`the metric to say ${number}`, () => recorder.gauge('caracal_sync_objects', { kind: 'Node' }) === number);
    await counted(1);
    watch.send(added('b', '10'));
    await counted(2);
    watch.send(deleted('a', '11'), deleted('b', '12'));
    await counted(0);
    assert.deepEqual(recorder.said, [[]]);
  });

  test('the same name with another object behind it is an update', async () => {
    const watch = new WatchStream(added('a', '5'), bookmark('9', true));
    start(watch.answer);
    await recorder.batch(1);
    watch.send(deleted('a', '10'), modified('a', '11'));
    await recorder.batch(2);
    assert.deepEqual(recorder.said[1], ['delete kns.a', 'upsert kns.a']);
  });

  test('batches carry the moment at which they arrived', async () => {
    const watch = new WatchStream(bookmark('9', true));
    start(watch.answer);
    await recorder.batch(1);
    clock.advance(123);
    watch.send(added('a', '10'));
    assert.equal((await recorder.batch(2)).receivedAt, clock.now());
  });

  test('delivers nothing after stop, and asks for nothing', async () => {
    const watch = new WatchStream(bookmark('9', true));
    start(watch.answer);
    await recorder.batch(1);
    await reflector.stop();
    watch.send(added('a', '10'));
    clock.advance(600_000);
    assert.deepEqual([recorder.batches.length, server.requests.length], [1, 1]);
  });

  test('stops while it waits', async () => {
    start(refusal(500, 'InternalError'));
    await waits();
    await reflector.stop();
    assert.equal(clock.waiting, 0);
  });
});
