// A set that denies and is full, as a tenant may make it: his pods are closed to what it may have meant, everybody else's changes go
// through, and it comes right by itself when there is room.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AgentProcess } from './harness/agent-process.ts';
import { eventually } from './harness/eventually.ts';
import { allowRole, denyRole } from './harness/objects.ts';
import { backends, Stage } from './harness/stage.ts';
import type { Backend } from './harness/stage.ts';
import { SteadyTraffic } from './harness/steady-traffic.ts';

const far = ['10.71.0.0/24', '10.72.0.0/24', '10.73.0.0/24'];
const pods = { bad: {}, friend: {}, server: {}, stranger: {}, visitor: { namespace: 'guest' } };
const small = { FELIX_MAXIPSETSIZE: '3' };

/** The server takes traffic from all but what bears the label, and asks all but that. */
const deny = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name: 'tenant' },
  spec: {
    selector: "role == 'server'",
    types: ['Ingress', 'Egress'],
    ingress: [{ action: 'Deny', source: { selector: "kind == 'bad'" } }, { action: 'Allow' }],
    egress: [{ action: 'Deny', destination: { selector: "kind == 'bad'" } }, { action: 'Allow' }],
  },
};
const badNets = (...nets: readonly string[]) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkSet',
  metadata: { namespace: 'shop', name: 'bad', labels: { kind: 'bad' } },
  spec: { nets },
});

async function noted(agent: AgentProcess): Promise<void> {
  await agent.readiness('the policy to be named', ({ status, body }) => status === 200 && body.includes('NetworkPolicy shop/tenant') && /cali40\S+ is full \(.*raise FELIX_MAXIPSETSIZE/.test(body));
  const line = await agent.logged('the set', ({ msg }) => msg.startsWith('ipset refuses a set'));
  assert.deepEqual(line['objects'], ['NetworkPolicy shop/tenant']);
  assert.match(String(line['description']), /kind == "bad"/);
  assert.match(String(line['output']), /full/);
  assert.match(String(line['remedy']), /FELIX_MAXIPSETSIZE/);
  assert.equal(await agent.metric('caracal_dataplane_quarantined_policies{ip_version="4",table="filter"}'), 1);
}

const right = (agent: AgentProcess): Promise<unknown> => agent.readiness('nothing to be full', ({ status, body }) => status === 200 && !body.includes('is full'));

async function stageOf(backend: Backend): Promise<Stage> {
  const stage = await Stage.build({ backend, pods });
  stage.manifests.put(allowRole('shop', 'friend', 'server'), deny);
  return stage;
}

for (const backend of backends) {
  describe(`a set that denies and is full (iptables-${backend})`, { concurrency: 2 }, () => {
    it("by members that are added: closes its policy, others' changes go through, and it opens when there is room", async () => {
      await using stage = await stageOf(backend);
      const [bad, visitor] = [stage.address('bad'), stage.address('visitor')];
      stage.manifests.put(badNets(`${bad}/32`, ...far.slice(0, 2)));
      const agent = await stage.readyAgent(small);
      await stage.expect({ 'bad > server': 'drops', 'visitor > server': 'passes', 'server > bad': 'drops', 'server > visitor': 'passes', 'visitor > bad': 'passes' });
      const traffic = await SteadyTraffic.start(stage, { 'bad > server': 'drops', 'server > bad': 'drops', 'friend > stranger': 'passes' });

      stage.manifests.put(badNets(`${bad}/32`, ...far, `${visitor}/32`), denyRole('shop', 'bad'));
      await stage.become({ 'visitor > bad': 'drops' });
      await stage.become({ 'visitor > server': 'drops', 'friend > server': 'drops', 'server > visitor': 'drops', 'server > friend': 'drops' });
      await noted(agent);
      // Of the whole policy, not only of what did not fit; and all else goes on.
      stage.manifests.remove(denyRole('shop', 'bad'));
      await stage.become({ 'visitor > bad': 'passes' });
      stage.manifests.put(denyRole('guest', 'visitor'));
      await stage.become({ 'bad > visitor': 'drops' });
      stage.manifests.remove(denyRole('guest', 'visitor'));
      await stage.become({ 'bad > visitor': 'passes' });
      await stage.expect({ 'visitor > server': 'drops', 'server > visitor': 'drops' });

      const steady = await SteadyTraffic.start(stage, { 'visitor > server': 'drops', 'server > visitor': 'drops' });
      stage.manifests.put(badNets(`${bad}/32`, far[2] ?? '', `${visitor}/32`));
      await stage.become({ 'visitor > server': 'drops', 'bad > server': 'drops', 'friend > server': 'passes', 'server > visitor': 'drops', 'server > friend': 'passes' });
      await right(agent);
      await steady.finish();
      await traffic.finish();
    });

    it('from the start, and over a restart: nothing opens, and it is right with another limit', async () => {
      await using stage = await stageOf(backend);
      stage.manifests.put(badNets(...far, `${stage.address('bad')}/32`));
      const first = await stage.readyAgent(small);
      await stage.expect({ 'bad > server': 'drops', 'visitor > server': 'drops', 'server > bad': 'drops', 'server > friend': 'drops', 'visitor > bad': 'passes' });
      await noted(first);
      await first.kill();

      const traffic = await SteadyTraffic.start(stage, { 'bad > server': 'drops', 'server > bad': 'drops', 'visitor > bad': 'passes' });
      const second = await stage.readyAgent(small);
      await noted(second);
      await second.kill();
      const third = await stage.readyAgent();
      await stage.become({ 'bad > server': 'drops', 'visitor > server': 'passes', 'server > bad': 'drops', 'server > friend': 'passes' });
      await right(third);
      await third.kill();

      // A set that is in use is not made smaller than its members.
      const fourth = stage.startAgent(small);
      await fourth.readiness('the set to be named', ({ status, body }) => status === 503 && body.includes('ipset refuses changes to'));
      await stage.expect({ 'bad > server': 'drops', 'visitor > server': 'passes', 'server > bad': 'drops', 'server > friend': 'passes' });
      await traffic.finish();
      stage.manifests.put(denyRole('shop', 'bad'));
      await stage.become({ 'visitor > bad': 'drops' });
      await eventually('the set that was too small is gone', async () => !/^cali4t/m.test(await stage.ipset('list', '-n')));
    });
  });
}
