// RuleTool over a restore coprocess. Reading a whole table takes a process of its own (the memory it needs is then given back);
// reading single chains goes through the coprocess and forks nothing.

import type { Family } from '../model/packet.ts';
import { chainListing, listedAsSave } from './chain-listing.ts';
import { OutcomeUnknown, ReadFailed, TransactionRefused } from './errors.ts';
import type { RuleTool, TableName } from './kernel.ts';
import type { RestoreCoprocess } from './restore-coprocess.ts';
import type { TableReader } from './table-reader.ts';
import { checkTransaction } from './transaction-text.ts';

export function coprocessRules(family: Family, coprocess: RestoreCoprocess, reader: TableReader): Required<RuleTool> {
  return {
    family,
    async restore(transaction) {
      checkTransaction(transaction);
      await coprocess.execute(transaction);
    },
    save: (table) => reader.save(table),
    async saveChains(table: TableName, chains: readonly string[]) {
      const listing = chainListing(table, chains);
      checkTransaction(listing);
      let lines: readonly string[];
      try {
        lines = await coprocess.execute(listing);
      } catch (error) {
        // A chain that is not there ends the tool; which one, it does not say on every backend.
        if (error instanceof TransactionRefused || error instanceof OutcomeUnknown) throw new ReadFailed(`chains of table ${table} could not be listed: ${error.message}`, { cause: error });
        throw error;
      }
      const listed = new Set(lines.map((line) => /^-[NP] (\S+)/.exec(line)?.[1]));
      const missing = chains.filter((chain) => !listed.has(chain));
      if (missing.length > 0) throw new ReadFailed(`chains of table ${table} were not listed: ${missing.join(', ')}`);
      return listedAsSave(table, lines);
    },
    close: () => coprocess.close(),
  };
}
