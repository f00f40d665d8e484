// Stop and start: the rules outlive the agent, a new agent finds its node as it should be and writes nothing, and of two agents
// only one writes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowRole, denyRole } from './harness/objects.ts';
import { ownState } from './harness/own-state.ts';
import { RuleMonitor } from './harness/rule-monitor.ts';
import { backends, Stage } from './harness/stage.ts';
import type { Backend, Expectation } from './harness/stage.ts';

const VERDICTS: Readonly<Record<string, Expectation>> = {
  'friend > server': 'passes',
  'stranger > server': 'drops',
  'friend > node': 'drops',
  'node > server': 'passes',
};

async function stageOf(backend: Backend): Promise<Stage> {
  const stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
  stage.manifests.put(allowRole('shop', 'server', 'friend'));
  return stage;
}

for (const backend of backends) {
  describe(`stop and start, ${backend}`, { concurrency: 2 }, () => {
    it('SIGTERM ends the agent with status 0, and its rules stay and enforce', async () => {
      await using stage = await stageOf(backend);
      const agent = await stage.readyAgent();
      const before = await ownState(stage.node.netns, backend);
      assert.equal(await agent.stop(), 0, agent.tail());
      assert.equal(await ownState(stage.node.netns, backend), before);
      await stage.expect(VERDICTS);
    });

    it('an agent that finds the node as it should be writes not one line', async () => {
      await using stage = await stageOf(backend);
      await (await stage.readyAgent()).stop();
      await stage.expect(VERDICTS);
      const before = await packetCounters(stage);
      await using monitor = await RuleMonitor.start(stage.node.netns);
      const agent = await stage.readyAgent();
      // A rule that was replaced counts from zero again.
      const now = await packetCounters(stage);
      assert.deepEqual([...now.keys()], [...before.keys()]);
      assert.deepEqual([...before].filter(([rule, packets]) => (now.get(rule) ?? 0) < packets), []);
      const written = await monitor.generations();
      // In a container a coprocess leaves a trace, by which the doorbell knows it: a chain that nothing leads to, made and removed at once.
      assert.deepEqual(written.filter(({ lines }) => !lines.every((line) => line.includes(' cali-trace-'))), []);
      assert.equal(await agent.metric('felix_iptables_restore_calls{ip_version="4",table="filter"}') ?? 0, 0);
      assert.equal(await agent.metric('felix_ipset_lines_executed') ?? 0, 0);
      await stage.expect(VERDICTS);
    });
  });
}

describe('two agents on one node', { concurrency: 2 }, () => {
  it('the second waits, says who holds the node, writes nothing, and takes over when the first ends', async () => {
    await using stage = await stageOf('nft');
    const first = await stage.readyAgent();
    await using monitor = await RuleMonitor.start(stage.node.netns);
    const second = stage.startAgent({ FELIX_HEALTHPORT: '9100', FELIX_PROMETHEUSMETRICSENABLED: 'false' });
    const { body } = await second.readiness('the second agent to wait', (page) => page.body.includes('another agent'));
    assert.match(body, new RegExp(`Lock: another agent programs this node: process ${first.pid} on \\S+, since \\d`));
    await second.logged('who holds the node', ({ msg }) => msg.includes(`process ${first.pid} on`) && msg.includes('writes nothing'));
    assert.deepEqual(await monitor.generations(), []);

    stage.manifests.put(denyRole('shop', 'friend'));
    await stage.become({ ...VERDICTS, 'server > friend': 'drops' });
    await first.kill();
    await second.ready();
    stage.manifests.remove(denyRole('shop', 'friend'));
    await stage.become({ ...VERDICTS, 'server > friend': 'passes' });
  });

  it('one that waits can be stopped', async () => {
    await using stage = await stageOf('nft');
    await stage.readyAgent();
    const second = stage.startAgent({ FELIX_HEALTHPORT: '9100', FELIX_PROMETHEUSMETRICSENABLED: 'false' });
    await second.readiness('the second agent to wait', (page) => page.body.includes('another agent'));
    assert.equal(await second.stop(), 0, second.tail());
  });
});

/** By rule, in the order of the table. */
async function packetCounters(stage: Stage): Promise<ReadonlyMap<string, number>> {
  const saved = await stage.iptables('-save', ['-c', '-t', 'filter']);
  return new Map([...saved.matchAll(/^\[(\d+):\d+\] (-A .*)$/gm)].map(([, packets, rule]) => [rule ?? '', Number(packets)]));
}
