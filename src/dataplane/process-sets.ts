// SetTool with a process per call (`ipset restore`). The fallback where the coprocess does not work, and the faster way for bulk
// fills: restore puts many members into one message, and costs one fork.
//
// restore stops at the first command that fails and names its line. What is before it was executed, with one exception: the members
// that it had collected for one message when it met a line that it cannot even send (seen with ipset 7.17); those are written again.
// Its -exist is one flag for all lines of a message, so commands with and without it go into separate processes.

import type { CommandResult, CommandRunner } from './command.ts';
import { EncodingRefused, OutcomeUnknown, ReadFailed, SetCommandsFailed } from './errors.ts';
import type { SetHeader, SetTool } from './kernel.ts';
import type { SetCommand } from './set-command.ts';
import { parseSetCommand } from './set-command.ts';
import { parseSetHeaders } from './set-headers.ts';

export interface ProcessSetsOptions {
  readonly runner: CommandRunner;
  readonly deadlineMs: number;
}

export interface CommandFailure {
  readonly command: string;
  readonly output: string;
}

/** A run of parsed commands that agree in their -exist. */
export interface CommandGroup {
  readonly exist: boolean;
  readonly commands: readonly ParsedCommand[];
}

export interface ParsedCommand {
  readonly command: SetCommand;
  /** As the caller wrote it; failures name it so. */
  readonly original: string;
}

export function processSets({ runner, deadlineMs }: ProcessSetsOptions): SetTool {
  let tail: Promise<unknown> = Promise.resolve();

  /** All of a group, going on after each failure. */
  async function restore(group: CommandGroup, failures: CommandFailure[]): Promise<void> {
    for (let rest: CommandGroup = group; rest.commands.length > 0;) {
      const failed = await restoreGroup(runner, rest, deadlineMs);
      if (failed === undefined) return;
      failures.push(failed.failure);
      for (const lost of groupByExist(failed.lost)) await restore(lost, failures);
      rest = { exist: group.exist, commands: rest.commands.slice(failed.index + 1) };
    }
  }

  async function runAll(commands: readonly string[]): Promise<void> {
    const { parsed, failures } = parseSetCommands(commands);
    for (const group of groupByExist(parsed)) await restore(group, failures);
    if (failures.length > 0) throw new SetCommandsFailed(inOrder(failures, commands));
  }

  return {
    run(commands) {
      const result = tail.then(() => runAll(commands));
      tail = result.catch(() => {});
      return result;
    },
    save: (set) => readSets(runner, set === undefined ? ['save'] : ['save', set], deadlineMs),
    headers: async (): Promise<readonly SetHeader[]> => parseSetHeaders((await readSets(runner, ['list', '-t'], deadlineMs)).split('\n')),
    close: async () => {
      await tail;
    },
  };
}

/** Those that may be written, in order, and the refusals of the others. */
export function parseSetCommands(commands: readonly string[]): {
  parsed: ParsedCommand[];
  failures: CommandFailure[];
} {
  const parsed: ParsedCommand[] = [];
  const failures: CommandFailure[] = [];
  for (const original of commands) {
    try {
      parsed.push({ command: parseSetCommand(original), original });
    } catch (error) {
      if (!(error instanceof EncodingRefused)) throw error;
      failures.push({ command: original, output: `not written: ${error.message}` });
    }
  }
  return { parsed, failures };
}

/** Failures in the order of the commands. */
export function inOrder(failures: readonly CommandFailure[], commands: readonly string[]): CommandFailure[] {
  const positions = new Map(commands.map((command, index) => [command, index]));
  return failures.toSorted((one, other) => (positions.get(one.command) ?? 0) - (positions.get(other.command) ?? 0));
}

export function groupByExist(parsed: readonly ParsedCommand[]): CommandGroup[] {
  const groups: { exist: boolean; commands: ParsedCommand[] }[] = [];
  for (const item of parsed) {
    const last = groups.at(-1);
    if (last?.exist === item.command.exist) last.commands.push(item);
    else groups.push({ exist: item.command.exist, commands: [item] });
  }
  return groups;
}

export interface GroupFailure {
  /** What comes after it was not executed. */
  readonly index: number;
  readonly failure: CommandFailure;
  /** What comes before it and was perhaps not executed: to be run again. */
  readonly lost: readonly ParsedCommand[];
}

/** One `ipset restore`; the first failure, if any. */
export async function restoreGroup(runner: CommandRunner, group: CommandGroup, deadlineMs: number): Promise<GroupFailure | undefined> {
  const input = group.commands.map(({ command }) => `${command.text}\n`).join('');
  let result: CommandResult;
  try {
    result = await runner.run('ipset', [...(group.exist ? ['-exist'] : []), 'restore'], { input, timeoutMs: deadlineMs });
  } catch (error) {
    throw new OutcomeUnknown('ipset could not be run', { cause: error });
  }
  if (result.timedOut) throw new OutcomeUnknown(`ipset restore did not end within ${deadlineMs} ms and was killed`);
  if (result.exitCode === 0) return undefined;
  const named = /Error in line (\d+): ([^]*)/.exec(result.stderr);
  const index = Number(named?.[1]) - 1;
  const failed = group.commands[index];
  if (named === null || failed === undefined) {
    throw new OutcomeUnknown(`ipset restore failed (${result.exitCode ?? 'killed'}): ${result.stderr.trim()}`);
  }
  const output = named[2]?.trim() ?? '';
  return { index, failure: { command: failed.original, output }, lost: lostBefore(group, index, output) };
}

/** What the kernel says about a member; then those before it in the message are in the set. */
const aboutMember = /already added|not added|Hash is full/;
/** So many members go into one message for certain: all of them are lost, or none is. */
const ONE_MESSAGE = 100;

/** The members of one set right before a line that was not sent: restore had them in a message that was not sent either. */
function lostBefore(group: CommandGroup, index: number, output: string): ParsedCommand[] {
  const words = (position: number): readonly string[] => group.commands[position]?.command.text.split(' ', 2) ?? [];
  const isMember = (position: number): boolean => words(position)[0] === 'add' || words(position)[0] === 'del';
  if (!isMember(index) || aboutMember.test(output)) return [];
  let start = index;
  while (start > 0 && isMember(start - 1) && words(start - 1).join(' ') === words(index - 1).join(' ')) start -= 1;
  const lost = group.commands.slice(start, index);
  // Some of more may have been sent: then what is already so is no failure.
  return lost.length <= ONE_MESSAGE ? lost : lost.map(({ command, original }) => ({ command: { ...command, exist: true }, original }));
}

/** A listing command in a process of its own. */
export async function readSets(runner: CommandRunner, args: readonly string[], deadlineMs: number): Promise<string> {
  let result: CommandResult;
  try {
    result = await runner.run('ipset', args, { timeoutMs: deadlineMs });
  } catch (error) {
    throw new ReadFailed('ipset could not be run', { cause: error });
  }
  if (result.timedOut) throw new ReadFailed(`ipset ${args.join(' ')} did not end within ${deadlineMs} ms and was killed`);
  if (result.exitCode !== 0) throw new ReadFailed(`ipset ${args.join(' ')} failed: ${result.stderr.trim()}`);
  return result.stdout;
}
