// Reads iptables tables with a process per reading. What always holds: an output that is not complete is ReadFailed, never "empty".

import type { ChainReader } from './chain-listing.ts';
import { chainListing, listedAsSave, onlyChains } from './chain-listing.ts';
import type { CommandResult, CommandRunner } from './command.ts';
import { ReadFailed } from './errors.ts';
import type { TableName } from './kernel.ts';

export interface TableReader extends ChainReader {
  save(table: TableName): Promise<string>;
}

export interface TableReaderOptions {
  readonly runner: CommandRunner;
  /** "iptables-nft-save", … */
  readonly saveTool: string;
  /** "iptables-nft-restore", …: lists single chains. */
  readonly restoreTool: string;
  readonly lockSeconds: number;
  readonly deadlineMs: number;
}

export function createTableReader(options: TableReaderOptions): TableReader {
  const { runner, saveTool, restoreTool, lockSeconds, deadlineMs } = options;

  async function run(tool: string, args: readonly string[], input?: string): Promise<CommandResult> {
    let result: CommandResult;
    try {
      result = await runner.run(tool, args, { timeoutMs: deadlineMs, ...(input === undefined ? {} : { input }) });
    } catch (error) {
      throw new ReadFailed(`${tool} could not be run`, { cause: error });
    }
    if (result.timedOut) throw new ReadFailed(`${tool} did not answer within ${deadlineMs} ms and was killed`);
    return result;
  }

  async function save(table: TableName): Promise<string> {
    const { exitCode, stdout, stderr } = await run(saveTool, ['-t', table]);
    // nft prints this instead of the table and exits with 0.
    const foreign = /^# Table `[^']*' is incompatible, use 'nft' tool\.?$/m.exec(stdout) ?? /^.*is incompatible, use 'nft' tool.*$/m.exec(stderr);
    if (foreign !== null) {
      throw new ReadFailed(`${saveTool} cannot show the table ${table}: ${foreign[0]} It holds a rule that only nft can show; ` +
        `look for it with "nft list table ip ${table}" and remove it or move it to a table of its own`);
    }
    if (exitCode !== 0) throw new ReadFailed(`${saveTool} -t ${table} failed (${exitCode ?? 'killed'}): ${stderr.trim()}`);
    if (!stdout.includes('\nCOMMIT\n')) throw new ReadFailed(`${saveTool} -t ${table} printed an incomplete table`);
    return stdout;
  }

  async function list(table: TableName, chains: readonly string[]): Promise<string[]> {
    const { exitCode, stdout, stderr } = await run(restoreTool, ['--noflush', '-w', String(lockSeconds)], chainListing(table, chains));
    // nft words a chain that does not exist and one that it cannot show alike; neither is an answer.
    if (exitCode !== 0) throw new ReadFailed(`${restoreTool} cannot list ${chains.join(', ')} of table ${table}: ${stderr.trim()}`);
    return stdout.split('\n');
  }

  return {
    save,
    async saveChains(table, chains) {
      let saved: string;
      try {
        saved = await save(table);
      } catch {
        return listedAsSave(table, await list(table, chains));
      }
      return onlyChains(table, saved, chains);
    },
  };
}
