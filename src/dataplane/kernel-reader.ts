// Reads what the kernel holds into tables and sets: at start, after an outcome in doubt, when a doorbell rings, and every now and then.
// Out: what somebody else undid. A read that fails changes nothing.

import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { ReadFailed } from './errors.ts';
import type { Drift } from './iptables/drift.ts';
import { parseSave } from './iptables/save-parser.ts';
import type { SetTool, TableName } from './kernel.ts';
import type { Plane } from './plane.ts';

export interface KernelReaderParts {
  readonly planes: readonly Plane[];
  readonly sets: SetTool;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export class KernelReader {
  readonly #parts: KernelReaderParts;

  constructor(parts: KernelReaderParts) {
    this.#parts = parts;
  }

  /** Rejects with ReadFailed; the planes read before that are adopted. */
  async readTables(planes: readonly Plane[] = this.#parts.planes): Promise<Drift[]> {
    const { metrics } = this.#parts;
    const drift: Drift[] = [];
    for (const plane of planes) {
      const labels = { ip_version: String(plane.family), table: plane.table.name };
      metrics.count('felix_iptables_save_calls', labels);
      try {
        drift.push(...plane.table.adopt(await plane.tool.save(plane.table.name)));
      } catch (problem) {
        metrics.count('felix_iptables_save_errors', labels);
        throw problem;
      }
      plane.isKnown = true;
    }
    return drift;
  }

  /** All sets. Rejects with ReadFailed. */
  async readSets(): Promise<Drift[]> {
    const { planes, sets, metrics } = this.#parts;
    metrics.count('felix_ipset_calls');
    const text = await sets.save();
    return planes.flatMap((plane) => plane.sets.adopt(text));
  }

  /** One set; when it cannot be read alone it may be gone, and all are read. Rejects with ReadFailed. */
  async readSet(name: string): Promise<Drift[]> {
    const { planes, sets, metrics } = this.#parts;
    metrics.count('felix_ipset_calls');
    let text: string;
    try {
      text = await sets.save(name);
    } catch (problem) {
      if (!(problem instanceof ReadFailed)) throw problem;
      return this.readSets();
    }
    return planes.flatMap((plane) => (plane.sets.owns(name) ? plane.sets.adoptOne(name, text) : []));
  }

  /** Finds sets that are gone or have another number of members. Rejects with ReadFailed. */
  async checkSetHeaders(): Promise<Drift[]> {
    const { planes, sets, metrics } = this.#parts;
    metrics.count('felix_ipset_calls');
    const headers = await sets.headers();
    return planes.flatMap((plane) => plane.sets.checkHeaders(headers));
  }

  /** Names once what an earlier agent left in tables that are not ours to write. Whoever it was, its rules go on acting. */
  async nameLeftovers(tables: readonly TableName[]): Promise<void> {
    const { planes, logger } = this.#parts;
    const found: string[] = [];
    for (const plane of planes) {
      for (const table of tables) {
        try {
          const { own, kernel, strays } = parseSave(await plane.tool.save(table));
          const hooks = [...kernel.values()].flat().filter((rule) => rule !== null).length;
          if (own.size + hooks + strays.length > 0) found.push(`${table} (IPv${plane.family}): ${own.size} chains, ${hooks + strays.length} rules that lead to them`);
        } catch (problem) {
          if (!(problem instanceof ReadFailed)) throw problem;
          logger.info({ table, error: problem.message }, 'a table could not be read for leftovers of an earlier agent');
        }
      }
    }
    if (found.length > 0) {
      logger.warn({ leftovers: found }, 'an earlier agent left chains in tables that this one does not write; they go on acting until they are removed or the node is rebooted');
    }
  }
}
