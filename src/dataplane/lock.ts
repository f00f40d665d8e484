// One agent per network namespace: two that repair each other's rules would never come to rest. A file under /var/run/calico, named by
// the namespace's inode, is locked (flock) for as long as the agent lives; its content says who that is.
//
// Node has no flock, so a child holds the lock: `flock --no-fork … cat`, one small process that waits on a pipe. It dies with the
// agent (command.ts), kill -9 included, and the kernel frees the lock. An abstract socket would need no child, but any process
// of the node's network namespace could take its name first and keep the agent out; this file only root can open.
//
// The second agent waits, says once a minute who holds the lock, and is next when the first one ends.
//
// What is locked is a file, not its name. When somebody removes it, the next agent makes and locks one of its own, and two of them
// write. So the name must still lead to the file that is locked: looked at before an agent begins, and every few seconds from then on.
// The file is not made again, because another agent may have the new one: the lock is lost.

import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock, Timer } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Child, CommandRunner } from './command.ts';
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
/** How often the held file is looked for under its name. */
const CHECK_MS = 5_000;
/** So many locked files in a row that were replaced at once are no accident. */
const ATTEMPTS = 20;

/** A file whatever its name; no other one gets this while the lock's holder has it open. */
interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** Resolves when this process is the only agent of the namespace. Rejects when the signal ends the wait or locking is impossible. */
export async function acquireAgentLock(options: AgentLockOptions): Promise<AgentLock> {
  const { runner, directory = '/var/run/calico', netns = '/proc/self/ns/net', logger = silentLogger, clock = systemClock } = options;
  options.signal?.throwIfAborted();
  await mkdir(directory, { recursive: true });
  const path = `${directory}/caracal-${(await stat(netns)).ino}.lock`;
  let reminder: Timer | undefined;
  let told = false;
  let waits = true;
  const remind = async (): Promise<void> => {
    const holder = await describeHolder(path);
    if (!waits) return;
    if (!told) options.onWait?.(holder);
    told = true;
    logger.warn({ lock: path, holder }, `another agent programs this network namespace: ${holder}; this one waits until it ends and writes nothing. Remedy: run one agent per node`);
    reminder = clock.after(REPEAT_MS, () => void remind());
  };
  reminder = clock.after(PATIENCE_MS, () => void remind());
  let held: Held;
  try {
    held = await lockFile(runner, path, options.signal);
  } finally {
    waits = false;
    reminder.cancel();
  }
  const { child, file } = held;

  const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  try {
    await writeFile(path, `${JSON.stringify(holder)}\n`);
  } catch (error) {
    // A full disk must not keep the node without an agent: the lock is held, only its holder has no name.
    logger.warn({ lock: path, error }, `${path} cannot be written: a second agent will not be able to say who holds the lock. Remedy: make room`);
  }
  if (told) logger.info({ lock: path }, 'the other agent ended; this one takes over');
  let released = false;
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
  void child.exited.then(({ exitCode, signal }) => {
    watch.cancel();
    if (!released) lose(`the process that held ${path} ended (${signal ?? exitCode ?? 'unknown'})`);
  });
  const check = async (): Promise<void> => {
    const isThere = await leadsTo(path, file);
    if (released) return;
    if (isThere) watch = clock.after(CHECK_MS, () => void check());
    else lose(`the lock file ${path} was removed or replaced (remedy: nobody may touch it while an agent runs; take ${directory} out of whatever cleans up there)`);
  };
  let watch = clock.after(CHECK_MS, () => void check());
  return {
    path,
    lost,
    async release() {
      released = true;
      watch.cancel();
      child.stdin.end();
      const kill = clock.after(1_000, () => child.kill());
      await child.exited;
      kill.cancel();
    },
  };
}

interface Held {
  readonly child: Child;
  readonly file: Identity;
}

/** Resolves when a child holds the lock of the file that `path` leads to. */
async function lockFile(runner: CommandRunner, path: string, signal: AbortSignal | undefined): Promise<Held> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const child = await startHolder(runner, path, signal);
    const file = await stat(path, { bigint: true }).catch(() => undefined);
    if (file !== undefined && (await hasOpen(child.pid, file))) return { child, file };
    // It waited for a file that was removed meanwhile: its lock keeps nobody out.
    child.kill();
    await child.exited;
    signal?.throwIfAborted();
  }
  throw new Error(`the lock ${path} cannot be taken: the file is replaced again and again. Remedy: find out who does that`);
}

async function startHolder(runner: CommandRunner, path: string, signal: AbortSignal | undefined): Promise<Child> {
  const child = await runner.spawn('flock', ['--exclusive', '--no-fork', path, 'sh', '-c', 'echo held; exec cat']);
  const { promise: held, resolve } = Promise.withResolvers<boolean>();
  let complaint = '';
  readLines(child.stdout, () => resolve(true));
  readLines(child.stderr, (line) => {
    complaint = line;
  });
  void child.exited.then(() => resolve(false));
  const abort = (): void => child.kill();
  signal?.addEventListener('abort', abort);
  const success = await held;
  signal?.removeEventListener('abort', abort);
  if (success) return child;
  signal?.throwIfAborted();
  throw new Error(`the lock ${path} cannot be taken: ${complaint === '' ? 'flock ended' : complaint}`);
}

/** Whether the process has the file open, its three streams aside: the holder has nothing but the lock. True if it is not known. */
async function hasOpen(pid: number, file: Identity): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  let descriptors: string[];
  try {
    descriptors = await readdir(directory);
  } catch (error) {
    return !isAbsence(error);
  }
  const found = await Promise.all(descriptors.filter((each) => Number(each) > 2).map((each) => leadsTo(`${directory}/${each}`, file)));
  return found.includes(true);
}

/** False only if it is certain: a stat that fails for another reason (no file descriptor is free) says nothing about the file. */
async function leadsTo(path: string, file: Identity): Promise<boolean> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return dev === file.dev && ino === file.ino;
  } catch (error) {
    return !isAbsence(error);
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function describeHolder(path: string): Promise<string> {
  try {
    const { pid, host, since } = JSON.parse(await readFile(path, 'utf8')) as Holder;
    return `process ${pid} on ${host}, since ${since}`;
  } catch {
    return 'an agent that did not leave its name';
  }
}
