// `npm run mutants [-- --quick] [-- name …]`: how sharp the fuzz is. Prints what became of each mutant; the exit status is 0 only if
// every one was caught. FUZZ_SEED chooses the seed.

import { quickMutants } from './quick.ts';
import { readMutants, runMutants } from './mutant-run.ts';
import type { Outcome } from './mutant-run.ts';

const args = process.argv.slice(2);
const isQuick = args.includes('--quick');
const named = args.filter((arg) => !arg.startsWith('-'));
const all = readMutants();
const chosen = all.filter(({ name }) => (named.length > 0 ? named.includes(name) : !isQuick || quickMutants.includes(name)));
const unknown = named.filter((name) => !all.some((mutant) => mutant.name === name));
if (unknown.length > 0 || chosen.length === 0) {
  console.error(`no such mutant: ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const width = Math.max(...chosen.map(({ name }) => name.length));
const sign = { caught: '✔', survived: '✖ SURVIVED', error: '✖ ERROR' } as const;
const onOutcome = ({ name, title, fate, detail, seconds }: Outcome): void => {
  console.log(`${sign[fate]} ${name.padEnd(width)}  ${title}\n  ${' '.repeat(width)}  ${fate === 'survived' ? 'no test failed' : detail} (${seconds.toFixed(1)} s)`);
};

console.log(`${chosen.length} mutants, seed ${seed}`);
const outcomes = await runMutants(chosen, { seed, onOutcome });
const caught = outcomes.filter(({ fate }) => fate === 'caught').length;
console.log(`${caught} of ${outcomes.length} mutants caught`);
process.exitCode = caught === outcomes.length ? 0 : 1;
