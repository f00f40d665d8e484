// What an agent finds on a node that another agent has served: Felix's rules and sets, leftovers of old versions, and what it
// cannot take over and must name.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { felixFilter, felixOtherTables, felixSets } from './harness/felix-node.ts';
import { sameAsFresh } from './harness/fresh-agent.ts';
import { allowRole, denyRole } from './harness/objects.ts';
import { ownState } from './harness/own-state.ts';
import { backends, Stage } from './harness/stage.ts';
import type { Backend, Expectation } from './harness/stage.ts';
import { SteadyTraffic } from './harness/steady-traffic.ts';

/** Before, during and after. */
const VERDICTS: Readonly<Record<string, Expectation>> = {
  'friend > server': 'passes',
  'server > friend': 'passes',
  'visitor > friend': 'passes',
  'stranger > server': 'drops',
  'friend > visitor': 'drops',
};

async function felixStage(backend: Backend, otherTables = ''): Promise<Stage> {
  const stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {}, visitor: {} } });
  await stage.node.netns.run('ipset', ['restore'], { input: felixSets });
  await stage.iptables('-restore', ['-w'], felixFilter + otherTables);
  stage.manifests.put(allowRole('shop', 'server', 'friend'), denyRole('shop', 'visitor'));
  await stage.expect(VERDICTS);
  return stage;
}

for (const backend of backends) {
  describe(`a node that Felix has served, ${backend}`, { concurrency: 2 }, () => {
    it('is taken over without an allowed packet lost or a denied one passed, and only our rules and sets are left', async () => {
      await using stage = await felixStage(backend);
      const traffic = await SteadyTraffic.start(stage, VERDICTS);
      const agent = await stage.readyAgent();
      await sameAsFresh(stage, agent);
      await stage.expect(VERDICTS);
      await traffic.finish();
    });

    it('keeps what lies in other tables, named in one warning and in readiness', async () => {
      await using stage = await felixStage(backend, felixOtherTables);
      const others = async (): Promise<readonly string[]> =>
        Promise.all(['raw', 'mangle', 'nat'].map(async (table) => (await stage.iptables('-save', ['-t', table])).replaceAll(/^#.*\n|\[\d+:\d+\]/gm, '')));
      const before = await others();
      const traffic = await SteadyTraffic.start(stage, VERDICTS);
      const agent = await stage.readyAgent();
      await stage.become(VERDICTS);
      await traffic.finish();
      assert.deepEqual(await others(), before);
      const warnings = agent.log.filter(({ msg }) => msg.includes('chains of an earlier agent are left in'));
      assert.equal(warnings.length, 1);
      for (const table of ['raw', 'mangle', 'nat']) assert.match(warnings[0]?.msg ?? '', new RegExp(`${backend} ${table} \\(IPv4: cali-`));
      assert.match((await agent.page('/readiness')).body, /chains of an earlier agent are left in/);
      // nat still looks at this set: it cannot go, and that is no fault.
      assert.match(await stage.ipset('list', '-n'), /^cali40masq-ipam-pools$/m);
      assert.deepEqual(agent.log.filter(({ level }) => level === 'error'), []);
    });
  });

  describe(`leftovers of old versions, ${backend}`, () => {
    it('are removed from filter, with the jumps to them', async () => {
      await using stage = await Stage.build({ backend, pods: { server: {}, stranger: {} } });
      stage.manifests.put(denyRole('shop', 'server'));
      await stage.iptables('-restore', ['-w'], [
        '*filter',
        ':felix-FORWARD - [0:0]', ':felix-FROM-ENDPOINT - [0:0]', ':califw-670e5c7bc04 - [0:0]', ':calitw-670e5c7bc04 - [0:0]', ':calipi-old - [0:0]',
        ':FOREIGN - [0:0]',
        '-A FORWARD -j felix-FORWARD',
        '-A FORWARD -j FOREIGN',
        '-A felix-FORWARD -i cali+ -j felix-FROM-ENDPOINT',
        '-A felix-FROM-ENDPOINT -i cali670e5c7bc04 -g califw-670e5c7bc04',
        '-A califw-670e5c7bc04 -j calipi-old',
        '-A calipi-old -j ACCEPT',
        '-A FOREIGN -p icmp -j ACCEPT',
        'COMMIT', '',
      ].join('\n'));
      const agent = await stage.readyAgent();
      await sameAsFresh(stage, agent);
      await stage.expect({ 'stranger > server': 'drops' });
      const saved = await stage.iptables('-save', ['-t', 'filter']);
      assert.match(saved, /^-A FORWARD -j FOREIGN$/m);
      assert.match(saved, /^-A FOREIGN -p icmp -j ACCEPT$/m);
    });
  });
}

describe("tables of Calico's own nftables dataplane", () => {
  it('keep the agent not ready, with the remedy, until they are deleted; its rules are in force meanwhile', async () => {
    await using stage = await Stage.build({ backend: 'nft', pods: { server: {}, stranger: {} } });
    stage.manifests.put(denyRole('shop', 'server'));
    await stage.node.netns.run('nft', ['add', 'table', 'ip', 'calico']);
    const agent = stage.startAgent();
    const remedy = 'the nftables table "ip calico" of Calico\'s nftables dataplane goes on dropping packets. Remedy: nft delete table ip calico';
    const { status } = await agent.readiness('the table to be named', ({ body }) => body.includes(remedy));
    assert.equal(status, 503);
    await agent.logged('the table', ({ msg }) => msg.includes(remedy));
    await stage.become({ 'stranger > server': 'drops' });
    assert.match(await ownState(stage.node.netns, 'nft'), /cali-FORWARD/);

    await stage.node.netns.run('nft', ['delete', 'table', 'ip', 'calico']);
    await agent.ready();
    assert.doesNotMatch((await agent.page('/readiness')).body, /ip calico/);
  });
});
