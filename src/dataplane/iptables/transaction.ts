// One transaction for iptables-restore --noflush, complete in memory before its first byte is written: the tool takes the xtables
// lock at the table's line and holds it until COMMIT.

import type { TableName } from '../kernel.ts';
import { assertPrintable } from '../encoding.ts';

export interface Transaction {
  /** "*filter\n…\nCOMMIT\n". */
  readonly text: string;
  /** How many lines change something. */
  readonly lines: number;
  /** The kernel sets that rules of this transaction name. */
  readonly sets: ReadonlySet<string>;
  /** The chain that a line (1-based) is about. */
  chainOfLine(line: number): string | undefined;
  /** To be called when the kernel has it: the table takes it for what is in the kernel. */
  commit(): void;
}

export class TransactionBuilder {
  readonly #table: TableName;
  /** Declarations come first, so that no rule leads to a chain that is not there yet. */
  readonly #declarations: { chain: string; line: string }[] = [];
  readonly #rules: { chain: string; line: string }[] = [];
  readonly #removals: { chain: string; line: string }[] = [];
  readonly #sets = new Set<string>();
  readonly #effects: (() => void)[] = [];

  constructor(table: TableName) {
    this.#table = table;
  }

  /** Creates the chain, or flushes it. */
  declare(chain: string): void {
    this.#declarations.push({ chain, line: `:${chain} - [0:0]` });
  }

  rules(chain: string, lines: readonly string[]): void {
    for (const line of lines) this.#rules.push({ chain, line });
  }

  /** The chain is empty by then and nothing leads to it. */
  remove(chain: string): void {
    this.#removals.push({ chain, line: `-X ${chain}` });
  }

  needsSets(sets: readonly string[]): void {
    for (const set of sets) this.#sets.add(set);
  }

  onCommit(effect: () => void): void {
    this.#effects.push(effect);
  }

  /** Undefined when nothing changes. Throws EncodingRefused. */
  build(): Transaction | undefined {
    const all = [...this.#declarations, ...this.#rules, ...this.#removals];
    if (all.length === 0) return undefined;
    for (const { line } of all) assertPrintable(line);
    const effects = this.#effects;
    return {
      text: `*${this.#table}\n${all.map(({ line }) => line).join('\n')}\nCOMMIT\n`,
      lines: all.length,
      sets: this.#sets,
      chainOfLine: (line) => all[line - 2]?.chain,
      commit: () => {
        for (const effect of effects) effect();
      },
    };
  }
}
