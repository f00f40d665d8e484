// Where an object came from. Carried from the wire to the chain, so that status, explain, counters and quarantine need no
// bookkeeping of their own.

export interface Origin {
  /** The API's kind, e.g. "NetworkPolicy". */
  readonly kind: string;
  /** API group and version, e.g. "networking.k8s.io/v1"; tells two kinds of one name apart. */
  readonly apiVersion: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
}

/** "NetworkPolicy default/web", as a log line names an object. */
export function originText(origin: Origin): string {
  return `${origin.kind} ${origin.namespace === '' ? '' : `${origin.namespace}/`}${origin.name}`;
}
