// The seed of a run: FUZZ_SEED, or always the same, so that a run says something about the change and not about the seed. Test names
// carry it. For new worlds:
//   FUZZ_SEED=$RANDOM npm run property
// FUZZ_TIMES=10 runs ten times as many cases.

export function seedOf(): number {
  return Number(process.env['FUZZ_SEED'] ?? 22);
}

export function runsOf(runs: number): number {
  return Math.round(runs * Number(process.env['FUZZ_TIMES'] ?? 1));
}
