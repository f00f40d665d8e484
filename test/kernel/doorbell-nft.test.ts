import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { CommandRunner, Child } from '../../src/dataplane/command.ts';
import { NftDoorbell } from '../../src/dataplane/doorbell-nft.ts';
import type { Ring } from '../../src/dataplane/doorbell.ts';
import { openRules } from '../../src/dataplane/tools.ts';
import { eventually } from './harness/eventually.ts';
import { Namespace } from './harness/namespace.ts';

type Rules = Awaited<ReturnType<typeof openRules>>;

for (const hostProcessIds of [true, false]) {
  for (const coprocess of [true, false]) {
    describe(`nft doorbell, ${coprocess ? 'coprocess' : 'a process per change'}, process ids ${hostProcessIds ? 'known' : 'learnt from a trace'}`, () => {
      let netns: Namespace;
      let doorbell: NftDoorbell;
      let rules: Rules;
      let monitors: Child[];
      let rings: Ring[];

      before(async () => {
        netns = await Namespace.create('doorbell');
      });
      after(() => netns.remove());
      beforeEach(async () => {
        rings = [];
        monitors = [];
        const runner = watching(netns.runner(), monitors);
        doorbell = new NftDoorbell({ runner, hostProcessIds, onRing: (ring) => rings.push(ring) });
        await doorbell.listening();
        rules = await openRules({ runner, backend: 'nft', family: 4, coprocess, observer: doorbell.observer });
        await rules.restore('*filter\n:cali-a - [0:0]\n:cali-b - [0:0]\n-A cali-a -j ACCEPT\nCOMMIT\n');
      });
      afterEach(async () => {
        await rules.close();
        await doorbell.close();
        await netns.run('nft', ['flush', 'ruleset']);
      });

      /** Rings once more from outside: what happened before has been heard when it rings. */
      async function flush(): Promise<readonly Ring[]> {
        await netns.run('iptables-nft', ['-N', 'fence']);
        await eventually('the fence rings', () => rings.some((ring) => names(ring).includes('fence')));
        return rings.filter((ring) => !names(ring).includes('fence'));
      }

      test('a foreign change rings with the chain, the process and its name', async () => {
        const foreign = netns.spawn('iptables-nft', ['-F', 'cali-a']);
        const ring = await eventually('it rings', () => rings[0]);
        assert.deepEqual(ring.touched, [{ family: 4, table: 'filter', chain: 'cali-a' }]);
        assert.deepEqual(ring.culprit, { pid: foreign.pid, name: 'iptables-nft' });
      });

      test('our own transactions do not ring', async () => {
        for (let port = 1; port <= 30; port += 1) {
          await rules.restore(`*filter\n:cali-a - [0:0]\n-A cali-a -p tcp --dport ${port} -j ACCEPT\n-A cali-b -j DROP\n-D cali-b -j DROP\nCOMMIT\n`);
        }
        assert.deepEqual(await flush(), []);
      });

      test('reading does not ring', async () => {
        await rules.save('filter');
        await rules.saveChains?.('filter', ['cali-a']);
        assert.deepEqual(await flush(), []);
      });

      test('after a refused transaction our own changes still do not ring', async () => {
        await assert.rejects(rules.restore('*filter\n-A cali-a --nonsense\nCOMMIT\n'));
        await rules.restore('*filter\n-A cali-b -j ACCEPT\nCOMMIT\n');
        assert.deepEqual(await flush(), []);
      });

      test('a monitor that is killed is started again, and all rules are to be read', async () => {
        monitors.at(-1)?.kill();
        await eventually('it rings for everything', () => rings.some(({ touched }) => touched === 'everything'));
        await doorbell.listening();
        rings.length = 0;
        await rules.restore('*filter\n-A cali-b -j ACCEPT\nCOMMIT\n');
        assert.deepEqual(await flush(), []);
      });
    });
  }
}

describe('nft doorbell', () => {
  let netns: Namespace;
  let doorbell: NftDoorbell;
  let rings: Ring[];

  beforeEach(async () => {
    rings = [];
    netns = await Namespace.create('doorbell');
    doorbell = new NftDoorbell({ runner: netns.runner(), onRing: (ring) => rings.push(ring) });
    await doorbell.listening();
  });
  afterEach(async () => {
    await doorbell.close();
    await netns.remove();
  });

  test('a foreign iptables-restore rings although ours has the same name', async () => {
    const rules = await openRules({ runner: netns.runner(), backend: 'nft', family: 4, coprocess: true, observer: doorbell.observer });
    await rules.restore('*filter\n:cali-a - [0:0]\nCOMMIT\n');
    await netns.run('iptables-nft-restore', ['--noflush'], { input: '*filter\n-A cali-a -j ACCEPT\nCOMMIT\n' });
    const ring = await eventually('it rings', () => rings[0]);
    assert.equal(ring.culprit?.name, 'iptables-nft-re');
    await rules.close();
  });

  test('it hears a change that is made the moment it says that it listens', async () => {
    for (let round = 0; round < 10; round += 1) {
      const heard: Ring[] = [];
      const fresh = new NftDoorbell({ runner: netns.runner(), onRing: (ring) => heard.push(ring) });
      await fresh.listening();
      await netns.run('nft', [`add table ip filter; add chain ip filter round${round}`]);
      await eventually('it rings', () => heard.some((ring) => names(ring).includes(`round${round}`)));
      await fresh.close();
    }
  });

  test('a flush of everything rings for each chain that was there', async () => {
    await netns.run('iptables-nft', ['-N', 'cali-a']);
    await netns.run('nft', ['flush', 'ruleset']);
    const ring = await eventually('nft rings', () => rings.find(({ culprit }) => culprit?.name === 'nft'));
    assert.ok(names(ring).includes('cali-a'));
  });

  test('changes of tables that iptables does not know do not ring', async () => {
    await netns.run('nft', ['add table inet other; add chain inet other a; add rule inet other a counter; add table ip calico; add chain ip calico b']);
    await netns.run('iptables-nft', ['-N', 'fence']);
    await eventually('the fence rings', () => rings.some((ring) => names(ring).includes('fence')));
    assert.equal(rings.length, 1);
  });

  test('a native rule that makes the monitor give up rings for everything', async () => {
    await netns.run('nft', ['add table ip filter; add chain ip filter native; add rule ip filter native fib saddr type local accept']);
    await eventually('it rings for everything', () => rings.some(({ touched }) => touched === 'everything'));
  });

  test('both families ring', async () => {
    await netns.run('ip6tables-nft', ['-N', 'six']);
    const ring = await eventually('it rings', () => rings[0]);
    assert.deepEqual(ring.touched, [{ family: 6, table: 'filter', chain: 'six' }]);
  });

  test('a change that overflows the monitor rings for everything, and it listens again', async () => {
    const chains = Array.from({ length: 400 }, (_, index) => `:foreign-${index} - [0:0]\n`).join('');
    const rules = Array.from({ length: 8_000 }, (_, index) => `-A foreign-${index % 400} -s 10.${index >> 8}.${index & 255}.1 -m comment --comment "some words that make the message long ${index}" -j ACCEPT\n`).join('');
    await netns.run('iptables-nft-restore', ['--noflush'], { input: `*filter\n${chains}${rules}COMMIT\n` });
    await eventually('it rings for everything', () => rings.some(({ touched }) => touched === 'everything'));
    await doorbell.listening();
    rings.length = 0;
    await netns.run('iptables-nft', ['-N', 'later']);
    await eventually('it rings again', () => rings.some((ring) => names(ring).includes('later')));
  });
});

test('in a container it is the trace of a coprocess that tells its process id on the host', async () => {
  await using netns = await Namespace.create('container');
  const program = new URL('doorbell-in-container.ts', import.meta.url).pathname;
  // A process namespace of its own, as in a pod without hostPID.
  const { stdout } = await netns.run('unshare', ['--pid', '--fork', '--mount-proc', process.execPath, program]);
  assert.deepEqual(JSON.parse(stdout), { ownRings: 0, foreignRings: 1 });
});

function names(ring: Ring): readonly string[] {
  return ring.touched === 'everything' ? [] : ring.touched.map(({ chain }) => chain);
}

/** A runner that keeps the monitors it starts. */
function watching(runner: CommandRunner, monitors: Child[]): CommandRunner {
  return {
    run: runner.run,
    async spawn(file, args, options) {
      const child = await runner.spawn(file, args, options);
      if (args.includes('xtables-monitor')) monitors.push(child);
      return child;
    },
  };
}
