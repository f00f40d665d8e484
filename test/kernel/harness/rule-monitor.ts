// Who writes rules: every change of the nft rules of a namespace, as the kernel announces it (`nft monitor`).
//
// In: a namespace. Out: the generations (transactions) since the start or since the last question, each with what it did.

import { eventually } from './eventually.ts';
import { readLines } from '../../../src/dataplane/line-reader.ts';
import type { Namespace } from './namespace.ts';

export interface Generation {
  /** "iptables-nft-re", "nft", … */
  readonly by: string;
  readonly lines: readonly string[];
}

/** A table that only these tests make; its changes say that what was before them has been announced. */
const SENTINEL = 'zz-monitor-sentinel';

export class RuleMonitor implements AsyncDisposable {
  readonly #netns: Namespace;
  readonly #child: ReturnType<Namespace['spawn']>;
  #generations: Generation[] = [];
  #lines: string[] = [];
  #sentinels = 0;

  private constructor(netns: Namespace) {
    this.#netns = netns;
    this.#child = netns.spawn('stdbuf', ['-oL', 'nft', 'monitor']);
    readLines(this.#child.stdout, (line) => {
      const by = /^# new generation \d+ by process \d+ \((.*)\)$/.exec(line)?.[1];
      if (by === undefined) {
        this.#lines.push(line);
        return;
      }
      if (this.#lines.some((each) => each.includes(SENTINEL))) this.#sentinels += 1;
      else this.#generations.push({ by, lines: this.#lines });
      this.#lines = [];
    });
  }

  static async start(netns: Namespace): Promise<RuleMonitor> {
    const monitor = new RuleMonitor(netns);
    // It does not say when it listens.
    await eventually('nft monitor listens', async () => {
      await monitor.#ring();
      return monitor.#sentinels > 0;
    });
    return monitor;
  }

  /** All that were written up to now. */
  async generations(): Promise<readonly Generation[]> {
    const seen = this.#sentinels;
    await this.#ring();
    await eventually('nft monitor has announced everything', () => this.#sentinels > seen);
    const found = this.#generations;
    this.#generations = [];
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #ring(): Promise<void> {
    await this.#netns.run('nft', ['-f', '-'], { input: `add table ip ${SENTINEL}\ndelete table ip ${SENTINEL}\n` });
  }
}
