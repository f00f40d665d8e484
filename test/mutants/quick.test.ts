// The quick form of `npm run mutants`: the fuzz is still sharp.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readMutants, runMutants } from './mutant-run.ts';
import { quickMutants, quickSeed } from './quick.ts';

it('the fuzz catches a bug in each layer', async (context) => {
  const mutants = readMutants().filter(({ name }) => quickMutants.includes(name));
  assert.equal(mutants.length, quickMutants.length);
  const outcomes = await runMutants(mutants, { seed: quickSeed });
  for (const { name, fate, detail, seconds } of outcomes) context.diagnostic(`${name} ${fate} by ${detail} (${seconds.toFixed(1)} s)`);
  assert.deepEqual(outcomes.filter(({ fate }) => fate !== 'caught').map(({ name, detail }) => `${name} ${detail}`), []);
});
