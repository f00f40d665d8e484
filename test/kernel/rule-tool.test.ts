import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { OutcomeUnknown, ReadFailed, TransactionRefused } from '../../src/dataplane/errors.ts';
import { RestoreCoprocess } from '../../src/dataplane/restore-coprocess.ts';
import { openRules, toolName } from '../../src/dataplane/tools.ts';
import type { Backend } from '../../src/dataplane/tools.ts';
import { eventually, isRunning } from './harness/eventually.ts';
import { Namespace } from './harness/namespace.ts';

const forms = [
  { backend: 'nft', coprocess: true }, { backend: 'nft', coprocess: false },
  { backend: 'legacy', coprocess: true }, { backend: 'legacy', coprocess: false },
] as const;

for (const { backend, coprocess } of forms) {
  describe(`${backend} rules, ${coprocess ? 'coprocess' : 'a process per change'}`, () => {
    let netns: Namespace;
    let rules: Awaited<ReturnType<typeof openRules>>;

    before(async () => {
      netns = await Namespace.create('rules');
      rules = await openRules({ runner: netns.runner(), backend, family: 4, coprocess, lockSeconds: 1, lockFile: netns.lockFile });
    });
    after(async () => {
      await rules.close();
      await netns.remove();
    });
    beforeEach(() => flush(netns, backend));

    test('a transaction is in the kernel when it is acknowledged', async () => {
      for (let port = 1; port <= 20; port += 1) {
        await rules.restore(chainWith(`-A cali-a -p tcp --dport ${port} -j ACCEPT`));
        assert.match(await saved(netns, backend), new RegExp(`-A cali-a -p tcp -m tcp --dport ${port} -j ACCEPT`));
      }
    });

    test('a transaction that the tool cannot parse changes nothing and names its line', async () => {
      await rules.restore(chainWith('-A cali-a -j ACCEPT'));
      const before = await saved(netns, backend);
      const refused = await rejection(rules.restore('*filter\n:cali-a - [0:0]\n-A cali-a -j DROP\n-A cali-a -p tcp --dport 99999 -j DROP\nCOMMIT\n'), TransactionRefused);
      assert.equal(refused.line, 4);
      assert.match(refused.output, /99999/);
      assert.equal(await saved(netns, backend), before);
    });

    test('a transaction that the kernel refuses changes nothing', async () => {
      await rules.restore('*filter\n:cali-a - [0:0]\n:cali-b - [0:0]\n-A cali-a -j cali-b\nCOMMIT\n');
      const before = await saved(netns, backend);
      const refused = await rejection(rules.restore('*filter\n-A cali-b -j DROP\n-X cali-b\n-A cali-a -j ACCEPT\nCOMMIT\n'), TransactionRefused);
      assert.equal(refused.line, 3);
      assert.equal(await saved(netns, backend), before);
    });

    test('the line of a refusal counts from the start of its own transaction', async () => {
      await rules.restore(chainWith('-A cali-a -j ACCEPT'));
      await rules.restore(chainWith('-A cali-a -j DROP'));
      const refused = await rejection(rules.restore(chainWith('-A cali-a -j ACCEPT --nonsense')), TransactionRefused);
      assert.equal(refused.line, 3);
    });

    test('after a refusal the next transaction is committed', async () => {
      await rejection(rules.restore(chainWith('-A cali-a --nonsense')), TransactionRefused);
      await rules.restore(chainWith('-A cali-a -j ACCEPT'));
      assert.match(await saved(netns, backend), /-A cali-a -j ACCEPT/);
    });

    test('transactions asked for at once are committed in order', async () => {
      await Promise.all(['1', '2', '3'].map((port) => rules.restore(chainWith(`-A cali-a -p udp --dport ${port} -j ACCEPT`))));
      assert.deepEqual(ofChain(await saved(netns, backend), 'cali-a'), ['-A cali-a -p udp -m udp --dport 3 -j ACCEPT']);
    });

    test('what somebody else changed in between is respected', async () => {
      await rules.restore('*filter\n:cali-a - [0:0]\n-A cali-a -j ACCEPT\n-A cali-a -j DROP\nCOMMIT\n');
      await netns.run(toolName(backend, 4), ['-F', 'cali-a'], { env: { XTABLES_LOCKFILE: netns.lockFile } });
      await rules.restore('*filter\n-A cali-a -j RETURN\nCOMMIT\n');
      assert.deepEqual(ofChain(await saved(netns, backend), 'cali-a'), ['-A cali-a -j RETURN']);
    });

    test('a table of ten thousand rules is committed whole', async () => {
      const lines = Array.from({ length: 10_000 }, (_, index) => `-A cali-a -s 10.${index >> 8}.${index & 255}.0/24 -j ACCEPT\n`);
      await rules.restore(`*filter\n:cali-a - [0:0]\n${lines.join('')}COMMIT\n`);
      assert.equal(ofChain(await rules.save('filter'), 'cali-a').length, 10_000);
    });

    test('a table is read as iptables-save prints it', async () => {
      await rules.restore(chainWith('-A cali-a -m comment --comment "cali:abc" -j ACCEPT'));
      const table = await rules.save('filter');
      assert.match(table, /^\*filter\n:INPUT ACCEPT/m);
      assert.match(table, /-A cali-a -m comment --comment "?cali:abc"? -j ACCEPT/);
      assert.match(table, /^COMMIT$/m);
    });

    if (coprocess) {
      test('single chains are read in the same form, and one that does not exist is no answer', async () => {
        const list = (...chains: string[]): Promise<string> => rules.saveChains?.('filter', chains) ?? assert.fail('it lists chains');
        await rules.restore('*filter\n:cali-a - [0:0]\n:cali-b - [0:0]\n-A cali-a -j cali-b\n-A FORWARD -p tcp -m comment --comment "a \\"b\\" c" -j ACCEPT\nCOMMIT\n');
        for (let round = 0; round < 3; round += 1) {
          const whole = await saved(netns, backend);
          const listed = await list('cali-a', 'FORWARD');
          assert.deepEqual(listed.match(/^:\S+ \S+/gm)?.toSorted(), [':FORWARD ACCEPT', ':cali-a -']);
          for (const chain of ['cali-a', 'FORWARD']) assert.deepEqual(ofChain(listed, chain), ofChain(whole, chain));
          await rejection(list('cali-a', 'cali-none'), ReadFailed);
          // What somebody else changes, and what we write, is there at once.
          await netns.run(toolName(backend, 4), ['-I', 'FORWARD', '-p', 'udp', '--dport', String(round + 1), '-j', 'cali-b'], { env: { XTABLES_LOCKFILE: netns.lockFile } });
          await list('FORWARD');
          await rules.restore(`*filter\n-I cali-a 1 -p tcp --dport ${round + 1} -j DROP\nCOMMIT\n`);
        }
      });
    }

    test('a text that is not exactly one transaction is never written', async () => {
      for (const text of ['', '*filter\nCOMMIT', '*filter\nCOMMIT\n*filter\nCOMMIT\n', '*filter\n# ack 1\nCOMMIT\n', '*filter\n-A a -j DROP\rx\nCOMMIT\n']) {
        await assert.rejects(async () => rules.restore(text), TypeError);
      }
    });
  });
}

for (const backend of ['nft', 'legacy'] as const) {
  describe(`${backend} restore coprocess`, () => {
    let netns: Namespace;
    let coprocess: RestoreCoprocess;

    before(async () => {
      netns = await Namespace.create('coprocess');
      coprocess = start(netns, backend);
      await coprocess.start();
    });
    after(async () => {
      await coprocess.close();
      await netns.remove();
    });

    test('it stays the same process over many transactions', async () => {
      const pid = running(coprocess);
      for (let index = 0; index < 200; index += 1) await coprocess.execute(chainWith(`-A cali-a -p tcp --dport ${index + 1} -j ACCEPT`));
      assert.equal(coprocess.pid, pid);
    });

    test('killed while idle it is started again by itself', async () => {
      const pid = running(coprocess);
      process.kill(pid, 'SIGKILL');
      await eventually('the coprocess is started again', () => coprocess.pid !== undefined && coprocess.pid !== pid);
      await coprocess.execute(chainWith('-A cali-a -j ACCEPT'));
    });

    test('killed with a transaction in flight the outcome is unknown, and the next one is committed', async () => {
      const pid = running(coprocess);
      process.kill(pid, 'SIGSTOP');
      const unknown = rejection(coprocess.execute(chainWith('-A cali-a -j DROP')), OutcomeUnknown);
      const next = coprocess.execute(chainWith('-A cali-a -j RETURN'));
      process.kill(pid, 'SIGKILL');
      await unknown;
      await next;
      assert.match(await saved(netns, backend), /-A cali-a -j RETURN/);
    });

    test('killed at random moments it never leaves half a transaction', async () => {
      for (let round = 0; round < 20; round += 1) {
        const pid = await eventually('the coprocess runs', () => coprocess.pid);
        const rules = Array.from({ length: 50 }, (_, index) => `-A cali-a -s 10.${round}.${index}.0/24 -j ACCEPT\n`).join('');
        const committed = coprocess.execute(`*filter\n:cali-a - [0:0]\n${rules}COMMIT\n`).then(() => true, () => false);
        const timer = setTimeout(() => process.kill(pid, 'SIGKILL'), Math.random() * 2);
        const acknowledged = await committed;
        clearTimeout(timer);
        const found = ofChain(await saved(netns, backend), 'cali-a').filter((rule) => rule.includes(` 10.${round}.`)).length;
        assert.ok(found === 50 || (!acknowledged && found === 0), `${found} of 50 rules, acknowledged: ${acknowledged}`);
      }
    });

    test('without an answer before the deadline it is killed and the outcome is unknown', async () => {
      const hasty = start(netns, backend, 300);
      await hasty.start();
      const pid = running(hasty);
      process.kill(pid, 'SIGSTOP');
      const unknown = await rejection(hasty.execute(chainWith('-A cali-a -j DROP')), OutcomeUnknown);
      assert.match(unknown.message, /did not answer within 300 ms/);
      assert.equal(await isRunning(pid), false);
      await hasty.close();
    });
  });
}

describe('the xtables lock of the legacy backend', () => {
  for (const coprocess of [true, false]) {
    test(`held by another beyond the wait, the outcome is unknown and the holder is named (${coprocess ? 'coprocess' : 'process'})`, async () => {
      await using netns = await Namespace.create('lock');
      const rules = await openRules({ runner: netns.runner(), backend: 'legacy', family: 4, coprocess, lockSeconds: 1, lockFile: netns.lockFile });
      const holder = netns.spawn('flock', [netns.lockFile, 'sh', '-c', 'echo held; exec cat']);
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      const unknown = await rejection(rules.restore(chainWith('-A cali-a -j DROP')), OutcomeUnknown);
      assert.match(unknown.message, /xtables lock .* held by process \d+ \(flock\)/);
      holder.stdin.end();
      await rules.restore(chainWith('-A cali-a -j ACCEPT'));
      assert.match(await saved(netns, 'legacy'), /-A cali-a -j ACCEPT/);
      await rules.close();
    });
  }
});

test('a table that iptables-nft-save cannot show is no answer, and single chains of it are still read', async () => {
  await using netns = await Namespace.create('native');
  const rules = await openRules({ runner: netns.runner(), backend: 'nft', family: 4, coprocess: true });
  await rules.restore(chainWith('-A cali-a -j ACCEPT'));
  // A rule that no iptables match can express.
  await netns.run('nft', ['add chain ip filter native; add rule ip filter native fib saddr type local accept']);
  const failed = await rejection(rules.save('filter'), ReadFailed);
  assert.match(failed.message, /cannot show the table filter.* only nft can show/);
  assert.equal(await rules.saveChains?.('filter', ['cali-a']), '*filter\n:cali-a - [0:0]\n-A cali-a -j ACCEPT\nCOMMIT\n');
  await rules.restore(chainWith('-A cali-a -j DROP'));
  await rules.close();
});

function start(netns: Namespace, backend: Backend, deadlineMs = 20_000): RestoreCoprocess {
  return new RestoreCoprocess({
    runner: netns.runner(), tool: toolName(backend, 4, 'restore'), lockSeconds: 1, deadlineMs, lockFile: netns.lockFile,
  });
}

function running(coprocess: RestoreCoprocess): number {
  const { pid } = coprocess;
  assert.ok(pid !== undefined, 'the coprocess runs');
  return pid;
}

function chainWith(rule: string): string {
  return `*filter\n:cali-a - [0:0]\n${rule}\nCOMMIT\n`;
}

async function saved(netns: Namespace, backend: Backend): Promise<string> {
  const { stdout } = await netns.run(toolName(backend, 4, 'save'), ['-t', 'filter'], { env: { XTABLES_LOCKFILE: netns.lockFile } });
  return stdout.replace(/^#.*\n/gm, '').replace(/\[\d+:\d+\]/g, '[0:0]');
}

function ofChain(table: string, chain: string): string[] {
  return table.split('\n').filter((line) => line.startsWith(`-A ${chain} `));
}

async function flush(netns: Namespace, backend: Backend): Promise<void> {
  const env = { XTABLES_LOCKFILE: netns.lockFile };
  await netns.run(toolName(backend, 4), ['-F'], { env });
  await netns.run(toolName(backend, 4), ['-X'], { env });
}

async function rejection<E extends Error>(promise: Promise<unknown>, kind: abstract new (...args: never[]) => E): Promise<E> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof kind, `expected ${kind.name}, got ${String(error)}`);
    return error;
  }
  return assert.fail(`expected ${kind.name}, but it was accepted`);
}
