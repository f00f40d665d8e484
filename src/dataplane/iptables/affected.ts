// Whose packets may be judged by chains or sets that are not yet as they should be. Needed only while something is refused: then a set
// may let in more only where every chain that looks at it, and every chain of the endpoints concerned, is the new one already.
//
// In: a table, and sets that still let in too much. Out: the sets named on the way of an endpoint whose way is not wholly new;
// everything when the way that all packets take is not.

import { rulesOf } from './chain-graph.ts';
import type { Table } from './table.ts';
import { chains as names } from '../render/names.ts';

export interface Affected {
  readonly everything: boolean;
  /** Some endpoint's way is not wholly new. */
  readonly anything: boolean;
  readonly sets: ReadonlySet<string>;
}

const shared: readonly string[] = [names.forward, names.input, names.output, names.workloadToHost];
const endpointChain = /^cali-[tf]w-/;

export function affectedBy(table: Table, unclosed: ReadonlySet<string>): Affected {
  const { pending } = table;
  const sets = new Set<string>();
  let anything = false;
  if (table.hooksPending || shared.some((name) => pending.has(name))) return { everything: true, anything: true, sets };

  const candidates = new Set([...table.reachedNames(), ...table.kernel.chainNames()].filter((name) => endpointChain.test(name)));
  for (const endpoint of candidates) {
    const way = new Set<string>();
    follow(table, endpoint, way);
    // One that should not be reached any more is still in force.
    const named = [...way].flatMap((name) => bothVersions(table, name).flatMap((rule) => rule.sets));
    const isNew = table.reached(endpoint) !== undefined && ![...way].some((name) => pending.has(name)) && !named.some((set) => unclosed.has(set));
    if (isNew) continue;
    anything = true;
    for (const set of named) sets.add(set);
  }
  return { everything: false, anything, sets };
}

/** Adds the chain and all it leads to, as it is and as it should be. */
function follow(table: Table, name: string, way: Set<string>): void {
  if (way.has(name)) return;
  way.add(name);
  for (const rule of bothVersions(table, name)) if (rule.chain !== undefined) follow(table, rule.chain, way);
}

function bothVersions(table: Table, name: string): readonly { readonly chain?: string; readonly sets: readonly string[] }[] {
  const wanted = table.reached(name);
  return [...(table.kernel.chain(name) ?? []), ...(wanted === undefined ? [] : rulesOf(wanted))];
}
