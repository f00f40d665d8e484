// What sync and dataplane know of metrics: names and numbers. The catalogue that gives each name its type and help text is in
// observability; a name that it does not know is an error there.

export type MetricLabels = Readonly<Record<string, string>>;

export interface Metrics {
  /** Adds to a counter (default 1). */
  count(name: string, labels?: MetricLabels, by?: number): void;
  /** Sets a gauge. */
  set(name: string, value: number, labels?: MetricLabels): void;
  /** Observes a histogram; durations in seconds. */
  observe(name: string, value: number, labels?: MetricLabels): void;
}

export const noMetrics: Metrics = Object.freeze({ count() {}, set() {}, observe() {} });
