// Rules of one policy that the kernel refuses: that policy closes and is named, everybody else's changes go through, and it comes right
// when it is changed or when the kernel takes it.
//
// No kernel can be made to refuse one policy at will: a filter ahead of iptables-restore turns rules of some ports into one that every
// kernel refuses (a TCP reset for no TCP), and only while a file is there. The refusal is the kernel's own.

import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { makeScratch, removeScratch } from '../cluster/harness/scratch.ts';
import type { AgentProcess } from './harness/agent-process.ts';
import { eventually } from './harness/eventually.ts';
import { sameAsFresh } from './harness/fresh-agent.ts';
import { allowRole, denyRole, policyObject } from './harness/objects.ts';
import { ownState } from './harness/own-state.ts';
import { backends, ports, Stage } from './harness/stage.ts';
import type { Backend } from './harness/stage.ts';
import { SteadyTraffic } from './harness/steady-traffic.ts';

/** Takes the place of a tool in PATH. */
class Filter implements Disposable {
  readonly directory = makeScratch();
  readonly #isOn = path.join(this.directory, 'on');

  constructor(backend: Backend) {
    const tool = `iptables-${backend}-restore`;
    const spoil = `BEGIN { $| = 1 } s/^(-[AI] \\S+(?: \\d+)? ).*--dports (?:${ports.tcp}|${ports.udp})\\b.*/$1-j REJECT --reject-with tcp-reset/ if -e $ENV{SPOILING}`;
    const script = path.join(this.directory, tool);
    // exec: the agent knows its children by their process ids.
    writeFileSync(script, `#!/bin/bash\nexport SPOILING='${this.#isOn}'\nPATH=\${PATH#*:} exec ${tool} "$@" < <(exec perl -pe '${spoil}' 2>/dev/null)\n`);
    chmodSync(script, 0o755);
  }

  get path(): string {
    return `${this.directory}:${process.env['PATH'] ?? ''}`;
  }

  turnOn(): void {
    writeFileSync(this.#isOn, '');
  }

  turnOff(): void {
    rmSync(this.#isOn);
  }

  [Symbol.dispose](): void {
    removeScratch(this.directory);
  }
}

/** As allowRole('shop', 'server', 'friend'), with the ports that are asked. */
const withPorts = policyObject('shop', 'server-from-friend', {
  podSelector: { matchLabels: { role: 'server' } },
  policyTypes: ['Ingress'],
  ingress: [{ from: [{ podSelector: { matchLabels: { role: 'friend' } } }], ports: [{ protocol: 'TCP', port: ports.tcp }, { protocol: 'UDP', port: ports.udp }] }],
});

const noted = (agent: AgentProcess): Promise<unknown> =>
  agent.readiness('the policy to be named', ({ status, body }) => status === 200 && body.includes('the kernel refuses rules of 1 policies') && body.includes('NetworkPolicy shop/server-from-friend'));
const right = (agent: AgentProcess): Promise<unknown> => agent.readiness('nothing to be refused', ({ status, body }) => status === 200 && !body.includes('the kernel refuses'));

for (const backend of backends) {
  describe(`a policy that the kernel refuses (iptables-${backend})`, { concurrency: 2 }, () => {
    it("closes, others' changes go through; it opens when it is changed", async () => {
      using filter = new Filter(backend);
      await using stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
      stage.manifests.put(allowRole('shop', 'server', 'friend'));
      const agent = await stage.readyAgent({ PATH: filter.path });
      await stage.expect({ 'friend > server': 'passes', 'stranger > server': 'drops', 'server > friend': 'passes' });
      const traffic = await SteadyTraffic.start(stage, { 'stranger > server': 'drops', 'friend > stranger': 'passes' });

      filter.turnOn();
      stage.manifests.put(withPorts, denyRole('shop', 'friend'));
      await stage.become({ 'friend > server': 'drops', 'stranger > server': 'drops', 'server > friend': 'drops' });
      await noted(agent);
      const line = await agent.logged('what is refused', ({ msg }) => msg.startsWith('the kernel refuses rules of a policy'));
      assert.equal(line['object'], 'NetworkPolicy shop/server-from-friend');
      assert.match(String(line['output']), backend === 'nft' ? /RULE_(?:APPEND|INSERT) failed/ : /line \d+ failed/);
      assert.equal(await agent.metric('caracal_dataplane_quarantined_policies{ip_version="4",table="filter"}'), 1);
      await eventually('the chain by which the kernel was asked is gone', async () => !(await ownState(stage.node.netns, backend)).includes('cali-probe'));

      stage.manifests.put(allowRole('shop', 'server', 'friend'));
      await stage.become({ 'friend > server': 'passes', 'stranger > server': 'drops', 'server > friend': 'drops' });
      await right(agent);
      await traffic.finish();
      await sameAsFresh(stage, agent);
    });

    it('stays closed over a restart, and opens at the next one when the kernel takes it', async () => {
      using filter = new Filter(backend);
      await using stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
      filter.turnOn();
      stage.manifests.put(withPorts, denyRole('shop', 'friend'));
      const first = await stage.readyAgent({ PATH: filter.path });
      await stage.expect({ 'friend > server': 'drops', 'stranger > server': 'drops', 'server > friend': 'drops', 'friend > stranger': 'passes' });
      await noted(first);
      await eventually('the chain by which the kernel was asked is gone', async () => !(await ownState(stage.node.netns, backend)).includes('cali-probe'));
      await first.kill();

      const traffic = await SteadyTraffic.start(stage, { 'friend > server': 'drops', 'server > friend': 'drops', 'friend > stranger': 'passes' });
      const second = await stage.readyAgent({ PATH: filter.path });
      await noted(second);
      await second.kill();
      await traffic.finish();

      filter.turnOff();
      const third = await stage.readyAgent({ PATH: filter.path });
      await stage.become({ 'friend > server': 'passes', 'stranger > server': 'drops', 'server > friend': 'drops' });
      await right(third);
      await sameAsFresh(stage, third);
    });
  });
}

describe('a rate of Log rules that iptables-legacy cannot keep', () => {
  it('leaves the Log rule out; the rest of its policy is in force', async () => {
    await using stage = await Stage.build({ backend: 'legacy', pods: { friend: {}, server: {}, stranger: {} } });
    stage.manifests.put({
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'shop', name: 'logging' },
      spec: { selector: "role == 'server'", types: ['Ingress'], ingress: [{ action: 'Log' }, { action: 'Allow', source: { selector: "role == 'friend'" } }] },
    });
    // The kernel counts in credits, of which a day at the usual burst has too many.
    const agent = await stage.readyAgent({ FELIX_LOGACTIONRATELIMIT: '1/day', FELIX_LOGACTIONRATELIMITBURST: '5' });
    await stage.expect({ 'friend > server': 'passes', 'stranger > server': 'drops' });
    const line = await agent.logged('what is refused', ({ msg }) => msg.startsWith('the kernel refuses rules of a policy'));
    assert.deepEqual(line['rules'], ['ingress rule 0']);
    assert.match(String(line['line']), /--limit 1\/day/);
  });
});
