// Endpoints of this node with addresses of a family for which no rules are written: traffic of that family passes unpoliced. They are
// named in a warning, in the health detail and by a metric.

import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Desired } from '../model/desired.ts';
import { familyOf } from '../model/net/cidr.ts';
import type { Family } from '../model/packet.ts';

export class UnservedAddresses {
  readonly #families: readonly Family[];
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #endpoints = new Set<string>();

  constructor(families: readonly Family[], logger: Logger, metrics: Metrics) {
    this.#families = families;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  fold({ endpoints, removedEndpoints }: Desired): void {
    const before = this.#endpoints.size;
    const found: string[] = [];
    for (const { key, addresses } of endpoints) {
      if (addresses.every((address) => this.#families.includes(familyOf(address)))) this.#endpoints.delete(key);
      else if (!this.#endpoints.has(key)) {
        this.#endpoints.add(key);
        found.push(key);
      }
    }
    for (const key of removedEndpoints) this.#endpoints.delete(key);
    if (found.length > 0) {
      this.#logger.warn({ pods: found.slice(0, 10), count: found.length }, 'pods have IPv6 addresses, for which no rules are written yet: their IPv6 traffic is not policed');
    }
    if (this.#endpoints.size !== before || found.length > 0) this.#metrics.set('caracal_unserved_ipv6_endpoints', this.#endpoints.size);
  }

  get notes(): string[] {
    const { size } = this.#endpoints;
    return size === 0 ? [] : [`IPv6 traffic of ${size} pods is not policed: ${[...this.#endpoints].slice(0, 5).join(', ')}`];
  }
}
