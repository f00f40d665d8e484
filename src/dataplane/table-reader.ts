// Reads iptables tables with a process per reading. What always holds: an output that is not complete is ReadFailed, never "empty".

import type { CommandResult, CommandRunner } from './command.ts';
import { ReadFailed } from './errors.ts';
import type { TableName } from './kernel.ts';

export interface TableReader {
  save(table: TableName): Promise<string>;
}

export interface TableReaderOptions {
  readonly runner: CommandRunner;
  /** "iptables-nft-save", … */
  readonly saveTool: string;
  readonly deadlineMs: number;
}

export function createTableReader({ runner, saveTool, deadlineMs }: TableReaderOptions): TableReader {
  return {
    async save(table) {
      let result: CommandResult;
      try {
        result = await runner.run(saveTool, ['-t', table], { timeoutMs: deadlineMs });
      } catch (error) {
        throw new ReadFailed(`${saveTool} could not be run`, { cause: error });
      }
      const { exitCode, stdout, stderr, timedOut } = result;
      if (timedOut) throw new ReadFailed(`${saveTool} did not answer within ${deadlineMs} ms and was killed`);
      // nft prints this instead of the table and exits with 0.
      const foreign = /^# Table `[^']*' is incompatible, use 'nft' tool\.?$/m.exec(stdout) ?? /^.*is incompatible, use 'nft' tool.*$/m.exec(stderr);
      if (foreign !== null) {
        throw new ReadFailed(`${saveTool} cannot show the table ${table}: ${foreign[0]} It holds a rule that only nft can show; ` +
          `look for it with "nft list table ip ${table}" and remove it or move it to a table of its own`);
      }
      if (exitCode !== 0) throw new ReadFailed(`${saveTool} -t ${table} failed (${exitCode ?? 'killed'}): ${stderr.trim()}`);
      if (!stdout.includes('\nCOMMIT\n')) throw new ReadFailed(`${saveTool} -t ${table} printed an incomplete table`);
      return stdout;
    },
  };
}
