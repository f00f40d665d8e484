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
  /**
   * The object breaks the API's rules: it polices nothing, and counts as every address to rules that deny, as none to others. Node,
   * interface, addresses and ports are empty then; labels and profiles are those that can be read.
   */
  readonly isBroken?: true;
}
