// One agent per network namespace: two that repair each other's rules would never come to rest. A file under /var/run/calico, named by
// the namespace's inode, is locked (flock) for as long as the agent lives; its content says who that is.
//
// Node has no flock, so a child holds the lock: `flock --no-fork … cat`, one small process that waits on a pipe. It dies with the
// agent (command.ts), kill -9 included, and the kernel frees the lock. An abstract socket would need no child, but any process
// of the node's network namespace could take its name first and keep the agent out; this file only root can open.
//
// The second agent waits, says once a minute who holds the lock, and is next when the first one ends.

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock, Timer } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { CommandRunner } from './command.ts';
import { readLines } from './line-reader.ts';

export interface AgentLockOptions {
  readonly runner: CommandRunner;
  /** Default /var/run/calico; shared by all agents of the node. */
  readonly directory?: string;
  /** The namespace that is locked (default: this process's). */
  readonly netns?: string;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** Called once if the lock is not free: the agent is waiting. */
  readonly onWait?: (holder: string) => void;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface AgentLock {
  readonly path: string;
  /** Resolves if the lock is lost without release(), with the reason: this agent must write nothing any more. */
  readonly lost: Promise<string>;
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/** Waits this long before it says that it waits. */
const PATIENCE_MS = 100;
const REPEAT_MS = 60_000;

/** Resolves when this process is the only agent of the namespace. Rejects when the signal ends the wait or locking is impossible. */
export async function acquireAgentLock(options: AgentLockOptions): Promise<AgentLock> {
  const { runner, directory = '/var/run/calico', netns = '/proc/self/ns/net', logger = silentLogger, clock = systemClock } = options;
  options.signal?.throwIfAborted();
  await mkdir(directory, { recursive: true });
  const path = `${directory}/caracal-${(await stat(netns)).ino}.lock`;
  const child = await runner.spawn('flock', ['--exclusive', '--no-fork', path, 'sh', '-c', 'echo held; exec cat']);
  const { promise: held, resolve } = Promise.withResolvers<boolean>();
  let complaint = '';
  readLines(child.stdout, () => resolve(true));
  readLines(child.stderr, (line) => {
    complaint = line;
  });
  void child.exited.then(() => resolve(false));

  let reminder: Timer | undefined;
  let told = false;
  const remind = async (): Promise<void> => {
    const holder = await describeHolder(path);
    if (!told) options.onWait?.(holder);
    told = true;
    logger.warn({ lock: path, holder }, `another agent programs this network namespace: ${holder}; this one waits until it ends and writes nothing. Remedy: run one agent per node`);
    reminder = clock.after(REPEAT_MS, () => void remind());
  };
  reminder = clock.after(PATIENCE_MS, () => void remind());
  const abort = (): void => child.kill();
  options.signal?.addEventListener('abort', abort);
  const success = await held;
  options.signal?.removeEventListener('abort', abort);
  reminder?.cancel();
  if (!success) {
    options.signal?.throwIfAborted();
    throw new Error(`the lock ${path} cannot be taken: ${complaint === '' ? 'flock ended' : complaint}`);
  }

  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  try {
    await writeFile(path, `${JSON.stringify(holder)}\n`);
  } catch (error) {
    // A full disk must not keep the node without an agent: the lock is held, only its holder has no name.
    logger.warn({ lock: path, error }, `${path} cannot be written: a second agent will not be able to say who holds the lock. Remedy: make room`);
  }
  if (told) logger.info({ lock: path }, 'the other agent ended; this one takes over');
  let released = false;
  return {
    path,
    lost: new Promise((resolveLost) => {
      void child.exited.then(({ exitCode, signal }) => {
        if (!released) resolveLost(`the process that held ${path} ended (${signal ?? exitCode ?? 'unknown'})`);
      });
    }),
    async release() {
      released = true;
      child.stdin.end();
      const kill = clock.after(1_000, () => child.kill());
      await child.exited;
      kill.cancel();
    },
  };
}

async function describeHolder(path: string): Promise<string> {
  try {
    const { pid, host, since } = JSON.parse(await readFile(path, 'utf8')) as Holder;
    return `process ${pid} on ${host}, since ${since}`;
  } catch {
    return 'an agent that did not leave its name';
  }
}
