// A node that lives through 200 random changes while a test causes faults. Beside what changes, pods that no change concerns talk
// all the time. In the end the node must be as if nothing had happened:
//
//  - no packet between the pods that no change concerned was lost or let through;
//  - rules and sets are those that an agent makes which saw nothing but the final objects;
//  - what the kernel's rules say about random packets is what the policies say.

import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { loadKernel } from '../../../src/simulate/kernel.ts';
import { simulate } from '../../../src/simulate/simulate.ts';
import { judge } from '../../../src/verdict/judge.ts';
import { aimed, aims } from '../../property/packets.ts';
import type { AgentProcess } from './agent-process.ts';
import { dice, faultSeed } from './fault-seed.ts';
import { sameAsFresh } from './fresh-agent.ts';
import { allowRole, denyRole, policyObject } from './objects.ts';
import { randomHistory } from './random-history.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import type { Backend, Expectation } from './stage.ts';
import { Stage } from './stage.ts';

const CHANGES = 200;
/** Pairs of the namespace "steady", which the random changes leave alone. */
const STEADY: Readonly<Record<string, Expectation>> = {
  'friend > server': 'passes',
  'server > friend': 'passes',
  'stranger > server': 'drops',
  'friend > stranger': 'drops',
};
const STEADY_POLICIES = [
  allowRole('steady', 'server', 'friend'),
  denyRole('steady', 'stranger'),
  // A set whose other members the changes bring and take.
  policyObject('steady', 'server-from-db', {
    podSelector: { matchLabels: { role: 'server' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'db' } } }] }],
  }),
];

export interface Ordeal {
  readonly stage: Stage;
  /** Numbers of 0 up to, not including, `below`. */
  readonly roll: (below: number) => number;
  /** How many of the changes have been made. */
  readonly changesMade: () => number;
  /** Resolves when all have been made. */
  readonly changed: Promise<void>;
}

/** `strike` causes the faults while changes are made, and returns when an agent runs that is to come right by itself. */
export async function endure(backend: Backend, salt: number, strike: (ordeal: Ordeal) => Promise<AgentProcess>): Promise<void> {
  const roll = dice(salt);
  const history = randomHistory(faultSeed + salt, CHANGES);
  assert.equal(history.changes.length, CHANGES);
  await using stage = await Stage.build({
    backend,
    pods: { friend: { namespace: 'steady' }, server: { namespace: 'steady' }, stranger: { namespace: 'steady' } },
  });
  stage.manifests.put(...history.initial, ...STEADY_POLICIES);
  const first = await stage.readyAgent();
  await stage.expect(STEADY);
  const traffic = await SteadyTraffic.start(stage, STEADY);
  // Only then: the first agent was for the start from nothing.
  await first.stop();

  let made = 0;
  const makeChanges = async (): Promise<void> => {
    for (const { op, object } of history.changes) {
      if (op === 'put') stage.manifests.put(object);
      else stage.manifests.remove(object);
      made += 1;
      await new Promise((resolve) => setTimeout(resolve, roll(80)));
    }
  };
  const changed = makeChanges();
  const agent = await strike({ stage, roll, changesMade: () => made, changed });
  await changed;
  await agent.ready();

  await sameAsFresh(stage, agent);
  await assertVerdicts(stage, history.final);
  await stage.expect(STEADY);
  await traffic.finish();
}

async function assertVerdicts(stage: Stage, final: Parameters<typeof judge>[0]): Promise<void> {
  const kernel = loadKernel({ ipv4: await stage.iptables('-save', ['-t', 'filter']), sets: await stage.ipset('save') });
  const world = { ...final, objects: [...final.objects, ...STEADY_POLICIES] };
  const { verdict } = judge(world);
  const [drawn = []] = fc.sample(aims(500), { seed: faultSeed, numRuns: 1 });
  const wrong = aimed(world, drawn).filter((packet) => simulate(kernel, packet).action !== verdict(packet).action);
  assert.deepEqual(wrong, []);
}
