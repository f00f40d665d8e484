// The mutants that `npm test` tries: one or two from each layer, caught within seconds. `npm run mutants` tries all.

export const quickMutants: readonly string[] = [
  'decoder-bad-deny-vanishes',
  'decoder-port-range',
  'index-one-value',
  'renderer-negated-nets',
  'renderer-stale-pass',
  'set-removals',
  'sorter-tier-order',
];

/** Always the same, so that none is caught, or missed, by luck. */
export const quickSeed = 1;
