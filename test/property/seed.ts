// The seed of a run: FUZZ_SEED, or a new one each time. Test names carry it, so that a failure can be had again:
//   FUZZ_SEED=123 node --test test/property/calculation.test.ts
// FUZZ_TIMES=10 runs ten times as many cases.

export function seedOf(): number {
  const given = process.env['FUZZ_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

export function runsOf(runs: number): number {
  return Math.round(runs * Number(process.env['FUZZ_TIMES'] ?? 1));
}
