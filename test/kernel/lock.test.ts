import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createCommandRunner } from '../../src/dataplane/command.ts';
import { acquireAgentLock } from '../../src/dataplane/lock.ts';
import { readLines } from '../../src/dataplane/line-reader.ts';
import { FakeClock } from '../fakes/clock.ts';
import { eventually } from './harness/eventually.ts';
import { Namespace } from './harness/namespace.ts';

describe('the lock of an agent', () => {
  const runner = createCommandRunner();
  const program = new URL('lock-holder.ts', import.meta.url).pathname;
  let directory: string;
  let netns: Namespace;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'caracal-lock-'));
    netns = await Namespace.create('lock');
  });
  after(async () => {
    await netns.remove();
    await rm(directory, { recursive: true });
  });

  /** An agent in a process of its own; resolves when it holds the lock. */
  async function otherAgent(): Promise<ReturnType<Namespace['spawn']>> {
    const child = netns.spawn(process.execPath, [program, directory]);
    await new Promise<void>((resolve) => {
      readLines(child.stdout, (line) => {
        if (line === 'held') resolve();
      });
    });
    return child;
  }

  test('the second agent waits, says who holds it, and is next when the first one is killed', async () => {
    const first = await otherAgent();
    const waits: string[] = [];
    let held = false;
    const second = acquireAgentLock({ runner, directory, netns: netns.path, onWait: (holder) => waits.push(holder) }).then((lock) => {
      held = true;
      return lock;
    });
    await eventually('the second says that it waits', () => waits.length > 0);
    assert.match(waits[0] ?? '', new RegExp(`^process ${first.pid} on \\S+, since 20\\d\\d-`));
    assert.equal(held, false);
    first.kill('SIGKILL');
    await (await second).release();
  });

  test('the wait is reported once a minute', async () => {
    const clock = new FakeClock();
    const first = await acquireAgentLock({ runner, directory, netns: netns.path });
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: unknown, message: string) => void warnings.push(message) };
    const second = acquireAgentLock({ runner, directory, netns: netns.path, clock, logger });
    for (const minute of [1, 2, 3]) {
      await eventually('the timer is set', () => clock.waiting > 0);
      clock.advance(60_000);
      await eventually(`warning ${minute} is written`, () => warnings.length === minute);
    }
    assert.match(warnings[0] ?? '', /another agent programs this network namespace: process \d+ on .* waits until it ends and writes nothing/);
    await first.release();
    await (await second).release();
  });

  test('a disk without room does not keep the agent from its work', async () => {
    await using other = await Namespace.create('lock');
    await symlink('/dev/full', join(directory, `caracal-${(await stat(other.path)).ino}.lock`));
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: unknown, message: string) => void warnings.push(message) };
    const lock = await acquireAgentLock({ runner, directory, netns: other.path, logger });
    assert.match(warnings.join(), /^\S+\.lock cannot be written: .*Remedy: make room$/);
    await lock.release();
  });

  test('agents of different network namespaces do not wait for each other', async () => {
    await using other = await Namespace.create('lock');
    const one = await acquireAgentLock({ runner, directory, netns: netns.path });
    const two = await acquireAgentLock({ runner, directory, netns: other.path });
    assert.notEqual(one.path, two.path);
    await Promise.all([one.release(), two.release()]);
  });

  test('a wait that is no longer wanted ends, and the lock stays free for others', async () => {
    const first = await acquireAgentLock({ runner, directory, netns: netns.path });
    const stop = new AbortController();
    const second = acquireAgentLock({ runner, directory, netns: netns.path, signal: stop.signal, onWait: () => stop.abort() });
    await assert.rejects(second, { name: 'AbortError' });
    await first.release();
    await (await acquireAgentLock({ runner, directory, netns: netns.path })).release();
  });

  test('an agent that loses the lock is told', async () => {
    let holder = 0;
    const lock = await acquireAgentLock({
      directory, netns: netns.path,
      runner: { run: runner.run, spawn: async (...args) => {
        const child = await runner.spawn(...args);
        holder = child.pid;
        return child;
      } },
    });
    process.kill(holder, 'SIGKILL');
    assert.match(await lock.lost, /ended \(SIGKILL\)/);
  });
});
