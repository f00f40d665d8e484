// Load: other remote pods change their label, at a steady rate, each change one member of one set in or out.

import { setTimeout as sleep } from 'node:timers/promises';
import { NOISE_PODS, noise } from './objects.ts';
import type { Store } from './store.ts';

export class Churn {
  readonly #store: Store;
  readonly #perSecond: number;
  readonly #work: Promise<void>;
  #stopped = false;
  #made = 0;

  private constructor(store: Store, perSecond: number) {
    this.#store = store;
    this.#perSecond = perSecond;
    this.#work = this.#run();
  }

  /** The pods are there when it resolves. */
  static async start(store: Store, perSecond: number): Promise<Churn> {
    for (let i = 0; i < NOISE_PODS; i += 1) await store.put(noise(i, false));
    return new Churn(store, perSecond);
  }

  /** Changes made so far. */
  get made(): number {
    return this.#made;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  async #run(): Promise<void> {
    const started = performance.now();
    const busy = new Set<number>();
    const open = new Set<Promise<void>>();
    while (!this.#stopped) {
      const due = ((performance.now() - started) / 1_000) * this.#perSecond;
      for (; this.#made < due; this.#made += 1) {
        const i = this.#made % NOISE_PODS;
        // A server that is slower than that: this pod's last change is still under way.
        if (busy.has(i)) continue;
        busy.add(i);
        const change = this.#store.put(noise(i, Math.floor(this.#made / NOISE_PODS) % 2 === 0)).then(() => void busy.delete(i));
        open.add(change);
        void change.then(() => open.delete(change));
      }
      await sleep(1);
    }
    await Promise.all(open);
  }
}
