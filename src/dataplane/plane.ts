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
  /** What the table holds is known: it was read, and no outcome since is in doubt. */
  isKnown = false;
  /** After a refusal: chains are replaced whole. */
  wholeOnly = false;

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

  /**
   * While the table cannot be written: which members must wait, because chains that look at them, or the chains of the endpoint
   * that has the address, are not the new ones yet.
   */
  heldBack(): (set: string, member: string) => boolean {
    const affected = affectedBy(this.table);
    if (affected.everything) return () => true;
    if (affected.endpointChains.size === 0) return () => false;
    const addresses = new Set([...affected.endpointChains].flatMap((chain) => [...this.rules.addressesOf(chain)]));
    // A network may cover such an address.
    return (set, member) => affected.sets.has(set) || member.includes('/') || addresses.has(member.split(',', 1)[0] as string);
  }
}
