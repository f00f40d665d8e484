// The mutants that `npm test` tries: one from each layer, caught within seconds. `npm run mutants` tries all.

export const quickMutants: readonly string[] = ['decoder-port-range', 'index-one-value', 'renderer-negated-nets', 'set-removals'];

/** Always the same, so that none is caught, or missed, by luck. */
export const quickSeed = 1;
