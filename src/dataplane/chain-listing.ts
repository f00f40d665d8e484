// Reading single chains: `-S chain` is a command of iptables-restore's input as well, so a table with 20,000 foreign rules need not
// be read to see ten chains of ours, and on the nft backend it works where iptables-save gives up (one native rule that iptables
// cannot show). What comes out has the form of iptables-save, so that one parser reads both.

import type { TableName } from './kernel.ts';

/** The input for iptables-restore that prints the chains and changes nothing. */
export function chainListing(table: TableName, chains: readonly string[]): string {
  return `*${table}\n${chains.map((chain) => `-S ${chain}\n`).join('')}COMMIT\n`;
}

/** `-S` output ("-P INPUT ACCEPT", "-N chain", "-A …") in the form of iptables-save. */
export function listedAsSave(table: TableName, lines: readonly string[]): string {
  const chains: string[] = [];
  const rules: string[] = [];
  for (const line of lines) {
    if (line.startsWith('-A ')) rules.push(`${line}\n`);
    else if (line.startsWith('-N ')) chains.push(`:${line.slice(3)} - [0:0]\n`);
    else if (line.startsWith('-P ')) chains.push(`:${line.slice(3)} [0:0]\n`);
  }
  return `*${table}\n${chains.join('')}${rules.join('')}COMMIT\n`;
}
