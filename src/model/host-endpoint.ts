// An interface of a host itself, or all of them.

import type { Labels } from './labels.ts';
import type { EndpointPort } from './net/port.ts';
import type { Origin } from './origin.ts';

export interface HostEndpoint {
  readonly origin: Origin;
  readonly node: string;
  /** A name; "*" for all interfaces; "" where the interface is found by expectedAddresses. */
  readonly interfaceName: string;
  /** Canonical. They are its members of sets: addresses that are only found on the interface do not count. */
  readonly expectedAddresses: readonly string[];
  readonly labels: Labels;
  readonly profiles: readonly string[];
  readonly ports: readonly EndpointPort[];
}
