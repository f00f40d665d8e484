// RuleTool with a process per change: what everybody else does, and the fallback where coprocesses do not work. Same results, same
// errors, a few milliseconds more for each change.

import type { Family } from '../model/packet.ts';
import type { CommandResult, CommandRunner } from './command.ts';
import { OutcomeUnknown, TransactionRefused } from './errors.ts';
import type { RuleTool } from './kernel.ts';
import { restoreFailure } from './restore-failure.ts';
import type { TableReader } from './table-reader.ts';
import { checkTransaction, countLines } from './transaction-text.ts';
import type { WriteObserver } from './write-observer.ts';

export interface ProcessRulesOptions {
  readonly runner: CommandRunner;
  readonly family: Family;
  /** "iptables-nft-restore", … */
  readonly tool: string;
  readonly lockSeconds: number;
  readonly deadlineMs: number;
  readonly lockFile: string;
  readonly reader: TableReader;
  readonly observer: WriteObserver;
}

export function processRules(options: ProcessRulesOptions): RuleTool {
  const { runner, tool, lockSeconds, deadlineMs, reader, observer } = options;
  let tail: Promise<unknown> = Promise.resolve();

  async function restore(transaction: string): Promise<void> {
    const told = observer.writing(transaction, undefined);
    try {
      await commit(transaction);
      told('done');
    } catch (error) {
      told(error instanceof TransactionRefused ? 'refused' : 'unknown');
      throw error;
    }
  }

  async function commit(transaction: string): Promise<void> {
    let result: CommandResult;
    try {
      result = await runner.run(tool, ['--noflush', '-w', String(lockSeconds)], { input: transaction, timeoutMs: deadlineMs });
    } catch (error) {
      throw new OutcomeUnknown(`${tool} could not be run`, { cause: error });
    }
    if (result.timedOut) throw new OutcomeUnknown(`${tool} did not end within ${deadlineMs} ms and was killed`);
    if (result.exitCode === 0) return;
    throw await restoreFailure({
      tool,
      lockFile: options.lockFile,
      stderr: result.stderr,
      exit: { exitCode: result.exitCode, signal: result.exitCode === undefined ? 'a signal' : undefined },
      linesBefore: 0,
      transactionLines: countLines(transaction),
    });
  }

  return {
    family: options.family,
    restore(transaction) {
      checkTransaction(transaction);
      const result = tail.then(() => restore(transaction));
      tail = result.catch(() => {});
      return result;
    },
    save: (table) => reader.save(table),
    close: async () => {
      await tail;
    },
  };
}
