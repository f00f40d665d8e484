// RuleTool over a restore coprocess. Reading a whole table takes a process of its own (the memory it needs is then given back);
// reading single chains goes through the coprocess and forks nothing.

import type { Family } from '../model/packet.ts';
import type { ChainReader, } from './chain-listing.ts';
import { chainListing, listedAsSave } from './chain-listing.ts';
import { TransactionRefused, OutcomeUnknown } from './errors.ts';
import type { RuleTool, TableName } from './kernel.ts';
import type { RestoreCoprocess } from './restore-coprocess.ts';
import type { TableReader } from './table-reader.ts';
import { checkTransaction } from './transaction-text.ts';

export function coprocessRules(family: Family, coprocess: RestoreCoprocess, reader: TableReader): RuleTool & ChainReader {
  return {
    family,
    async restore(transaction) {
      checkTransaction(transaction);
      await coprocess.execute(transaction);
    },
    save: (table) => reader.save(table),
    async saveChains(table: TableName, chains: readonly string[]) {
      if (chains.length === 0) return listedAsSave(table, []);
      try {
        return listedAsSave(table, await coprocess.execute(chainListing(table, chains)));
      } catch (error) {
        // A chain that is not there ends the tool; which one, it does not say on every backend.
        if (error instanceof TransactionRefused || error instanceof OutcomeUnknown) return reader.saveChains(table, chains);
        throw error;
      }
    },
    close: () => coprocess.close(),
  };
}
