// One table of one family: the chains as they should be (ChainGraph), as they are in the kernel (KernelTable), and the
// transactions that make the second equal to the first.
//
//  - plan() makes the transaction for what differs; its commit() must be called when the kernel has it. Work is proportional to
//    what changed since the last commit, except after adopt().
//  - What nothing leads to any more harms nobody, and removing it makes iptables-nft wait: planCleanup() does that later, in
//    bulk, when plan() has nothing to do.
//  - adopt() takes what was read from the kernel, whoever wrote it: at start, after an unknown outcome, after a doorbell.

import type { Origin } from '../../model/origin.ts';
import type { TableName } from '../kernel.ts';
import { chains as names } from '../render/names.ts';
import type { Chain, Rule } from '../render/rule.ts';
import type { Hook } from '../render/static.ts';
import { editKeyed, editOrdered } from './chain-edit.ts';
import { ChainGraph, rulesOf } from './chain-graph.ts';
import type { PlacedChain } from './chain-graph.ts';
import { describeChanges, describeListed } from './drift.ts';
import type { Drift } from './drift.ts';
import { editHook } from './hook-edit.ts';
import type { PlacedHook } from './hook-edit.ts';
import { KernelTable } from './kernel-table.ts';
import { placeRules } from './placed-rule.ts';
import type { PlacedRule } from './placed-rule.ts';
import { parseSave } from './save-parser.ts';
import { TransactionBuilder } from './transaction.ts';
import type { Transaction } from './transaction.ts';

export class Table {
  readonly name: TableName;
  readonly kernel = new KernelTable();
  readonly #graph: ChainGraph;
  readonly #hooks: readonly PlacedHook[];
  /** Chains whose kernel state may differ from what it should be. */
  readonly #dirty = new Set<string>();
  readonly #dirtyHooks = new Set<string>();
  /** Chains in the kernel that nothing leads to. */
  readonly #garbage = new Set<string>();
  #adopted = false;

  constructor(name: TableName, hooks: readonly Hook[]) {
    this.name = name;
    this.#graph = new ChainGraph((chain) => this.#dirty.add(chain));
    this.#hooks = hooks.map(({ chain, inserted, appended }) => {
      // One numbering, so that each rule has a hash of its own.
      const placed = placeRules(chain, [...inserted, ...appended]);
      return { chain, inserted: placed.slice(0, inserted.length), appended: placed.slice(inserted.length) };
    });
    for (const { chain, inserted, appended } of this.#hooks) {
      this.#dirtyHooks.add(chain);
      for (const rule of [...inserted, ...appended]) if (rule.chain !== undefined) this.#graph.addRoot(rule.chain);
    }
  }

  setChain(chain: Chain): void {
    this.#graph.set(chain);
  }

  deleteChain(name: string): void {
    this.#graph.delete(name);
  }

  addRule(chain: string, rule: Rule): void {
    this.#graph.addRule(chain, rule);
  }

  deleteRule(chain: string, rule: Rule): void {
    this.#graph.deleteRule(chain, rule);
  }

  isReferenced(chain: string): boolean {
    return this.#graph.isReferenced(chain);
  }

  isDefined(chain: string): boolean {
    return this.#graph.defined(chain) !== undefined;
  }

  originOf(chain: string): Origin | undefined {
    return this.#graph.defined(chain)?.origin;
  }

  /** Names of chains that differ, or may differ, from the kernel's. */
  get pending(): ReadonlySet<string> {
    return this.#dirty;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#dirtyHooks.size > 0;
  }

  get hooksPending(): boolean {
    return this.#dirtyHooks.size > 0;
  }

  get hasGarbage(): boolean {
    return this.#garbage.size > 0 || this.kernel.strays.length > 0;
  }

  reached(name: string): PlacedChain | undefined {
    return this.#graph.reached(name);
  }

  reachedNames(): string[] {
    return this.#graph.reachedNames();
  }

  /** All sets that rules should look into. Walks through everything. */
  wantedSets(): Set<string> {
    const chains = this.#graph.reachedNames().flatMap((name) => this.#graph.reached(name) ?? []);
    return new Set(chains.flatMap((chain) => rulesOf(chain).flatMap(({ sets }) => sets)));
  }

  /**
   * Takes `text` (iptables-save of this table) for what the kernel holds. Says what differs from what was known; nothing the first
   * time, when nothing was known.
   */
  adopt(text: string): Drift[] {
    const saved = parseSave(text, this.#knownRules());
    const drift = this.#adopted ? describeChanges(this.kernel, saved, this.#hooks) : [];
    this.kernel.replaceAll(saved);
    this.#adopted = true;
    this.#garbage.clear();
    for (const name of this.kernel.chainNames()) this.#dirty.add(name);
    for (const name of this.#graph.reachedNames()) this.#dirty.add(name);
    for (const hook of this.#hooks) this.#dirtyHooks.add(hook.chain);
    for (const name of this.kernel.hookNames()) this.#dirtyHooks.add(name);
    return drift;
  }

  /**
   * As adopt(), but `text` holds some chains only, of ours and of the kernel's own: the others stay as they are known, and so do
   * foreign rules elsewhere that lead to ours.
   */
  adoptListed(text: string): Drift[] {
    const saved = parseSave(text, this.#knownRules());
    const drift = describeListed(this.kernel, saved, this.#hooks);
    this.kernel.replaceListed(saved);
    for (const name of saved.own.keys()) this.#dirty.add(name);
    for (const name of saved.kernel.keys()) this.#dirtyHooks.add(name);
    return drift;
  }

  /**
   * What is to be written now; undefined when nothing is. With `wholeOnly` (after a refusal) chains are replaced, never edited:
   * that cannot fail because something was not where it was thought to be. Throws EncodingRefused.
   */
  plan(wholeOnly = false): Transaction | undefined {
    const builder = new TransactionBuilder(this.name);
    for (const name of [...this.#dirty]) if (!this.#planChain(builder, name, wholeOnly)) this.#dirty.delete(name);
    for (const name of [...this.#dirtyHooks]) if (!this.#planHook(builder, name)) this.#dirtyHooks.delete(name);
    return builder.build();
  }

  /** Removes what nothing leads to. Only when plan() has nothing: a pending chain may still lead to it in the kernel. */
  planCleanup(): Transaction | undefined {
    if (this.isDirty) return undefined;
    const builder = new TransactionBuilder(this.name);
    for (const { chain, rule } of this.kernel.strays) builder.rules(chain, [`-D ${chain} ${rule.spec}`]);
    builder.onCommit(() => this.kernel.forgetStrays());
    for (const name of [...this.#garbage]) {
      const pinned = this.kernel.isPinned(name);
      // All are flushed before the first one is removed: they may lead to each other.
      builder.declare(name);
      if (!pinned) builder.remove(name);
      builder.onCommit(() => {
        this.#garbage.delete(name);
        if (pinned) this.kernel.setChain(name, []);
        else this.kernel.deleteChain(name);
      });
    }
    return builder.build();
  }

  /**
   * Puts rules into a chain that nothing leads to: whether the kernel takes them is all that is asked. Afterwards the chain is among
   * what planCleanup() removes. Throws EncodingRefused.
   */
  planProbe(rules: readonly Rule[]): Transaction | undefined {
    const builder = new TransactionBuilder(this.name);
    const placed = placeRules(names.probe, rules);
    builder.declare(names.probe);
    builder.rules(names.probe, placed.map(({ spec }) => `-A ${names.probe} ${spec}`));
    builder.onCommit(() => {
      this.kernel.setChain(names.probe, placed);
      this.#garbage.add(names.probe);
    });
    return builder.build();
  }

  /** False when the chain is as it should be. */
  #planChain(builder: TransactionBuilder, name: string, wholeOnly: boolean): boolean {
    const chain = this.#graph.reached(name);
    const now = this.kernel.chain(name);
    if (chain === undefined) {
      // One that a foreign rule leads to stays, empty: nothing is left to do about it.
      const isDone = now === undefined || (now.length === 0 && this.kernel.isPinned(name));
      if (isDone || this.#graph.isReferenced(name)) this.#garbage.delete(name);
      else this.#garbage.add(name);
      return false;
    }
    this.#garbage.delete(name);
    const edit =
      chain.kind === 'ordered'
        ? editOrdered(name, now, chain.rules, wholeOnly)
        : editKeyed(name, now, chain.rules, chain.tail, wholeOnly);
    if (edit === undefined) return false;
    if (edit.replace) builder.declare(name);
    builder.rules(name, edit.lines);
    for (const { sets } of edit.result) builder.needsSets(sets);
    builder.onCommit(() => {
      this.kernel.setChain(name, edit.result);
      this.#dirty.delete(name);
    });
    return true;
  }

  #planHook(builder: TransactionBuilder, name: string): boolean {
    const hook = this.#hooks.find(({ chain }) => chain === name) ?? { chain: name, inserted: [], appended: [] };
    const edit = editHook(hook, this.kernel.hookChain(name));
    if (edit === undefined) return false;
    builder.rules(name, edit.lines);
    builder.onCommit(() => {
      this.kernel.setHookChain(name, edit.result);
      this.#dirtyHooks.delete(name);
    });
    return true;
  }

  /** So that a rule that is read again is the one that is kept already. */
  #knownRules(): (chain: string, hash: string) => PlacedRule | undefined {
    let current: string | undefined;
    let byHash: ReadonlyMap<string, PlacedRule> = new Map();
    return (name, hash) => {
      if (name !== current) {
        const chain = this.#graph.defined(name);
        const rules = [...(this.kernel.chain(name) ?? []), ...(chain === undefined ? [] : rulesOf(chain))];
        byHash = new Map(rules.filter((rule) => rule.hash !== '').map((rule) => [rule.hash, rule]));
        current = name;
      }
      return byHash.get(hash);
    };
  }
}
