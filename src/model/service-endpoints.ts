// Part of a service's endpoints (one EndpointSlice): what rules with a services match are about. Readiness does not count.

import type { Origin } from './origin.ts';

export interface ServiceEndpoints {
  readonly origin: Origin;
  /** "namespace/name" of the Service. */
  readonly service: string;
  /** Canonical addresses. */
  readonly addresses: readonly string[];
  readonly ports: readonly { readonly protocol: number; readonly port: number }[];
  /** The object breaks the API's rules (addresses and ports are empty then): every address to rules that deny, none to others. */
  readonly isBroken?: true;
}
