// Which endpoints are this node's own. Until the first in-sync it holds them back: without local endpoints no policy is active, no
// set is needed and nothing is computed, so the whole cluster is only indexed, and each thing is worked out once when it is released.
//
//   endpoints of the cluster ──▶ ┌─────────────────┐ ──▶ endpoints of this node, after in-sync
//                                │ local endpoints │
//                                └─────────────────┘

import type { WorkloadEndpoint } from '../model/endpoint.ts';

/** Told about each local endpoint that came, changed or went. */
export type LocalEndpointSink = (key: string, endpoint: WorkloadEndpoint | undefined) => void;

export class LocalEndpoints {
  readonly #node: string;
  readonly #sink: LocalEndpointSink;
  readonly #held = new Map<string, WorkloadEndpoint>();
  readonly #passed = new Set<string>();
  #released = false;

  constructor(node: string, sink: LocalEndpointSink) {
    this.#node = node;
    this.#sink = sink;
  }

  set(key: string, endpoint: WorkloadEndpoint | undefined): void {
    // Without an interface there is nothing to put rules on; its traffic falls under "unknown interface".
    const isLocal = endpoint?.node === this.#node && endpoint.interfaceName !== undefined;
    if (!this.#released) {
      if (isLocal) this.#held.set(key, endpoint);
      else this.#held.delete(key);
    } else if (isLocal) {
      this.#passed.add(key);
      this.#sink(key, endpoint);
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
}
