// What a failed iptables-restore means. In: what it printed, and which lines of its input were the transaction. Out: the error for
// the caller. What always holds: TransactionRefused only when the tool itself says at which line it gave up, because then nothing of
// the transaction is in force (nft sends one batch, legacy replaces the table at COMMIT or not at all). Everything else, the lock
// held by another included, is OutcomeUnknown: reading costs little, guessing costs an open door.

import { OutcomeUnknown, TransactionRefused } from './errors.ts';
import type { ChildExit } from './command.ts';
import { lockHolder } from './xtables-lock.ts';

export interface RestoreFailure {
  readonly tool: string;
  readonly stderr: string;
  readonly exit: ChildExit;
  /** How many lines the process had read before the transaction's first one: it counts from its own start. */
  readonly linesBefore: number;
  readonly transactionLines: number;
  readonly lockFile: string;
}

// "iptables-nft-restore: line 3 failed: Bad rule …", "iptables-restore: line 4 failed", "line 4: CHAIN_DEL failed (…): chain c1",
// "Error occurred at line: 10".
const namedLines = /\bline (\d+)(?: failed|: [A-Z_]+ failed)|\bError occurred at line: (\d+)/g;

export async function restoreFailure(failure: RestoreFailure): Promise<TransactionRefused | OutcomeUnknown> {
  const { tool, exit } = failure;
  const stderr = withoutNoise(failure.stderr);
  if (stderr.includes('holding the xtables lock')) {
    const holder = await lockHolder(failure.lockFile);
    return new OutcomeUnknown(`${tool} gave up waiting for the xtables lock (${failure.lockFile}), held by ${holder ?? 'another process'}; nothing was written`);
  }
  const named = [...stderr.matchAll(namedLines)].map((found) => Number(found[1] ?? found[2]) - failure.linesBefore);
  if (exit.signal === undefined && named.length > 0) {
    // The last line is COMMIT: the tool found the fault only there and does not say which line caused it.
    return new TransactionRefused(stderr, named.filter((line) => line >= 1 && line < failure.transactionLines));
  }
  const ending = exit.signal === undefined ? `ended with status ${exit.exitCode ?? 'unknown'}` : `was ended by ${exit.signal}`;
  return new OutcomeUnknown(`${tool} ${ending} before it acknowledged a transaction${stderr === '' ? '' : `: ${stderr}`}`);
}

/** Lines that tell nothing about the failure. */
function withoutNoise(stderr: string): string {
  return stderr.split('\n')
    .filter((line) => !line.startsWith('# Warning:') && !line.startsWith('Try `') && line.trim() !== '')
    .join('\n');
}
