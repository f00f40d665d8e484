// The fallback: a process per change instead of coprocesses. The node must look the same.

import { describe, it } from 'node:test';
import { faultSeed } from './harness/fault-seed.ts';
import { endure } from './harness/ordeal.ts';
import { backends } from './harness/stage.ts';

describe(`an agent without coprocesses (FAULT_SEED=${faultSeed})`, { concurrency: true }, () => {
  for (const [index, backend] of backends.entries()) {
    it(`makes of 200 changes what one with coprocesses makes: ${backend}`, async () => {
      await endure(backend, 20 + index, ({ stage }) => stage.readyAgent({ CARACAL_COPROCESSES: 'false' }));
    });
  }
});
