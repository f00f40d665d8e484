// A network namespace of the test's own, with the kernel's tools in it. In: a label. Out: commands run inside. Always holds: the
// host's own tables are never touched; the namespace goes with close(), or at the next creation after a crash, because its
// name carries the process that made it.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Backend = 'nft' | 'legacy';

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const namePrefix = 'crcl-';

export class NetworkNamespace {
  readonly name: string;
  readonly #scratch: string;

  /** Throws with the remedy where namespaces cannot be made. */
  constructor(label: string) {
    if (process.getuid?.() !== 0) throw new Error('kernel tests need root: run them with sudo, or in a container with CAP_NET_ADMIN and CAP_SYS_ADMIN');
    removeAbandoned();
    this.name = `${namePrefix}${process.pid}-${label}`;
    const made = spawnSync('ip', ['netns', 'add', this.name], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`cannot make a network namespace (iproute2 and CAP_SYS_ADMIN are needed): ${made.stderr}`);
    this.#scratch = mkdtempSync(join(tmpdir(), `${this.name}-`));
    this.expect(['ip', 'link', 'set', 'lo', 'up']);
  }

  /** Environment for commands: a lock of iptables of its own. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, XTABLES_LOCKFILE: join(this.#scratch, 'xtables.lock') };
  }

  run(command: readonly string[], input = ''): Outcome {
    const done = spawnSync('ip', ['netns', 'exec', this.name, ...command], { encoding: 'utf8', input, env: this.environment });
    if (done.error !== undefined) throw done.error;
    return { status: done.status ?? -1, stdout: done.stdout, stderr: done.stderr };
  }

  /** Like run(), but a failure is an exception. */
  expect(command: readonly string[], input = ''): string {
    const { status, stdout, stderr } = this.run(command, input);
    if (status !== 0) throw new Error(`${command.join(' ')} in ${this.name}: ${stderr}`);
    return stdout;
  }

  /** A process that runs inside until it is killed or ends; the caller ends it. */
  start(command: readonly string[]): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.name, ...command], { env: this.environment, stdio: ['pipe', 'pipe', 'inherit'] });
  }

  close(): void {
    spawnSync('ip', ['netns', 'del', this.name]);
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** Namespaces whose process is gone. */
function removeAbandoned(): void {
  if (!existsSync('/run/netns')) return;
  for (const name of readdirSync('/run/netns')) {
    const pid = name.startsWith(namePrefix) ? /^\d+/.exec(name.slice(namePrefix.length))?.[0] : undefined;
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'del', name]);
  }
}
