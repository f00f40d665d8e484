import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { OutcomeUnknown, ReadFailed, SetCommandsFailed } from '../../src/dataplane/errors.ts';
import type { SetTool } from '../../src/dataplane/kernel.ts';
import { SetCoprocess, markerSet } from '../../src/dataplane/set-coprocess.ts';
import { coprocessSets } from '../../src/dataplane/coprocess-sets.ts';
import { openSets } from '../../src/dataplane/tools.ts';
import { FakeClock } from '../fakes/clock.ts';
import { eventually } from './harness/eventually.ts';
import { Namespace } from './harness/namespace.ts';

for (const coprocess of [true, false]) {
  describe(`ipset, ${coprocess ? 'coprocess' : 'a process per change'}`, () => {
    let netns: Namespace;
    let sets: SetTool;

    before(async () => {
      netns = await Namespace.create('sets');
    });
    after(() => netns.remove());
    beforeEach(async () => {
      await netns.run('ipset', ['destroy']);
      sets = await openSets({ runner: netns.runner(), coprocess });
    });
    afterEach(() => sets.close());

    test('commands are executed in order when they are acknowledged', async () => {
      await sets.run(['create cali40a hash:net family inet maxelem 10', 'add cali40a 10.0.0.0/24', 'add cali40a 10.0.1.1', 'del cali40a 10.0.0.0/24']);
      assert.deepEqual(await members(netns, 'cali40a'), ['10.0.1.1']);
    });

    test('each failure is named, and all other commands are executed', async () => {
      await sets.run(['create cali40a hash:ip family inet', 'add cali40a 10.0.0.1']);
      const failed = await failures(sets.run([
        'add cali40a 10.0.0.2', 'add cali40a 10.0.0.1', 'add cali40nope 10.0.0.9', 'del cali40a 10.0.0.7', 'add cali40a 10.0.0.3', 'destroy cali40nope',
      ]));
      assert.deepEqual(failed.map(({ command }) => command), ['add cali40a 10.0.0.1', 'add cali40nope 10.0.0.9', 'del cali40a 10.0.0.7', 'destroy cali40nope']);
      assert.match(failed[0]?.output ?? '', /already added/);
      assert.match(failed[1]?.output ?? '', /does not exist/);
      assert.deepEqual(await members(netns, 'cali40a'), ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    });

    test('members that a full set does not take are named', async () => {
      await sets.run(['create cali40a hash:ip family inet maxelem 2']);
      const failed = await failures(sets.run(['add cali40a 10.0.0.1', 'add cali40a 10.0.0.2', 'add cali40a 10.0.0.3', 'add cali40a 10.0.0.4']));
      assert.deepEqual(failed.map(({ command }) => command), ['add cali40a 10.0.0.3', 'add cali40a 10.0.0.4']);
      assert.match(failed[0]?.output ?? '', /full/);
    });

    test('with -exist what is already so is no failure, and only there', async () => {
      await sets.run(['create cali40a hash:ip family inet maxelem 5', 'add cali40a 10.0.0.1']);
      const failed = await failures(sets.run([
        'add cali40a 10.0.0.1 -exist', 'del cali40a 10.0.0.9 -exist', 'create cali40a hash:ip family inet maxelem 5 -exist',
        'create cali40a hash:ip family inet maxelem 6 -exist', 'add cali40a 10.0.0.1',
      ]));
      assert.deepEqual(failed.map(({ command }) => command), ['create cali40a hash:ip family inet maxelem 6 -exist', 'add cali40a 10.0.0.1']);
    });

    test('sets are filled, swapped and destroyed', async () => {
      await sets.run(['create cali40a hash:ip,port family inet', 'create cali4t1 hash:ip,port family inet', 'add cali4t1 10.0.0.1,sctp:80']);
      await sets.run(['swap cali40a cali4t1', 'destroy cali4t1']);
      assert.deepEqual(await members(netns, 'cali40a'), ['10.0.0.1,sctp:80']);
    });

    test('a set that a rule uses is not destroyed', async () => {
      await sets.run(['create cali40a hash:ip family inet']);
      await netns.run('iptables-nft', ['-A', 'FORWARD', '-m', 'set', '--match-set', 'cali40a', 'src', '-j', 'DROP']);
      const [failed] = await failures(sets.run(['destroy cali40a']));
      assert.match(failed?.output ?? '', /in use/);
      await netns.run('iptables-nft', ['-F', 'FORWARD']);
      await eventually('the set is free', () => sets.run(['destroy cali40a']).then(() => true, () => false));
    });

    test('ten thousand members are added, and one that is refused among them is named', async () => {
      const adds = Array.from({ length: 10_000 }, (_, index) => `add cali40a 10.${index >> 8}.${index & 255}.0/24`);
      await sets.run(['create cali40a hash:net family inet maxelem 20000', 'add cali40a 10.7.7.0/24']);
      const failed = await failures(sets.run(adds));
      assert.deepEqual(failed.map(({ command }) => command), ['add cali40a 10.7.7.0/24']);
      assert.equal((await members(netns, 'cali40a')).length, 10_000);
    });

    test('a line that ipset cannot parse neither takes others with it nor colours the next one', async () => {
      await sets.run(['create six hash:net family inet6', 'create four hash:net family inet']);
      // The name does not show the family, so ipset itself has to refuse the address.
      const failed = await failures(sets.run([
        'add four 10.1.0.1', 'add four 10.1.0.2', 'add four fd00::/64', 'add four 10.9.9.9', 'add six 10.0.0.0/24', 'add six fd00::9',
      ]));
      assert.deepEqual(failed.map(({ command }) => command), ['add four fd00::/64', 'add six 10.0.0.0/24']);
      assert.deepEqual(await members(netns, 'four'), ['10.1.0.1', '10.1.0.2', '10.9.9.9']);
      assert.deepEqual(await members(netns, 'six'), ['fd00::9']);
    });

    test('what is not canonical never reaches the tool', async () => {
      await sets.run(['create cali40a hash:net family inet', 'add cali40a 10.0.0.1']);
      const bad = [
        'flush', 'destroy', 'x', 'flush cali40a cali40b', 'add cali40a 10.0.0.1/0', 'add cali40a 010.0.0.2', 'add cali40a localhost', 'add cali40a fd00::1',
        'add cali40a 10.0.0.3\nflush cali40a', 'add cali40a 10.0.0.4 timeout 5', 'add "cali40a 10.0.0.5"', 'create cali40b hash:net family inet comment', 'save', '-exist',
      ];
      const failed = await failures(sets.run([...bad, 'add cali40a 10.0.0.6']));
      assert.deepEqual(failed.map(({ command }) => command), bad);
      assert.ok(failed.every(({ output }) => output.startsWith('not written: ')));
      assert.deepEqual(await members(netns, 'cali40a'), ['10.0.0.1', '10.0.0.6']);
    });

    test('headers tell name, type, family, limit and number of entries', async () => {
      await sets.run(['create cali40a hash:net family inet maxelem 7', 'create cali60b hash:ip,port family inet6', 'add cali40a 10.0.0.1', 'add cali40a 10.0.0.2']);
      const headers = [...await sets.headers()].toSorted((one, other) => one.name.localeCompare(other.name));
      assert.deepEqual(headers, [
        { name: 'cali40a', type: 'hash:net', family: 'inet', maxElements: 7, entries: 2 },
        { name: 'cali60b', type: 'hash:ip,port', family: 'inet6', maxElements: 65_536, entries: 0 },
      ]);
    });

    test('a set is read as ipset save prints it, and a missing one is no answer', async () => {
      await sets.run(['create cali40a hash:net family inet maxelem 7', 'add cali40a 10.0.0.0/24', 'create cali40b hash:net family inet']);
      assert.match(await sets.save('cali40a'), /^create cali40a hash:net family inet .*maxelem 7.*\nadd cali40a 10\.0\.0\.0\/24\n$/);
      assert.deepEqual((await sets.save()).split('\n').map((line) => line.split(' ', 2).join(' ')).toSorted(), ['', 'add cali40a', 'create cali40a', 'create cali40b']);
      await assert.rejects(sets.save('cali40nope'), ReadFailed);
    });
  });
}

describe('ipset coprocess', () => {
  let netns: Namespace;
  let coprocess: SetCoprocess;
  let sets: SetTool;

  before(async () => {
    netns = await Namespace.create('ipset');
  });
  after(() => netns.remove());
  beforeEach(async () => {
    await netns.run('ipset', ['destroy']);
    const runner = netns.runner();
    coprocess = new SetCoprocess({ runner, deadlineMs: 20_000 });
    await coprocess.start();
    sets = coprocessSets({ runner, coprocess, deadlineMs: 20_000 });
  });
  afterEach(() => sets.close());

  test('it stays the same process over thousands of commands', async () => {
    const { pid } = coprocess;
    await sets.run(['create cali40a hash:ip family inet']);
    for (let index = 0; index < 5_000; index += 1) await sets.run([`${index % 2 === 0 ? 'add' : 'del'} cali40a 10.0.0.1`]);
    assert.equal(coprocess.pid, pid);
    assert.deepEqual(await members(netns, 'cali40a'), []);
  });

  test('killed while idle it is started again by itself', async () => {
    const { pid } = coprocess;
    process.kill(pid ?? 0, 'SIGKILL');
    await eventually('the coprocess is started again', () => coprocess.pid !== undefined && coprocess.pid !== pid);
    await sets.run(['create cali40a hash:ip family inet']);
  });

  test('killed with commands in flight the outcome is unknown, and the next ones are executed', async () => {
    const pid = coprocess.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const unknown = assert.rejects(sets.run(['create cali40a hash:ip family inet']), OutcomeUnknown);
    const next = sets.run(['create cali40b hash:ip family inet']);
    process.kill(pid, 'SIGKILL');
    await unknown;
    await next;
    assert.deepEqual(await members(netns, 'cali40b'), []);
  });

  test('killed at random moments it never executes a piece of a line', async () => {
    for (let round = 0; round < 20; round += 1) {
      await sets.run(['create cali40a hash:ip family inet']);
      const pid = await eventually('the coprocess runs', () => coprocess.pid);
      const done = sets.run(Array.from({ length: 300 }, (_, index) => `add cali40a 10.${100 + round}.1.${index % 250}`)).catch(() => {});
      const timer = setTimeout(() => process.kill(pid, 'SIGKILL'), Math.random() * 5);
      await done;
      clearTimeout(timer);
      for (const member of await members(netns, 'cali40a')) assert.match(member, new RegExp(`^10\\.${100 + round}\\.1\\.\\d+$`));
      await eventually('the set can be destroyed', () => sets.run(['destroy cali40a']).then(() => true, () => false));
    }
  });

  test('without an answer before the deadline it is killed and the outcome is unknown', async () => {
    const hasty = new SetCoprocess({ runner: netns.runner(), deadlineMs: 300 });
    await hasty.start();
    process.kill(hasty.pid ?? 0, 'SIGSTOP');
    await assert.rejects(hasty.exclusive(() => hasty.execute(['create cali40a hash:ip family inet'])), /did not answer within 300 ms/);
    await hasty.close();
  });

  test('when it answers late, it is neither ended nor misunderstood', async () => {
    const clock = new FakeClock();
    const runner = netns.runner();
    const slow = new SetCoprocess({ runner, deadlineMs: 20_000, clock });
    await slow.start();
    const slowSets = coprocessSets({ runner, coprocess: slow, deadlineMs: 20_000 });
    const { pid = 0 } = slow;
    const late = async <T>(answer: Promise<T>): Promise<T> => {
      await eventually('the question is on its way', () => clock.waiting > 0);
      clock.advance(1_000);
      process.kill(pid, 'SIGCONT');
      let found: { readonly value: T } | undefined;
      answer.then((value) => (found = { value }), () => {});
      return (await eventually('it answers', () => found)).value;
    };
    process.kill(pid, 'SIGSTOP');
    await late(slowSets.run(['create cali40a hash:ip family inet']));
    assert.deepEqual((await slowSets.headers()).map(({ name }) => name), ['cali40a']);
    process.kill(pid, 'SIGSTOP');
    assert.deepEqual((await late(slowSets.headers())).map(({ name }) => name), ['cali40a']);
    assert.equal(slow.pid, pid);
    await slowSets.close();
  });

  test('when somebody destroys all sets, its marker included, it recovers', async () => {
    await netns.run('ipset', ['destroy']);
    await assert.rejects(sets.run(['create cali40a hash:ip family inet']), OutcomeUnknown);
    await sets.run(['create cali40b hash:ip family inet']);
  });

  test('its marker set is not shown, and closing it removes the marker', async () => {
    await sets.run(['create cali40a hash:ip family inet']);
    assert.deepEqual((await sets.headers()).map(({ name }) => name), ['cali40a']);
    await sets.close();
    assert.ok(!(await netns.run('ipset', ['list', '-n'])).stdout.includes(markerSet));
  });
});

async function members(netns: Namespace, set: string): Promise<string[]> {
  const { stdout } = await netns.run('ipset', ['save', set]);
  return stdout.split('\n').filter((line) => line.startsWith('add ')).map((line) => line.split(' ')[2] ?? '').toSorted();
}

async function failures(promise: Promise<void>): Promise<SetCommandsFailed['failures']> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof SetCommandsFailed, String(error));
    return error.failures;
  }
  return assert.fail('no command failed');
}
