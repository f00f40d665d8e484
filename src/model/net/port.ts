// Ports of rules and endpoints.

/** Inclusive; 0 to 65535. A single port has first === last. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A port of a rule: a range of numbers, or a name that each matching endpoint resolves for itself. */
export type Port = PortRange | { readonly name: string };

/** A named port that an endpoint offers. */
export interface EndpointPort {
  readonly name: string;
  /** IANA protocol number. */
  readonly protocol: number;
  readonly port: number;
}
