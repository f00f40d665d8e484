// A kernel in memory: iptables of both families and ipset behind the dataplane's own interfaces. It parses and checks every
// transaction and command as the real tools would, prints what iptables-save and ipset save would print, and lets a test make it
// fail. test/kernel/fake-kernel.test.ts holds it against the real kernel.
//
//   const kernel = new FakeKernel({ backend: 'nft' });
//   dataplane(kernel.ruleTool(4), kernel.setTool());
//   kernel.edit('*filter\n-F cali-FORWARD\nCOMMIT\n');                            // somebody else
//   kernel.failNext({ on: 'restore', how: 'die-after-commit' });
//   kernel.linesWritten                                                             // by the tools, not by edit()

import type { RuleTool, SetHeader, SetTool, TableName } from '../../src/dataplane/kernel.ts';
import { OutcomeUnknown, ReadFailed, SetCommandsFailed, TransactionRefused } from '../../src/dataplane/errors.ts';
import type { Family } from '../../src/model/packet.ts';
import { applyTransaction, emptyTable, Refusal, tableOf, tableText } from './rule-tables.ts';
import type { Backend, FakeTable, Surroundings } from './rule-tables.ts';
import { SetStore } from './set-store.ts';

/** What goes wrong at the next matching call; `times` calls (default 1). */
export type Fault = { readonly times?: number; readonly matching?: RegExp } & (
  | { readonly on: 'restore'; readonly how: 'refuse'; readonly line?: number }
  | { readonly on: 'restore'; readonly how: 'die-before-commit' | 'die-after-commit' }
  /** Of the commands that match, each is refused. */
  | { readonly on: 'run'; readonly how: 'refuse'; readonly output?: string }
  /** The first `after` commands of the call are executed, then the tool dies; the call ends in OutcomeUnknown. */
  | { readonly on: 'run'; readonly how: 'die'; readonly after: number }
  | { readonly on: 'save' | 'save-chains' | 'save-sets' | 'headers'; readonly how: 'fail' }
);

/** One thing that changed the kernel, or was refused. Set commands come one by one. */
export type Write =
  | { readonly kind: 'transaction'; readonly family: Family; readonly text: string; readonly lines: number; readonly by: 'tool' | 'other'; readonly accepted: boolean }
  | { readonly kind: 'command'; readonly text: string; readonly by: 'tool' | 'other'; readonly accepted: boolean };

export interface Read {
  readonly kind: 'save' | 'save-chains' | 'save-sets' | 'headers';
  readonly name: string;
}

export interface FakeKernelOptions {
  /** "legacy" does not say which line it refused. */
  readonly backend?: Backend;
}

export class FakeKernel {
  readonly backend: Backend;
  /** Everything written, in order; refused attempts included. */
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  readonly #tables = new Map<string, FakeTable>();
  readonly #sets = new SetStore((set) => this.#isReferenced(set));
  readonly #faults: { readonly fault: Fault; left: number }[] = [];
  readonly #listeners = new Set<(write: Write) => void>();
  #unacceptable: RegExp | undefined;
  #gate: Promise<void> | undefined;

  constructor(options: FakeKernelOptions = {}) {
    this.backend = options.backend ?? 'nft';
  }

  ruleTool(family: Family): RuleTool {
    return {
      family,
      restore: (transaction) => this.#restore(family, transaction),
      save: (table) => this.#save(family, table),
      saveChains: (table, chains) => this.#saveChains(family, table, chains),
      close: () => Promise.resolve(),
    };
  }

  setTool(): SetTool {
    return {
      run: (commands) => this.#run(commands),
      save: (set) => this.#saveSets(set),
      headers: () => this.#headers(),
      close: () => Promise.resolve(),
    };
  }

  /** Rule lines (chain declarations included) and set commands that the tools were given; edit() and refusals by faults too. */
  get linesWritten(): number {
    return this.writes
      .filter((write) => write.by === 'tool')
      .reduce((sum, write) => sum + (write.kind === 'transaction' ? write.lines : 1), 0);
  }

  /** Forgets what was written and read so far; the state stays. */
  clearLog(): void {
    this.writes.length = 0;
    this.reads.length = 0;
  }

  /** Calls back after every write that changed the kernel: after each transaction and after each single set command. */
  onWrite(listener: (write: Write) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  failNext(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Faults that have not struck yet are forgotten. */
  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** From now on a transaction of the tools is refused for its first line that matches; undefined: none is. */
  refuseLines(unacceptable: RegExp | undefined): void {
    this.#unacceptable = unacceptable;
  }

  /** Holds all writes of the tools until the returned function is called. */
  holdWrites(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      if (this.#gate === promise) this.#gate = undefined;
      resolve();
    };
  }

  /** A transaction of somebody else; throws TransactionRefused. */
  edit(transaction: string, family: Family = 4): void {
    this.#commit(family, transaction, 'other');
  }

  /** Set commands of somebody else; throws SetCommandsFailed. */
  editSets(...commands: readonly string[]): void {
    const failures = this.#execute(commands, 'other');
    if (failures.length > 0) throw new SetCommandsFailed(failures);
  }

  /** What `iptables-save -t table` would print now. */
  rulesText(table: TableName = 'filter', family: Family = 4): string {
    return tableText(table, this.#table(family, table), this.backend);
  }

  /** What `ipset save` would print now. */
  setsText(): string {
    return this.#sets.text() ?? '';
  }

  /** The rules of a chain as iptables-save prints them, without "-A chain"; undefined when there is no such chain. */
  chain(name: string, table: TableName = 'filter', family: Family = 4): readonly string[] | undefined {
    return this.#table(family, table)
      .get(name)
      ?.rules.map((rule) => rule.text);
  }

  /** Names of the chains of a table, built-in ones included. */
  chains(table: TableName = 'filter', family: Family = 4): readonly string[] {
    return [...this.#table(family, table).keys()];
  }

  #table(family: Family, table: TableName): FakeTable {
    return this.#tables.get(`${family} ${table}`) ?? emptyTable(table);
  }

  #isReferenced(set: string): boolean {
    for (const table of this.#tables.values()) {
      for (const { rules } of table.values()) {
        if (rules.some(({ spec }) => spec.matches.some((match) => match.kind === 'set' && match.set === set))) return true;
      }
    }
    return false;
  }

  #takeFault<K extends Fault['on']>(on: K, ...texts: readonly string[]): Extract<Fault, { on: K }> | undefined {
    const index = this.#faults.findIndex(({ fault }) => fault.on === on && (fault.matching === undefined || texts.some((text) => fault.matching?.test(text))));
    const entry = this.#faults[index];
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#faults.splice(index, 1);
    return entry.fault as Extract<Fault, { on: K }>;
  }

  async #restore(family: Family, transaction: string): Promise<void> {
    await this.#turn();
    const fault = this.#takeFault('restore', transaction);
    if (fault?.how === 'die-before-commit') throw new OutcomeUnknown('iptables-restore died before it committed');
    const unacceptable = transaction.split('\n').findIndex((line) => this.#unacceptable?.test(line));
    if (fault?.how === 'refuse' || unacceptable >= 0) {
      this.#record({ kind: 'transaction', family, text: transaction, lines: countLines(transaction), by: 'tool', accepted: false });
      throw this.#refused(new Refusal('refused on request', fault?.how === 'refuse' ? fault.line : unacceptable + 1));
    }
    this.#commit(family, transaction, 'tool');
    if (fault?.how === 'die-after-commit') throw new OutcomeUnknown('iptables-restore died before it acknowledged');
  }

  #commit(family: Family, transaction: string, by: Write['by']): void {
    const write = { kind: 'transaction', family, text: transaction, lines: countLines(transaction), by } as const;
    const surroundings: Surroundings = { family, backend: this.backend, setFamily: (set) => this.#sets.family(set) };
    try {
      const name = tableOf(transaction);
      this.#tables.set(`${family} ${name}`, applyTransaction(this.#table(family, name), transaction, surroundings));
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      this.#record({ ...write, accepted: false });
      throw this.#refused(problem);
    }
    this.#record({ ...write, accepted: true });
  }

  #refused(refusal: Refusal): TransactionRefused {
    return this.backend === 'nft' && refusal.line !== undefined
      ? new TransactionRefused(refusal.message, [refusal.line])
      : new TransactionRefused('iptables-restore: line of COMMIT failed');
  }

  async #run(commands: readonly string[]): Promise<void> {
    await this.#turn();
    const fault = this.#takeFault('run', ...commands);
    if (fault?.how === 'die') {
      this.#execute(commands.slice(0, fault.after), 'tool');
      throw new OutcomeUnknown(`ipset died after ${fault.after} of ${commands.length} commands`);
    }
    const failures = this.#execute(commands, 'tool', fault);
    if (failures.length > 0) throw new SetCommandsFailed(failures);
  }

  #execute(commands: readonly string[], by: Write['by'], refusing?: Extract<Fault, { on: 'run'; how: 'refuse' }>): { command: string; output: string }[] {
    return commands.flatMap((command) => {
      const isRefused = refusing !== undefined && (refusing.matching?.test(command) ?? true);
      const output = isRefused ? (refusing.output ?? 'refused on request') : this.#sets.execute(command);
      this.#record({ kind: 'command', text: command, by, accepted: output === undefined });
      return output === undefined ? [] : [{ command, output: `ipset v7.17: ${output}` }];
    });
  }

  async #save(family: Family, table: TableName): Promise<string> {
    await Promise.resolve();
    this.reads.push({ kind: 'save', name: table });
    if (this.#takeFault('save', table) !== undefined) throw new ReadFailed('iptables-save failed on request');
    return this.rulesText(table, family);
  }

  async #saveChains(family: Family, table: TableName, chains: readonly string[]): Promise<string> {
    await Promise.resolve();
    this.reads.push({ kind: 'save-chains', name: chains.join(' ') });
    if (this.#takeFault('save-chains', ...chains) !== undefined) throw new ReadFailed('chains could not be listed on request');
    const missing = chains.filter((name) => this.chain(name, table, family) === undefined);
    if (missing.length > 0) throw new ReadFailed(`no such chains: ${missing.join(', ')}`);
    const wanted = new Map([...this.#table(family, table)].filter(([name]) => chains.includes(name)));
    return tableText(table, wanted, this.backend);
  }

  async #saveSets(set?: string): Promise<string> {
    await Promise.resolve();
    this.reads.push({ kind: 'save-sets', name: set ?? '' });
    if (this.#takeFault('save-sets', set ?? '') !== undefined) throw new ReadFailed('ipset save failed on request');
    const text = this.#sets.text(set);
    if (text === undefined) throw new ReadFailed(`set ${set} does not exist`);
    return text;
  }

  async #headers(): Promise<readonly SetHeader[]> {
    await Promise.resolve();
    this.reads.push({ kind: 'headers', name: '' });
    if (this.#takeFault('headers', '') !== undefined) throw new ReadFailed('ipset list failed on request');
    return this.#sets.headers();
  }

  /** Writes happen on a later turn, as with a real process, and wait while they are held. */
  async #turn(): Promise<void> {
    await Promise.resolve();
    while (this.#gate !== undefined) await this.#gate;
  }

  #record(write: Write): void {
    this.writes.push(write);
    if (write.accepted) for (const listener of this.#listeners) listener(write);
  }
}

function countLines(transaction: string): number {
  return transaction.split('\n').filter((line) => line !== '' && line !== 'COMMIT' && !line.startsWith('#') && !line.startsWith('*')).length;
}
