// The programs that the agent keeps running are killed (kill -9) at random moments. The agent comes right without a restart, with
// one exception: an agent that has lost its lock must not write any more, and ends.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentProcess } from './harness/agent-process.ts';
import { coprocesses } from './harness/children.ts';
import type { Coprocess } from './harness/children.ts';
import { eventually } from './harness/eventually.ts';
import { faultSeed } from './harness/fault-seed.ts';
import { allowRole, denyRole } from './harness/objects.ts';
import { endure } from './harness/ordeal.ts';
import type { Ordeal } from './harness/ordeal.ts';
import { backends, Stage } from './harness/stage.ts';
import { SteadyTraffic } from './harness/steady-traffic.ts';

const victims: readonly Coprocess[] = ['restore', 'ipset', 'doorbell'];

async function killOne(agent: AgentProcess, victim: Coprocess): Promise<void> {
  const pid = await eventually(`the agent has a ${victim} process`, async () => (await coprocesses(agent.pid, victim))[0]);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself just now, after a refusal for instance.
  }
}

async function killItsChildren({ stage, roll, changed }: Ordeal): Promise<AgentProcess> {
  const agent = await stage.readyAgent();
  let over = false;
  void changed.then(() => {
    over = true;
  });
  const killed = new Set<Coprocess>();
  while (!over || killed.size < victims.length) {
    const victim = victims[roll(victims.length)] ?? 'restore';
    await killOne(agent, victim);
    killed.add(victim);
    await pause(roll(600));
  }
  assert.equal(agent.ended, undefined, agent.tail());
  return agent;
}

describe(`an agent whose coprocesses are killed while 200 changes are made (FAULT_SEED=${faultSeed})`, { concurrency: true }, () => {
  for (const [index, backend] of backends.entries()) {
    it(`comes right without a restart, loses no allowed packet and passes no denied one: ${backend}`, async () => {
      await endure(backend, 10 + index, killItsChildren);
    });
  }
});

describe('an agent whose lock holder is killed', () => {
  it('ends with the reason in its log, the rules stay in force, and the next one takes over', async () => {
    const verdicts = { 'friend > server': 'passes', 'stranger > server': 'drops' } as const;
    await using stage = await Stage.build({ backend: 'nft', pods: { friend: {}, server: {}, stranger: {} } });
    stage.manifests.put(allowRole('shop', 'server', 'friend'));
    const agent = await stage.readyAgent();
    await stage.expect(verdicts);
    const traffic = await SteadyTraffic.start(stage, verdicts);
    await killOne(agent, 'lock');
    await eventually('the agent ended', () => agent.ended !== undefined);
    assert.equal(agent.ended, 1);
    assert.match(agent.tail(), /process that held .* ended .*another agent may write now, so this one ends/);
    stage.manifests.put(denyRole('shop', 'friend'));
    await stage.readyAgent();
    await stage.expect({ ...verdicts, 'server > friend': 'drops' });
    await traffic.finish();
  });
});
