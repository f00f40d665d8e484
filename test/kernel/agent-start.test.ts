// What an agent does before it knows everything, and what it says about what it cannot enforce.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { makeScratch, removeScratch } from '../cluster/harness/scratch.ts';
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

/** A folder for the front of PATH in which a program is this script instead. */
function inPlaceOf(program: string, script: string): string {
  const folder = makeScratch();
  writeFileSync(path.join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

it('an agent that is stopped while it starts writes nothing any more', async () => {
  await using stage = await Stage.build({ backend: 'nft', pods: { server: {}, stranger: {} } });
  stage.manifests.put(denyRole('shop', 'server'));
  const gate = path.join(stage.runDirectory, 'open');
  // What lies around is looked at before the first write.
  const folder = inPlaceOf('nft', `while [ ! -e '${gate}' ]; do sleep 0.02; done; echo '{}'`);
  const agent = stage.startAgent({ PATH: `${folder}:${process.env['PATH']}` });
  await agent.logged('that it starts', ({ msg }) => msg === 'caracal starts');
  const stopped = agent.stop();
  await agent.logged('that it stops', ({ msg }) => msg.startsWith('stopping'));
  writeFileSync(gate, '');
  assert.equal(await stopped, 0);
  assert.doesNotMatch(await ownState(stage.node.netns, 'nft'), /cali/);
  removeScratch(folder);
});

describe('a doorbell that does not work', { concurrency: 2 }, () => {
  const programs = { nft: 'xtables-monitor', legacy: 'inotifywait' } as const;
  for (const backend of backends) {
    it(`is no reason not to enforce, ${backend}`, async () => {
      await using stage = await Stage.build({ backend, pods: { server: {}, stranger: {} } });
      stage.manifests.put(denyRole('shop', 'server'));
      const folder = inPlaceOf(programs[backend], 'echo "Too many open files" >&2; exit 1');
      const agent = await stage.readyAgent({ PATH: `${folder}:${process.env['PATH']}` });
      await stage.expect({ 'stranger > server': 'drops' });
      await agent.logged('that nobody listens', ({ msg }) => /changes of others are found at the refresh interval/.test(msg));
      assert.equal(await agent.stop(), 0);
      removeScratch(folder);
    });
  }
});

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
