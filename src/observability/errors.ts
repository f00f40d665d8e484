// What can go wrong in observability: programmers' mistakes only; a port in use is retried, not thrown.

/** A metric was used that the catalogue does not have, or otherwise than the catalogue says. Remedy: correct catalogue.ts. */
export class MetricUnknown extends Error {
  readonly code = 'METRIC_UNKNOWN';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MetricUnknown';
  }
}
