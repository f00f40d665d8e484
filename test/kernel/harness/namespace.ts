// Network namespaces for tests and the demo: made, used and removed again, whatever happens to the process that made them. Names are
// crcl-<pid>-<number>-<label>. The host's own tables and links are never touched.
//
// Three nets catch what a test leaves behind: remove(); a guard process that removes this process's namespaces as soon as it is gone,
// kill -9 included; and the removal, at the first use, of the namespaces of processes that no longer exist.

import type { ChildProcessByStdio, SpawnOptions } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { createCommandRunner } from '../../../src/dataplane/command.ts';
import type { CommandRunner } from '../../../src/dataplane/command.ts';

const DIRECTORY = '/run/netns';
const PREFIX = 'crcl-';

let created = 0;
let prepared: Promise<void> | undefined;
let guard: Writable | undefined;

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export class Namespace {
  readonly name: string;
  /** For nsenter --net. */
  readonly path: string;
  #removed = false;

  private constructor(name: string) {
    this.name = name;
    this.path = `${DIRECTORY}/${name}`;
  }

  /** Makes one, with its loopback up. */
  static async create(label: string): Promise<Namespace> {
    await (prepared ??= prepare());
    created += 1;
    const namespace = new Namespace(`${PREFIX}${process.pid}-${created}-${label}`);
    guard?.write(`${namespace.name}\n`);
    await execute('ip', ['netns', 'add', namespace.name]);
    await namespace.batch(['link set lo up']);
    return namespace;
  }

  /** The command that runs something inside, with /sys of the namespace: for what reads /sys/class/net, the agent for one. */
  command(file: string, ...args: string[]): [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.name, file, ...args];
  }

  /** Runs a command inside to its end. Rejects with what it printed when it fails. */
  run(file: string, args: readonly string[] = [], options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {}): Promise<Output> {
    return execute('nsenter', [`--net=${this.path}`, '--', file, ...args], options);
  }

  /** Starts a command inside that lives on, and dies with this process. */
  spawn(file: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcessByStdio<Writable, Readable, Readable> {
    return spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'nsenter', `--net=${this.path}`, '--', file, ...args], {
      detached: true, ...options, stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  /** The dataplane's runner for tools inside, with an xtables lock of its own. */
  runner(): CommandRunner {
    return createCommandRunner({ netns: this.path, env: { XTABLES_LOCKFILE: this.lockFile } });
  }

  /** The xtables lock of this namespace; the host's is never taken. */
  get lockFile(): string {
    return `/run/${this.name}.lock`;
  }

  /** Lines for `ip -batch`, in one process. */
  async batch(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await execute('ip', ['-n', this.name, '-batch', '-'], { input: lines.map((line) => `${line}\n`).join('') });
  }

  /** Sets sysctls, by path below /proc/sys ("net/ipv4/ip_forward"). */
  async sysctl(values: Readonly<Record<string, string | number>>): Promise<void> {
    const writes = Object.entries(values).map(([path, value]) => `echo ${value} > /proc/sys/${path}\n`);
    await this.run('sh', ['-e'], { input: writes.join('') });
  }

  /** Ends what runs inside and removes the namespace, its links included. Harmless when repeated. */
  async remove(): Promise<void> {
    if (this.#removed) return;
    this.#removed = true;
    await removeByName(this.name);
    guard?.write(`-${this.name}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

async function prepare(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error('network namespaces need root: run this with sudo, or in a container started with --privileged');
  }
  const names = existsSync(DIRECTORY) ? await readdir(DIRECTORY) : [];
  for (const name of names) {
    const pid = /^crcl-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removeByName(name).catch(() => {});
  }
  guard = startGuard();
}

/** Reads names, "-name" for one that is gone; at the end of its input removes what is left. */
function startGuard(): Writable {
  const script = `
    names=
    while read -r name; do
      case $name in
        -*) kept=; for n in $names; do [ "$n" = "\${name#-}" ] || kept="$kept $n"; done; names=$kept ;;
        *) names="$names $name" ;;
      esac
    done
    for name in $names; do
      [ -e ${DIRECTORY}/$name ] || continue
      for pid in $(ip netns pids $name 2>/dev/null); do kill -9 $pid 2>/dev/null; done
      ip netns del $name 2>/dev/null
      rm -f /run/$name.lock
    done`;
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // It must not keep this process alive; its input ends with it.
  child.unref();
  const { stdin } = child;
  stdin.on('error', () => {});
  if (stdin instanceof Socket) stdin.unref();
  return stdin;
}

async function removeByName(name: string): Promise<void> {
  const { stdout } = await execute('ip', ['netns', 'pids', name]).catch(() => ({ stdout: '' }));
  for (const pid of stdout.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  await execute('ip', ['netns', 'del', name]);
  await execute('rm', ['-f', `/run/${name}.lock`]);
}

/** Runs a command to its end; rejects with what it printed. */
export function execute(
  file: string, args: readonly string[], options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { maxBuffer: 1 << 30, env: { ...process.env, LC_ALL: 'C', ...options.env } }, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(new Error(`${file} ${args.join(' ')} failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}
