import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createCommandRunner } from '../../src/dataplane/command.ts';
import { ToolMissing } from '../../src/dataplane/errors.ts';
import { readLines } from '../../src/dataplane/line-reader.ts';
import { eventually, isRunning } from './harness/eventually.ts';
import { Namespace, execute } from './harness/namespace.ts';

describe('child processes', () => {
  const runner = createCommandRunner();

  test('none outlives an agent that is killed', async () => {
    await using netns = await Namespace.create('children');
    const directory = await mkdtemp(join(tmpdir(), 'caracal-children-'));
    const agent = netns.spawn(process.execPath, [new URL('agent-with-children.ts', import.meta.url).pathname, netns.lockFile, directory]);
    const pids = await new Promise<number[]>((resolve) => {
      readLines(agent.stdout, (line) => resolve(JSON.parse(line) as number[]));
    });
    // Two restore coprocesses, ipset, xtables-monitor, inotifywait, the lock's holder.
    assert.equal(pids.length, 6);
    for (const pid of pids) assert.equal(await isRunning(pid), true);
    agent.kill('SIGKILL');
    for (const pid of pids) await eventually(`process ${pid} is gone`, async () => !await isRunning(pid));
    await rm(directory, { recursive: true });
  });

  test('a child is in a process group of its own, so that Ctrl-C on the terminal does not reach it', async () => {
    const child = await runner.spawn('cat', []);
    const groupOf = async (pid: number | 'self'): Promise<string | undefined> => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[2];
    assert.notEqual(await groupOf(child.pid), await groupOf('self'));
    child.kill();
    assert.equal((await child.exited).signal, 'SIGKILL');
  });

  test('a tool that is not installed is named with its package', async () => {
    await assert.rejects(runner.run('xtables-nonsense', []), (error: unknown) => error instanceof ToolMissing && /install the Debian package iptables/.test(error.message));
  });

  test('a command that takes too long is killed', async () => {
    const { timedOut, exitCode } = await runner.run('sleep', ['60'], { timeoutMs: 50 });
    assert.deepEqual({ timedOut, exitCode }, { timedOut: true, exitCode: undefined });
  });

  test('a command runs in the network namespace of its runner', async () => {
    await using netns = await Namespace.create('where');
    const { stdout } = await createCommandRunner({ netns: netns.path }).run('ip', ['-o', 'link']);
    assert.deepEqual(stdout.split('\n').filter((line) => line !== '').map((line) => line.split(' ')[1]), ['lo:']);
  });
});

test('the namespaces of a test that is killed are removed', async () => {
  const program = `
    const { Namespace } = await import(${JSON.stringify(new URL('harness/namespace.ts', import.meta.url).href)});
    const { name } = await Namespace.create('crash');
    process.stdout.write(name, () => process.kill(process.pid, 'SIGKILL'));`;
  const { stdout } = await execute('sh', ['-c', `${process.execPath} --input-type=module -e "$PROGRAM" || true`], { env: { PROGRAM: program } });
  assert.match(stdout, /^crcl-\d+-1-crash$/);
  await eventually('the namespace is gone', async () => !(await execute('ip', ['netns', 'list'])).stdout.includes(stdout));
});
