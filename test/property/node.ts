// A node in memory: decoders, calculation, renderer and kernel, as the agent puts them together. In: worlds and changes. Out: what
// its kernel does with packets.

import assert from 'node:assert/strict';
import { createGraph } from '../../src/calc/graph.ts';
import type { Packet } from '../../src/model/packet.ts';
import type { Update } from '../../src/model/update.ts';
import type { Judge, Verdict, World } from '../../src/model/verdict.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { Change } from './changes.ts';
import { DesiredState } from './desired-state.ts';
import { Enforcement } from './enforcement.ts';
import { batchOf, Feed } from './feed.ts';

export class Node {
  readonly #feed: Feed;
  readonly #graph: ReturnType<typeof createGraph>;
  readonly #state = new DesiredState();
  readonly #enforcement: Enforcement;

  /** Takes nothing of the world but its node and its options. */
  constructor(world: Pick<World, 'node' | 'options'>) {
    this.#feed = new Feed(world);
    this.#graph = createGraph({ node: world.node });
    this.#enforcement = new Enforcement(world);
  }

  /** The complete lists of a world, at first or instead of what was known. */
  relist(world: World): void {
    this.#update(this.#feed.list(world.objects), true);
  }

  change(changes: readonly Change[]): void {
    this.#update(changes.flatMap((change) => this.#feed.change(change)));
  }

  #update(updates: readonly Update[], inSync?: true): void {
    const desired = this.#graph.update(batchOf(updates, inSync));
    if (desired !== undefined) this.#state.take(desired);
    this.#enforcement.enforce(this.#state);
  }

  /** "Pod default/web", sorted. */
  get invalid(): readonly string[] {
    return this.#feed.invalid.list().map(({ kind, name }) => `${kind} ${name}`).sort();
  }

  /** Compares every packet; the message has all that is needed to understand a difference. */
  assertVerdicts(judged: Judge, packets: readonly Packet[]): readonly Verdict[] {
    const kernel = this.#enforcement.read();
    return packets.map((packet) => {
      const expected = judged.verdict(packet);
      const found = simulate(kernel, packet);
      if (found.action === expected.action) return expected;
      assert.fail(
        [
          `the policies ${expected.action} ${JSON.stringify(packet)}: ${JSON.stringify(expected.decisions)}`,
          `the kernel ${found.action}s it:`,
          ...found.trace.map((rule) => `  ${rule.text}`),
          this.#enforcement.text(),
        ].join('\n'),
      );
    });
  }
}
