// The form every text has that goes to iptables-restore, checked once more at the last moment before it is written: one table, one
// COMMIT at its end, no comment (that is how a coprocess acknowledges), printable ASCII. A breach is a fault of this program,
// not of any input, and ends it.

import type { TableName } from './kernel.ts';

const form = /^\*(raw|mangle|nat|filter)\n/;
const forbidden = /[^\x20-\x7e\n]|^#/m;

export function checkTransaction(transaction: string): TableName {
  const table = form.exec(transaction)?.[1];
  if (table === undefined) throw new TypeError(`a transaction must begin with *table: ${JSON.stringify(transaction.slice(0, 80))}`);
  if (transaction.indexOf('\nCOMMIT\n') !== transaction.length - '\nCOMMIT\n'.length) {
    throw new TypeError(`a transaction must have one COMMIT, at its end: ${JSON.stringify(transaction.slice(-80))}`);
  }
  const breach = forbidden.exec(transaction);
  if (breach !== null) {
    throw new TypeError(`a transaction must not contain ${JSON.stringify(breach[0])}: ${JSON.stringify(transaction.slice(breach.index - 40, breach.index + 40))}`);
  }
  return table as TableName;
}

export function countLines(text: string): number {
  let lines = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) lines += 1;
  return lines;
}

const chainOfLine = /^(?::|-[ADIFNXRP] )(\S+)/;

/** The chains that a transaction declares, changes or deletes. */
export function chainsOf(transaction: string): Set<string> {
  const chains = new Set<string>();
  for (const line of transaction.split('\n')) {
    const chain = chainOfLine.exec(line)?.[1];
    if (chain !== undefined) chains.add(chain);
  }
  return chains;
}
