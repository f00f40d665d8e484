// The seam between the dataplane's logic and the kernel: iptables and ipset as two small interfaces. Implemented by coprocesses,
// by a process per change, and by the fake kernel of the tests.

import type { Family } from '../model/packet.ts';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter';

/** iptables of one family and one backend. */
export interface RuleTool {
  readonly family: Family;
  /**
   * Commits one complete transaction ("*filter\n…\nCOMMIT\n"; --noflush semantics). Resolves when the kernel has it.
   * Rejects with TransactionRefused (nothing is in force) or OutcomeUnknown (read before the next write).
   */
  restore(transaction: string): Promise<void>;
  /**
   * The table as iptables-save prints it. Rejects with ReadFailed when the tool fails or the output is not complete: that is no
   * answer, never "empty".
   */
  save(table: TableName): Promise<string>;
  /**
   * These chains as save() shows them, where they can be had without a process. Rejects with ReadFailed, also when one of them is not
   * there. At most a few dozen chains.
   */
  saveChains?(table: TableName, chains: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** ipset, both families. */
export interface SetTool {
  /**
   * Executes commands in order (create, add, del, flush, swap, destroy; without the word "ipset"). All are tried; rejects with
   * SetCommandsFailed naming those that failed, or OutcomeUnknown.
   */
  run(commands: readonly string[]): Promise<void>;
  /** `ipset save` of all sets, or of one. Rejects with ReadFailed; the absence of a named set is ReadFailed too. */
  save(set?: string): Promise<string>;
  /** `ipset list -t` reduced to each set's name, type, header options and entry count. */
  headers(): Promise<readonly SetHeader[]>;
  close(): Promise<void>;
}

export interface SetHeader {
  readonly name: string;
  /** "hash:net", … */
  readonly type: string;
  readonly family: 'inet' | 'inet6' | '';
  readonly maxElements: number;
  readonly entries: number;
}
