// When the kernel is read although we know what we wrote: because a doorbell rang, and every now and then as the net below that.
// Each is a job for the driver's loop. Out: drift, by `found`. A read that fails is told to the driver, which asks again later.

import type { Clock } from '../lib/clock.ts';
import type { Ring, TouchedChain } from './doorbell.ts';
import type { Drift } from './iptables/drift.ts';
import type { SetComparison } from './ipsets/set-comparison.ts';
import type { KernelReader } from './kernel-reader.ts';
import type { DataplaneOptions } from './options.ts';
import type { Plane } from './plane.ts';
import { isOwnChain } from './render/names.ts';
import type { Job } from './schedule.ts';

export interface KernelWatchParts {
  readonly planes: readonly Plane[];
  readonly reader: KernelReader;
  readonly clock: Clock;
  readonly random: () => number;
  readonly found: (drift: readonly Drift[], by: readonly string[]) => void;
}

/** Between two slices of the periodic comparison. */
const comparePause = 50;
/** How many of those who rang are named. */
const namedCulprits = 10;
/** More chains than these are read with the whole table. */
const mostChains = 64;
const hookedChains = new Set(['INPUT', 'FORWARD', 'OUTPUT']);

export class KernelWatch {
  readonly jobs: readonly Job[];
  readonly #parts: KernelWatchParts;
  readonly #options: DataplaneOptions;
  /** The chains that rang since the last read. */
  #rung = new Map<Plane, Set<string> | 'everything'>();
  #rungBy = new Set<string>();
  #ringNotBefore = 0;
  /** Set when the first apply is done. */
  #isWatching = false;
  #nextRefresh = 0;
  #nextSetCheck = 0;
  #nextCompare = 0;
  /** Under way. */
  #comparison: SetComparison | undefined;

  constructor(parts: KernelWatchParts, options: DataplaneOptions) {
    this.#parts = parts;
    this.#options = options;
    const { ruleRefreshInterval, setCheckInterval, setRefreshInterval } = options;
    const when = (condition: boolean, due: number): number | undefined => (condition ? due : undefined);
    this.jobs = [
      { name: 'answer the doorbell', reads: true, dueAt: () => when(this.#rung.size > 0, this.#ringNotBefore), run: () => this.#answer() },
      { name: 'read the rules', reads: true, dueAt: () => when(this.#isWatching && ruleRefreshInterval > 0, this.#nextRefresh), run: () => this.#refreshRules() },
      { name: 'check the sets', reads: true, dueAt: () => when(this.#isWatching && setCheckInterval > 0, this.#nextSetCheck), run: () => this.#checkSets() },
      { name: 'read the sets', reads: true, dueAt: () => when(this.#isWatching && setRefreshInterval > 0, this.#nextCompare), run: () => this.#compareSets() },
    ];
  }

  /** The kernel is as it should be for the first time: the intervals begin. */
  begin(): void {
    const now = this.#parts.clock.now();
    this.#isWatching = true;
    this.#nextRefresh = now + this.#spread(this.#options.ruleRefreshInterval);
    this.#nextSetCheck = now + this.#spread(this.#options.setCheckInterval);
    this.#nextCompare = now + this.#spread(this.#options.setRefreshInterval);
  }

  /** False: what rang is no concern of ours. */
  ring({ touched, culprit }: Ring): boolean {
    let concerns = false;
    for (const plane of this.#parts.planes) {
      const chains = touched === 'everything' ? touched : concerning(plane, touched);
      if (chains.length === 0) continue;
      concerns = true;
      const before = this.#rung.get(plane) ?? new Set();
      const all = chains === 'everything' || before === 'everything' ? 'everything' : before.union(new Set(chains));
      this.#rung.set(plane, all === 'everything' || all.size > mostChains ? 'everything' : all);
    }
    if (!concerns) return false;
    if (culprit !== undefined && this.#rungBy.size < namedCulprits) this.#rungBy.add(`${culprit.name}[${culprit.pid}]`);
    return true;
  }

  async #answer(): Promise<void> {
    const { reader, clock, found } = this.#parts;
    const startedAt = clock.now();
    const rung = this.#rung;
    const by = this.#rungBy;
    this.#rung = new Map();
    this.#rungBy = new Set();
    try {
      const drift: Drift[] = [];
      for (const [plane, chains] of rung) drift.push(...(chains === 'everything' ? await reader.readTables([plane]) : await reader.readChains(plane, [...chains])));
      found(drift, [...by]);
    } catch (problem) {
      // It rings on until somebody looked.
      for (const plane of rung.keys()) this.#rung.set(plane, 'everything');
      this.#rungBy = by.union(this.#rungBy);
      throw problem;
    }
    // A read costs what the table is large: it never takes more than a third of the time.
    this.#ringNotBefore = clock.now() + Math.max(this.#options.doorbellInterval, 2 * (clock.now() - startedAt));
  }

  async #refreshRules(): Promise<void> {
    const { reader, clock, found } = this.#parts;
    found(await reader.readTables(), []);
    this.#nextRefresh = clock.now() + this.#spread(this.#options.ruleRefreshInterval);
  }

  async #checkSets(): Promise<void> {
    const { reader, clock, found } = this.#parts;
    found(await reader.checkSets(), []);
    this.#nextSetCheck = clock.now() + this.#options.setCheckInterval;
  }

  async #compareSets(): Promise<void> {
    const { reader, clock, found } = this.#parts;
    this.#comparison ??= await reader.beginComparison();
    const { drift, done } = this.#comparison?.next() ?? { drift: [], done: true };
    found(drift, []);
    if (done) this.#comparison = undefined;
    this.#nextCompare = clock.now() + (done ? this.#spread(this.#options.setRefreshInterval) : comparePause);
  }

  /** Nodes that started together do not read together. */
  #spread(interval: number): number {
    return interval * (1 + this.#parts.random() / 10);
  }
}

/** Names of a plane's chains, of ours and of those that hold our hooks. */
function concerning(plane: Plane, touched: readonly TouchedChain[]): string[] {
  return touched
    .filter(({ family, table, chain }) => plane.family === family && plane.table.name === table && (isOwnChain(chain) || hookedChains.has(chain)))
    .map(({ chain }) => chain);
}
