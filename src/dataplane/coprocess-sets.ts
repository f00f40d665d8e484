// SetTool over an ipset coprocess. Single changes go through it; bulk fills through `ipset restore`, which is faster for them and
// worth its fork. Members are read by a process of their own, so that the coprocess stays small.

import type { CommandRunner } from './command.ts';
import { ReadFailed, SetCommandsFailed } from './errors.ts';
import type { SetTool } from './kernel.ts';
import type { CommandFailure, ParsedCommand } from './process-sets.ts';
import { groupByExist, inOrder, parseSetCommands, readSets, restoreGroup } from './process-sets.ts';
import type { SetCoprocess } from './set-coprocess.ts';
import { markerSet } from './set-coprocess.ts';
import { alreadySo } from './set-command.ts';
import { parseSetHeaders } from './set-headers.ts';

/** From here on a process costs less than the coprocess: 3.7 against 6 ms at 300 commands, 6 against 13 at 1,000. */
const BULK = 400;

export interface CoprocessSetsOptions {
  readonly runner: CommandRunner;
  readonly coprocess: SetCoprocess;
  readonly deadlineMs: number;
}

export function coprocessSets({ runner, coprocess, deadlineMs }: CoprocessSetsOptions): SetTool {
  async function runAll(commands: readonly string[]): Promise<void> {
    const { parsed, failures } = parseSetCommands(commands);
    let rest: readonly ParsedCommand[] = parsed;
    // One process per group as long as nothing fails: the first failure says that there may be many, and each would cost a fork.
    for (const group of parsed.length >= BULK ? groupByExist(parsed) : []) {
      if (group.commands.length < BULK) break;
      const failed = await restoreGroup(runner, group, deadlineMs);
      if (failed !== undefined) failures.push(failed.failure);
      rest = failed === undefined ? rest.slice(group.commands.length) : [...failed.lost, ...rest.slice(failed.index + 1)];
      if (failed !== undefined) break;
    }
    const all = rest.length === 0 ? failures : [...failures, ...await runSingly(rest)];
    if (all.length > 0) throw new SetCommandsFailed(inOrder(all, commands));
  }

  async function runSingly(parsed: readonly ParsedCommand[]): Promise<CommandFailure[]> {
    const failures: CommandFailure[] = [];
    for (const { index, output } of await coprocess.execute(parsed.map(({ command }) => command.text))) {
      const item = parsed[index];
      if (item === undefined || alreadySo(item.command, output)) continue;
      if (item.command.verb === 'create' && item.command.exist) {
        // Whether the set that is there agrees in its options, only the kernel knows.
        const failed = await restoreGroup(runner, { exist: true, commands: [item] }, deadlineMs);
        if (failed !== undefined) failures.push(failed.failure);
      } else {
        failures.push({ command: item.original, output });
      }
    }
    return failures;
  }

  return {
    run: (commands) => coprocess.exclusive(() => runAll(commands)),
    async save(set) {
      if (set === markerSet) throw new ReadFailed(`${markerSet} is no set of the caller's`);
      const saved = await coprocess.exclusive(() => readSets(runner, set === undefined ? ['save'] : ['save', set], deadlineMs));
      return saved.split('\n').filter((line) => line.split(' ', 2)[1] !== markerSet).join('\n');
    },
    headers: () => coprocess.exclusive(async () => parseSetHeaders(await coprocess.list()).filter(({ name }) => name !== markerSet)),
    close: () => coprocess.close(),
  };
}
