// The only place that starts processes. What goes in: a file, its arguments, perhaps its input. What comes out: its result, or a
// live child. What always holds:
//
//  - No child outlives the agent, not even after a kill -9: each is started through `setpriv --pdeathsig KILL` (util-linux, part of
//    every Debian). Node cannot set that flag itself, and a child that ends on the end of its input is not enough: the monitors read
//    no input, and a restore that waits for the xtables lock reads it too late.
//  - Ctrl-C on the terminal does not reach a child: each has a session, hence a process group, of its own.
//  - An exit status other than 0 is a result, not an exception. Only a file that does not exist (ToolMissing) and an agent that may
//    not fork at all are exceptions.
//  - Messages are in English and numbers plain (LC_ALL=C): they are parsed.
//
// With `netns` every child is moved into that network namespace first (nsenter), which is how tests, and an agent that serves
// another namespace, run the same tools there.

import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { ToolMissing } from './errors.ts';

export interface RunOptions {
  /** Standard input; without it the child reads the end of file at once. */
  readonly input?: string;
  /** After that many milliseconds the child is killed and the result says `timedOut`. No limit without it. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  /** undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildExit {
  /** undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** A long-lived child. Its three streams are pipes; the owner reads both outputs, or the child blocks when they are full. */
export interface Child {
  /** As this process sees it; the wrappers replace themselves, so it is the tool's own. */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Never rejects. Resolves when the process is gone: what it had begun in the kernel is then done or never will be. */
  readonly exited: Promise<ChildExit>;
  /** kill -9. */
  kill(): void;
}

export interface CommandRunner {
  run(file: string, args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Rejects only when the process could not be started. */
  spawn(file: string, args: readonly string[], options?: SpawnOptions): Promise<Child>;
}

export interface CommandRunnerOptions {
  /** Path of a network namespace (/run/netns/NAME, /proc/PID/ns/net); the agent's own without it. */
  readonly netns?: string;
  /** Added to the environment of every child. */
  readonly env?: Readonly<Record<string, string>>;
}

/** setpriv's and env's exit status for a file that cannot be executed. */
const CANNOT_EXECUTE = 127;

export function createCommandRunner(runnerOptions: CommandRunnerOptions = {}): CommandRunner {
  const wrap = (file: string, args: readonly string[]): string[] => [
    '--pdeathsig', 'KILL', '--',
    ...(runnerOptions.netns === undefined ? [] : ['nsenter', `--net=${runnerOptions.netns}`, '--']),
    file, ...args,
  ];
  const environment = (own: Readonly<Record<string, string>> | undefined): Record<string, string> => ({
    ...runnerOptions.env, ...own, LC_ALL: 'C',
  });

  return {
    async run(file, args, options = {}) {
      const result = await execa('setpriv', wrap(file, args), {
        reject: false,
        detached: true,
        stripFinalNewline: false,
        maxBuffer: 1024 * 1024 * 1024,
        env: environment(options.env),
        killSignal: 'SIGKILL',
        ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
        ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      });
      if (result.code === 'ENOENT') throw new ToolMissing('setpriv', { cause: result.cause });
      if (result.exitCode === CANNOT_EXECUTE) throw new ToolMissing(missingFile(result.stderr) ?? file);
      if (result.exitCode === undefined && result.signal === undefined && !result.timedOut) {
        throw new Error(`cannot start ${file}: ${result.shortMessage ?? 'no reason given'}`, { cause: result.cause });
      }
      return { exitCode: result.exitCode, timedOut: result.timedOut, stdout: result.stdout, stderr: result.stderr };
    },

    async spawn(file, args, options = {}) {
      const subprocess = execa('setpriv', wrap(file, args), {
        reject: false,
        detached: true,
        buffer: false,
        stdin: 'pipe',
        env: environment(options.env),
        killSignal: 'SIGKILL',
      });
      const { pid, stdin, stdout, stderr } = subprocess;
      if (pid === undefined) {
        const failed = await subprocess;
        if (failed.code === 'ENOENT') throw new ToolMissing('setpriv', { cause: failed.cause });
        throw new Error(`cannot start ${file}: ${failed.shortMessage ?? 'no reason given'}`, { cause: failed.cause });
      }
      // A write to a child that has just died fails with EPIPE; its end is reported by `exited`, once.
      stdin.on('error', () => {});
      return {
        pid, stdin, stdout, stderr,
        exited: subprocess.then((result) => ({ exitCode: result.exitCode, signal: result.signal })),
        kill: () => void subprocess.kill('SIGKILL'),
      };
    },
  };
}

/** The file that setpriv, nsenter or stdbuf names when it cannot execute it. */
function missingFile(stderr: string): string | undefined {
  return /failed to (?:execute|run command) [‘'"]?([^’'":\s]+)/.exec(stderr)?.[1];
}
