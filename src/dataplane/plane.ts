// All that belongs to one address family: its tool, its tables, its sets, and what they should be.

import type { Logger } from '../lib/logger.ts';
import type { Family } from '../model/packet.ts';
import { DesiredRules } from './desired-rules.ts';
import { affectedBy } from './iptables/affected.ts';
import { Table } from './iptables/table.ts';
import { FamilySets } from './ipsets/family-sets.ts';
import type { RuleTool } from './kernel.ts';
import { renderOptions } from './options.ts';
import type { DataplaneOptions } from './options.ts';
import { filterHooks } from './render/static.ts';

export class Plane {
  readonly family: Family;
  readonly tool: RuleTool;
  readonly table: Table;
  readonly sets: FamilySets;
  readonly rules: DesiredRules;
  /** What the table holds is known: it was read, and nothing was refused and no outcome in doubt since. */
  isKnown = false;
  /** The last outcome is in doubt: what is found then is nobody else's doing. */
  isInDoubt = false;
  /** Refusals of the table's transactions in a row: after the first one chains are replaced whole. */
  refusals = 0;

  constructor(tool: RuleTool, options: DataplaneOptions, leftoversOf: readonly Family[], logger: Logger) {
    const render = renderOptions(options, tool.family);
    this.family = tool.family;
    this.tool = tool;
    this.table = new Table('filter', filterHooks(render, options.chainInsertMode));
    this.sets = new FamilySets({
      family: tool.family,
      maxElements: options.maxSetSize,
      leftoversOf,
      usesOf: (name) => this.table.kernel.usesOf(name),
    });
    this.rules = new DesiredRules(this.table, this.sets, render, logger);
  }

  /** Of metrics and log lines. */
  get labels(): { readonly ip_version: string; readonly table: string } {
    return { ip_version: String(this.family), table: this.table.name };
  }

  /** Those of these sets that the rules look into as they should be; into the others they soon will not, or do not any more. */
  needed(sets: readonly string[]): readonly string[] {
    if (sets.length === 0) return sets;
    const wanted = this.table.wantedSets();
    return sets.filter((name) => wanted.has(name));
  }

  /** Something of its sets is not in force and holds something up. A set that is full does not where nobody looks for what is not in it. */
  get setsHoldUp(): boolean {
    const { failures } = this.sets;
    return failures.length > 0 && (failures.some(({ isFull }) => !isFull) || this.needed(this.sets.stuck).length > 0);
  }

  /**
   * While the table, or a set, cannot be written: which members must wait. Those of sets on the way of an endpoint whose way is not
   * wholly the new one; and every address of this node's own endpoints, because a packet between two of them is judged by both, of
   * which one may be old and the other new. Addresses from elsewhere go on.
   */
  heldBack(unclosed: readonly string[]): (set: string, member: string) => boolean {
    const affected = affectedBy(this.table, new Set(unclosed));
    if (affected.everything) return () => true;
    if (!affected.anything) return () => false;
    const local = this.rules.localAddresses();
    // A network may cover such an address.
    return (set, member) => affected.sets.has(set) || member.includes('/') || local.has(member.split(',', 1)[0] as string);
  }
}
