// Reads what the kernel holds into tables and sets. Out: what somebody else undid. Rejects with ReadFailed; a read that fails changes
// nothing, what was read before it counts.

import type { Metrics } from '../lib/metrics.ts';
import { ReadFailed } from './errors.ts';
import type { Drift } from './iptables/drift.ts';
import { SetComparison } from './ipsets/set-comparison.ts';
import type { SetTool } from './kernel.ts';
import type { Plane } from './plane.ts';
import { isOwnChain } from './render/names.ts';

/** More suspects than these are read together. */
const fewSets = 4;

export class KernelReader {
  readonly #planes: readonly Plane[];
  readonly #sets: SetTool;
  readonly #metrics: Metrics;

  constructor(planes: readonly Plane[], sets: SetTool, metrics: Metrics) {
    this.#planes = planes;
    this.#sets = sets;
    this.#metrics = metrics;
  }

  async readTables(planes: readonly Plane[] = this.#planes): Promise<Drift[]> {
    const drift: Drift[] = [];
    for (const plane of planes) {
      const { labels } = plane;
      this.#metrics.count('felix_iptables_save_calls', labels);
      try {
        drift.push(...plane.table.adopt(await plane.tool.save(plane.table.name)));
      } catch (problem) {
        this.#metrics.count('felix_iptables_save_errors', labels);
        throw problem;
      }
      plane.isKnown = true;
    }
    return drift;
  }

  /**
   * These chains of ours and of the kernel's own, alone where that can be done. A chain of ours that is not known may be another one
   * under a new name, and one that is gone cannot be read: then it is the table.
   */
  async readChains(plane: Plane, chains: readonly string[]): Promise<Drift[]> {
    const { table, tool } = plane;
    const isNew = chains.some((name) => isOwnChain(name) && table.kernel.chain(name) === undefined);
    if (isNew || tool.saveChains === undefined) return this.readTables([plane]);
    let text: string;
    try {
      text = await tool.saveChains(table.name, chains);
    } catch (problem) {
      if (!(problem instanceof ReadFailed)) throw problem;
      return this.readTables([plane]);
    }
    return table.adoptListed(text);
  }

  async readSets(): Promise<Drift[]> {
    this.#metrics.count('felix_ipset_calls');
    const text = await this.#sets.save();
    return this.#planes.flatMap((plane) => plane.sets.adopt(text));
  }

  /** Reads all sets in one process, to be compared bit by bit; undefined when there is none to compare. */
  async beginComparison(): Promise<SetComparison | undefined> {
    const comparison = new SetComparison(this.#planes.map((plane) => plane.sets));
    if (comparison.isEmpty) return undefined;
    this.#metrics.count('felix_ipset_calls');
    comparison.begin(await this.#sets.save());
    return comparison;
  }

  /** When it cannot be read alone it may be gone: then all are read. */
  async readSet(name: string): Promise<Drift[]> {
    this.#metrics.count('felix_ipset_calls');
    let text: string;
    try {
      text = await this.#sets.save(name);
    } catch (problem) {
      if (!(problem instanceof ReadFailed)) throw problem;
      return this.readSets();
    }
    return this.#planes.flatMap((plane) => (plane.sets.owns(name) ? plane.sets.adoptOne(name, text) : []));
  }

  /** Finds sets that are gone, and reads those whose number of members is not what it should be. */
  async checkSets(): Promise<Drift[]> {
    this.#metrics.count('felix_ipset_calls');
    const headers = await this.#sets.headers();
    const drift = this.#planes.flatMap((plane) => plane.sets.checkHeaders(headers));
    const suspects = this.#planes.flatMap((plane) => plane.sets.unread);
    if (suspects.length > fewSets) drift.push(...(await this.readSets()));
    else for (const name of suspects) drift.push(...(await this.readSet(name)));
    return drift;
  }
}
