// The agent is killed (kill -9) at random moments, whatever it is doing, and started again.

import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentProcess } from './harness/agent-process.ts';
import { faultSeed } from './harness/fault-seed.ts';
import { endure } from './harness/ordeal.ts';
import type { Ordeal } from './harness/ordeal.ts';
import { backends } from './harness/stage.ts';

/** Kills until all changes are made; now and then before the agent has come up. */
async function killAgainAndAgain({ stage, roll, changed }: Ordeal): Promise<AgentProcess> {
  let over = false;
  void changed.then(() => {
    over = true;
  });
  while (!over) {
    await using agent = stage.startAgent();
    if (roll(3) > 0) await agent.ready();
    await pause(roll(500));
  }
  return stage.startAgent();
}

describe(`an agent that is killed while 200 changes are made (FAULT_SEED=${faultSeed})`, { concurrency: true }, () => {
  for (const [index, backend] of backends.entries()) {
    it(`leaves nothing behind, loses no allowed packet and passes no denied one: ${backend}`, async () => {
      await endure(backend, index, killAgainAndAgain);
    });
  }
});
