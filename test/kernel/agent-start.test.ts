// What an agent does before it knows everything, and what it says about what it cannot enforce.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowRole, denyRole } from './harness/objects.ts';
import { ownState } from './harness/own-state.ts';
import { backends, Stage } from './harness/stage.ts';

const BROKEN = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { namespace: shop, name: broken }\nspec:\n  podSelector: [\n';

for (const backend of backends) {
  describe(`before it is in sync, ${backend}`, { concurrency: 2 }, () => {
    it('an agent writes nothing on a node that was never enforced, and names the file and line that it waits for', async () => {
      await using stage = await Stage.build({ backend, pods: { server: {}, stranger: {} } });
      stage.manifests.put(denyRole('shop', 'server'));
      stage.manifests.write('broken.yaml', BROKEN);
      const agent = stage.startAgent();
      const { status } = await agent.readiness('readiness to name the broken file', ({ body }) => /broken\.yaml:[56] /.test(body));
      assert.equal(status, 503);
      assert.doesNotMatch(await ownState(stage.node.netns, backend), /cali/);
      await stage.expect({ 'stranger > server': 'passes' });

      stage.manifests.delete('broken.yaml');
      await agent.ready();
      await stage.expect({ 'stranger > server': 'drops' });
    });

    it('an agent leaves alone what an earlier one enforces', async () => {
      await using stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
      const policy = allowRole('shop', 'server', 'friend');
      stage.manifests.put(policy);
      await (await stage.readyAgent()).stop();
      const enforced = await ownState(stage.node.netns, backend);

      stage.manifests.remove(policy);
      stage.manifests.write('broken.yaml', BROKEN);
      const agent = stage.startAgent();
      await agent.readiness('readiness to name the broken file', ({ body }) => body.includes('broken.yaml:'));
      assert.equal(await ownState(stage.node.netns, backend), enforced);
      await stage.expect({ 'friend > server': 'passes', 'stranger > server': 'drops' });

      stage.manifests.write('broken.yaml', BROKEN.replace('[', '{ matchLabels: { role: friend } }'));
      await agent.ready();
      await stage.expect({ 'friend > server': 'passes', 'stranger > server': 'passes', 'stranger > friend': 'drops' });
    });
  });
}

describe('pods with IPv6 addresses', () => {
  it('are named in a warning, in the readiness page and by a metric, until they are gone', async () => {
    await using stage = await Stage.build({ backend: 'nft', pods: { server: {}, dual: { furtherAddresses: ['fd00:70::1'] } } });
    const agent = await stage.readyAgent();
    const line = await agent.logged('the pod with IPv6', ({ msg }) => msg.includes('IPv6'));
    assert.deepEqual(line['pods'], ['shop/dual']);
    assert.match((await agent.page('/readiness')).body, /IPv6 traffic of 1 pods is not policed: shop\/dual/);
    assert.equal(await agent.metric('caracal_unserved_ipv6_endpoints'), 1);

    stage.manifests.remove(stage.object('dual'));
    await agent.readiness('nothing said about IPv6 any more', ({ status, body }) => status === 200 && !body.includes('IPv6'));
    assert.equal(await agent.metric('caracal_unserved_ipv6_endpoints'), 0);
  });
});
