import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { LegacyDoorbell } from '../../src/dataplane/doorbell-legacy.ts';
import type { Ring } from '../../src/dataplane/doorbell.ts';
import { openRules } from '../../src/dataplane/tools.ts';
import { FakeClock } from '../fakes/clock.ts';
import { eventually } from './harness/eventually.ts';
import { Namespace } from './harness/namespace.ts';

for (const coprocess of [true, false]) {
  describe(`legacy doorbell, ${coprocess ? 'coprocess' : 'a process per change'}`, () => {
    let netns: Namespace;
    let doorbell: LegacyDoorbell;
    let rules: Awaited<ReturnType<typeof openRules>>;
    let rings: Ring[];

    beforeEach(async () => {
      rings = [];
      netns = await Namespace.create('doorbell');
      doorbell = new LegacyDoorbell({ runner: netns.runner(), lockFile: netns.lockFile, intervalMs: 0, onRing: (ring) => rings.push(ring) });
      await doorbell.listening();
      rules = await openRules({ runner: netns.runner(), backend: 'legacy', family: 4, coprocess, observer: doorbell.observer, lockSeconds: 1 });
      await rules.restore('*filter\n:cali-a - [0:0]\n-A cali-a -j ACCEPT\nCOMMIT\n');
    });
    afterEach(async () => {
      await rules.close();
      await doorbell.close();
      await netns.remove();
    });

    const foreign = (...args: string[]): Promise<unknown> => netns.run('iptables-legacy', args, { env: { XTABLES_LOCKFILE: netns.lockFile } });

    test('a foreign change rings for everything', async () => {
      await foreign('-F', 'cali-a');
      const ring = await eventually('it rings', () => rings[0]);
      assert.equal(ring.touched, 'everything');
    });

    test('our own transactions, refused ones among them, do not ring', async () => {
      for (let port = 1; port <= 30; port += 1) {
        await rules.restore(`*filter\n:cali-a - [0:0]\n-A cali-a -p tcp --dport ${port} -j ACCEPT\nCOMMIT\n`);
        if (port % 10 === 0) await assert.rejects(rules.restore('*filter\n-A cali-a --nonsense\nCOMMIT\n'));
      }
      await foreign('-N', 'fence');
      await eventually('it rings', () => rings.length > 0);
      assert.equal(rings.length, 1);
    });

    test('reading does not ring', async () => {
      await rules.save('filter');
      await rules.saveChains?.('filter', ['cali-a']);
      await foreign('-N', 'fence');
      await eventually('it rings', () => rings.length > 0);
      assert.equal(rings.length, 1);
    });

    test('a lock file that is replaced is watched again', async () => {
      await writeFile(`${netns.lockFile}.new`, '');
      await rename(`${netns.lockFile}.new`, netns.lockFile);
      await eventually('it rings', () => rings.length > 0);
      await doorbell.listening();
      rings.length = 0;
      await foreign('-N', 'later');
      await eventually('it rings again', () => rings.length > 0);
    });
  });
}

test('many foreign changes ring at once and then once a second', async () => {
  await using netns = await Namespace.create('doorbell');
  const clock = new FakeClock();
  let rings = 0;
  const doorbell = new LegacyDoorbell({ runner: netns.runner(), lockFile: netns.lockFile, clock, onRing: () => { rings += 1; } });
  await doorbell.listening();
  for (let index = 0; index < 5; index += 1) {
    await netns.run('iptables-legacy', ['-N', `c${index}`], { env: { XTABLES_LOCKFILE: netns.lockFile } });
  }
  await eventually('it has rung, and the next ring is put off', () => rings === 1 && clock.waiting > 0);
  clock.advance(999);
  assert.equal(rings, 1);
  clock.advance(1);
  assert.equal(rings, 2);
  await doorbell.close();
});

test('a closing of ours that is never seen rings', async () => {
  await using netns = await Namespace.create('doorbell');
  const clock = new FakeClock();
  const rings: Ring[] = [];
  const doorbell = new LegacyDoorbell({ runner: netns.runner(), lockFile: netns.lockFile, clock, onRing: (ring) => rings.push(ring) });
  await doorbell.listening();
  doorbell.observer.writing('*filter\nCOMMIT\n', undefined)('done');
  clock.advance(499);
  assert.equal(rings.length, 0);
  clock.advance(1);
  assert.equal(rings.length, 1);
  await doorbell.close();
});
