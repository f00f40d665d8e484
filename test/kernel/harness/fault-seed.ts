// When faults strike is drawn from a seed, the same one each time, so that a failure can be had again. FAULT_SEED takes another one;
// test names carry it.

import { randomNumbers } from '../../property/shuffle.ts';

export const faultSeed = Number(process.env['FAULT_SEED'] ?? 20_240_229);

/** Numbers of 0 up to, not including, `below`. */
export function dice(offset: number): (below: number) => number {
  const next = randomNumbers(faultSeed + offset);
  return (below) => Math.floor(next() * below);
}
