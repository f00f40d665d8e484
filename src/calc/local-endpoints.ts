// Which endpoints are this node's own: its workloads and its interfaces. Until the first in-sync it holds them back: without local
// endpoints hardly a policy is active, no set is needed and nothing is computed, so the whole cluster is only indexed, and each thing
// is worked out once when it is released.
//
//   endpoints of the cluster ──▶ ┌─────────────────┐ ──▶ endpoints of this node, after in-sync
//                                │ local endpoints │
//                                └─────────────────┘

import type { Subject, SubjectKey } from './subject.ts';
import { isHost } from './subject.ts';

/** Told about each local endpoint that came, changed or went. */
export type LocalEndpointSink = (key: SubjectKey, endpoint: Subject | undefined) => void;

export class LocalEndpoints {
  readonly #node: string;
  readonly #sink: LocalEndpointSink;
  readonly #held = new Map<SubjectKey, Subject>();
  readonly #passed = new Set<SubjectKey>();
  #released = false;

  constructor(node: string, sink: LocalEndpointSink) {
    this.#node = node;
    this.#sink = sink;
  }

  set(key: SubjectKey, endpoint: Subject | undefined): void {
    const local = endpoint !== undefined && this.#isLocal(endpoint) ? endpoint : undefined;
    if (!this.#released) {
      if (local === undefined) this.#held.delete(key);
      else this.#held.set(key, local);
    } else if (local !== undefined) {
      this.#passed.add(key);
      this.#sink(key, local);
    } else if (this.#passed.delete(key)) {
      this.#sink(key, undefined);
    }
  }

  /** In sync: passes on what was held, and from now on everything. */
  release(): void {
    this.#released = true;
    for (const [key, endpoint] of this.#held) {
      this.#passed.add(key);
      this.#sink(key, endpoint);
    }
    this.#held.clear();
  }

  /** Without an interface there is nothing to put a workload's rules on; its traffic falls under "unknown interface". */
  #isLocal(endpoint: Subject): boolean {
    if (endpoint.node !== this.#node) return false;
    return isHost(endpoint) ? endpoint.isBroken !== true : endpoint.interfaceName !== undefined;
  }
}
