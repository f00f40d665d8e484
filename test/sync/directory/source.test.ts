// A folder of manifests as a source, on a real file system.

import assert from 'node:assert/strict';
import { closeSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { DirectorySource, type DirectorySourceOptions } from '../../../src/sync/directory/source.ts';
import { SourceOptionsInvalid } from '../../../src/sync/errors.ts';
import { Recorder } from '../recorder.ts';

const namespace = (name: string, labels = '{}'): string => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: ${labels}}\n---\n`;
const pod = (name: string, ip: string, namespaceName = 'shop'): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${namespaceName}}\nspec: {nodeName: node-1}\nstatus: {podIP: ${ip}}\n---\n`;
const broken = 'apiVersion: [\n';

describe('a folder of manifests', () => {
  let folder: string;
  let recorder: Recorder;
  let source: DirectorySource;

  const file = (name: string): string => path.join(folder, name);
  /** Written under another name and moved into place. */
  const put = (name: string, text: string): void => {
    writeFileSync(file(`.${name}.new`), text);
    renameSync(file(`.${name}.new`), file(name));
  };
  const start = (options: Partial<DirectorySourceOptions> = {}): Promise<void> => {
    source = new DirectorySource({
      path: folder,
      node: 'node-1',
      interfacePrefix: 'cali',
      logger: recorder.logger,
      metrics: recorder.metrics,
      health: recorder.reporter,
      lookAroundInterval: 3_600_000,
      ...options,
    });
    return source.start(recorder.sink);
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'caracal-manifests-'));
    recorder = new Recorder();
  });
  afterEach(async () => {
    await source.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("may hold policies of one name of Kubernetes' kind and of Calico's", async () => {
    const policy = (apiVersion: string, spec: string): string => `apiVersion: ${apiVersion}\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec: ${spec}\n---\n`;
    put('a.yaml', policy('networking.k8s.io/v1', '{podSelector: {}}') + policy('projectcalico.org/v3', '{selector: all()}'));
    await start();
    assert.deepEqual(recorder.said, [['upsert knp/shop/web', 'upsert np/shop/web']]);
    assert.deepEqual(recorder.warnings, []);
  });

  test('is one batch, in sync', async () => {
    put('a.yaml', namespace('shop'));
    put('b.yml', pod('web', '10.1.0.1'));
    put('c.json', JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'runner' } }));
    writeFileSync(file('notes.txt'), 'not read');
    mkdirSync(file('d.yaml'));
    await start();
    assert.deepEqual(recorder.said, [['upsert kns.shop', 'upsert shop/web', 'upsert ksa.shop.runner']]);
    assert.equal(recorder.batches[0]?.inSync, true);
    assert.equal(recorder.health?.ready, true);
    assert.equal(recorder.gauge('caracal_sync_in_sync'), 1);
  });

  test('that is empty is in sync with nothing', async () => {
    await start();
    assert.deepEqual(recorder.batches.map(({ updates, inSync }) => [updates, inSync]), [[[], true]]);
  });

  test('that does not exist is refused with a remedy', async () => {
    rmSync(folder, { recursive: true });
    await assert.rejects(start(), (error) => error instanceof SourceOptionsInvalid && /can't be read.*--path/.test(error.message));
  });

  test('a changed file is one batch with what has changed', async () => {
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.1') + pod('db', '10.1.0.2'));
    await start();
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.9') + pod('api', '10.1.0.3'));
    await recorder.batch(2);
    assert.deepEqual(recorder.said[1]?.toSorted(), ['delete shop/db', 'upsert shop/api', 'upsert shop/web']);
    assert.equal(recorder.batches[1]?.inSync, undefined);
  });

  test('a file that is written in place is read when it is complete', async () => {
    await start();
    writeFileSync(file('a.yaml'), namespace('shop') + pod('web', '10.1.0.1'));
    await recorder.batch(2);
    assert.deepEqual(recorder.known, ['kns.shop', 'shop/web']);
  });

  test('a deleted file takes its objects with it', async () => {
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.1'));
    await start();
    rmSync(file('a.yaml'));
    await recorder.batch(2);
    assert.deepEqual(recorder.known, []);
  });

  test('an editor that renames the old file away before it writes the new one deletes nothing', async () => {
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.1'));
    await start();
    renameSync(file('a.yaml'), file('a.yaml~'));
    writeFileSync(file('a.yaml'), namespace('shop') + pod('web', '10.1.0.2'));
    await recorder.batch(2);
    assert.deepEqual(recorder.said.slice(1), [['upsert shop/web']]);
  });

  test('a rewrite that changes nothing used is no batch', async () => {
    put('a.yaml', namespace('shop'));
    await start();
    put('a.yaml', `# a comment\n${namespace('shop')}`);
    put('b.yaml', namespace('other'));
    await recorder.batch(2);
    assert.deepEqual(recorder.said[1], ['upsert kns.other']);
  });

  test('a file that becomes bad keeps its last good content, and is named with line and reason', async () => {
    put('a.yaml', namespace('shop'));
    await start();
    put('a.yaml', `${namespace('shop')}${broken}`);
    await recorder.until('the warning', () => recorder.warnings.length > 0);
    assert.match(recorder.warnings[0] ?? '', /^a\.yaml:\d+ .*; until it is corrected its last good content holds$/);
    assert.deepEqual([recorder.known, recorder.health?.ready, recorder.gauge('caracal_sync_bad_files')], [['kns.shop'], true, 1]);
    assert.match(recorder.health?.detail ?? '', /a\.yaml:\d+/);
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.1'));
    await recorder.batch(2);
    assert.deepEqual([recorder.known, recorder.gauge('caracal_sync_bad_files')], [['kns.shop', 'shop/web'], 0]);
  });

  test('a file that is emptied keeps its last good content', async () => {
    put('a.yaml', namespace('shop'));
    await start();
    writeFileSync(file('a.yaml'), '');
    await recorder.until('the warning', () => recorder.warnings.length > 0);
    assert.deepEqual(recorder.known, ['kns.shop']);
  });

  test('an object that the API server would refuse makes its file a bad one', async () => {
    put('a.yaml', namespace('shop'));
    await start();
    put('a.yaml', namespace('shop', '{team: "x y"}') + pod('web', '10.1.0.1'));
    await recorder.until('the warning', () => recorder.warnings.length > 0);
    assert.match(recorder.warnings[0] ?? '', /Namespace shop: metadata\.labels\[team\] "x y" is no label value/);
    assert.deepEqual(recorder.known, ['kns.shop']);
  });

  test('a file that is bad at the start withholds in-sync until it is corrected', async () => {
    put('a.yaml', namespace('shop'));
    put('b.yaml', broken);
    await start();
    assert.deepEqual([recorder.known, recorder.inSync, recorder.health?.ready], [['kns.shop'], false, false]);
    assert.match(recorder.health?.detail ?? '', /b\.yaml:2/);
    put('b.yaml', namespace('other'));
    await recorder.until('in-sync', () => recorder.inSync);
    assert.deepEqual([recorder.known, recorder.health?.ready], [['kns.other', 'kns.shop'], true]);
  });

  test('a file that is bad at the start withholds in-sync until it is removed', async () => {
    put('b.yaml', broken);
    await start();
    rmSync(file('b.yaml'));
    await recorder.until('in-sync', () => recorder.inSync);
  });

  test('an object in two files is taken from the one whose name sorts first, with a warning', async () => {
    put('b.yaml', namespace('shop') + pod('web', '10.1.0.2'));
    await start();
    put('a.yaml', pod('web', '10.1.0.1'));
    await recorder.batch(2);
    assert.equal(addressOf('shop/web'), '10.1.0.1');
    assert.match(recorder.warnings[0] ?? '', /^Pod shop\/web is defined twice: a\.yaml:1 is used, b\.yaml:\d+ is not/);
    rmSync(file('a.yaml'));
    await recorder.batch(3);
    assert.equal(addressOf('shop/web'), '10.1.0.2');
  });

  test('an object that moves from one file to another does not vanish in between', async () => {
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.1'));
    await start();
    put('b.yaml', pod('web', '10.1.0.1'));
    await recorder.until('the file to be read', () => recorder.warnings.length > 0);
    put('a.yaml', namespace('shop', '{team: x}'));
    await recorder.batch(2);
    assert.deepEqual(recorder.said.slice(1), [['upsert kns.shop']]);
  });

  test('pods of a namespace without a manifest are named once', async () => {
    put('a.yaml', pod('web', '10.1.0.1') + pod('db', '10.1.0.2'));
    await start();
    assert.equal(recorder.warnings.length, 1);
    assert.match(recorder.warnings[0] ?? '', /^namespace shop has pods but no Namespace manifest/);
  });

  test('kinds that are not read are named once', async () => {
    put('a.yaml', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {}\n');
    put('b.yaml', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {}\n');
    await start();
    assert.deepEqual(recorder.infos.filter((line) => line.includes('Deployment')), ['apps/v1 Deployment objects are not read (first one in a.yaml)']);
  });

  test('files reached through links that are swapped together are one batch, as in a mounted ConfigMap', async () => {
    mkdirSync(file('..1'));
    writeFileSync(file('..1/a.yaml'), namespace('shop'));
    writeFileSync(file('..1/b.yaml'), pod('web', '10.1.0.1'));
    symlinkSync('..1', file('..data'));
    for (const name of ['a.yaml', 'b.yaml']) symlinkSync(`..data/${name}`, file(name));
    await start();
    mkdirSync(file('..2'));
    writeFileSync(file('..2/a.yaml'), namespace('shop', '{team: x}'));
    writeFileSync(file('..2/b.yaml'), pod('web', '10.1.0.2'));
    symlinkSync('..2', file('..data_tmp'));
    renameSync(file('..data_tmp'), file('..data'));
    await recorder.batch(2);
    assert.deepEqual(recorder.said[1], ['upsert kns.shop', 'upsert shop/web']);
  });

  test('a folder that vanishes leaves what was read, says so, and is found again', async () => {
    put('a.yaml', namespace('shop'));
    await start({ lookAroundInterval: 20 });
    rmSync(folder, { recursive: true });
    await recorder.until('the error', () => recorder.errors.length > 0);
    assert.equal(recorder.health?.ready, false);
    mkdirSync(folder);
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.1'));
    await recorder.until('the new content', () => recorder.known.length === 2);
    assert.deepEqual([recorder.known, recorder.errors.length, recorder.health?.ready], [['kns.shop', 'shop/web'], 1, true]);
    assert.ok(recorder.said.every((updates) => updates.every((update) => !update.startsWith('delete'))));
  });

  test('nothing is delivered after stop', async () => {
    await start();
    put('a.yaml', namespace('shop'));
    await source.stop();
    const count = recorder.batches.length;
    put('b.yaml', namespace('other'));
    await setImmediate();
    assert.equal(recorder.batches.length, count);
  });

  test('a file that is no text is a bad one', async () => {
    await start();
    writeFileSync(file('a.yaml'), Buffer.from([0x61, 0xff, 0xfe]));
    await recorder.until('the warning', () => recorder.warnings.length > 0);
    assert.match(recorder.warnings[0] ?? '', /^a\.yaml:1 .*not valid/);
  });

  test('another folder that takes the place of the first one is found by looking around', async () => {
    const [first, second] = ['1', '2'].map((name) => path.join(folder, name));
    assert.ok(first !== undefined && second !== undefined);
    mkdirSync(first);
    mkdirSync(second);
    writeFileSync(path.join(first, 'a.yaml'), namespace('first'));
    writeFileSync(path.join(second, 'a.yaml'), namespace('second'));
    const link = path.join(folder, 'link');
    symlinkSync('1', link);
    await start({ path: link, lookAroundInterval: 20 });
    symlinkSync('2', `${link}.new`);
    renameSync(`${link}.new`, link);
    await recorder.batch(2);
    assert.deepEqual(recorder.known, ['kns.second']);
    writeFileSync(path.join(second, 'b.yaml'), namespace('third'));
    await recorder.batch(3);
    assert.deepEqual(recorder.known, ['kns.second', 'kns.third']);
  });

  test('a file that is written in pieces is not taken before the last one', async () => {
    put('a.yaml', namespace('shop') + pod('web', '10.1.0.1'));
    await start({ quietTime: 200 });
    const descriptor = openSync(file('a.yaml'), 'w');
    for (const piece of [namespace('shop'), pod('web', '10.1.0.2'), pod('db', '10.1.0.3')]) {
      writeSync(descriptor, piece);
      await setImmediate();
    }
    closeSync(descriptor);
    await recorder.batch(2);
    assert.deepEqual(recorder.said.slice(1), [['upsert shop/web', 'upsert shop/db']]);
  });

  function addressOf(key: string): string | undefined {
    const updates = recorder.batches.flatMap((batch) => batch.updates).filter((update) => update.op === 'upsert' && update.key === key);
    const last = updates.at(-1);
    return last?.op === 'upsert' && last.kind === 'endpoint' ? last.value.addresses[0] : undefined;
  }
});
