// A rule with an http match, which the kernel cannot tell apart: what the parameters make of it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Stage } from './harness/stage.ts';

const policy = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: { namespace: 'shop', name: 'web' },
  spec: { selector: "role == 'server'", types: ['Ingress'], ingress: [{ action: 'Allow', http: { methods: ['GET'] } }] },
};

it('a rule that allows certain HTTP requests allows nothing, unless something else is there to enforce it', async () => {
  await using stage = await Stage.build({ backend: 'nft', pods: { server: {}, stranger: {} } });
  stage.manifests.put(policy);
  for (const [parameters, expected] of [
    [{}, 'drops'],
    [{ FELIX_POLICYSYNCPATHPREFIX: '/var/run/nodeagent' }, 'passes'],
    [{ FELIX_POLICYSYNCPATHPREFIX: '/var/run/nodeagent', CARACAL_HTTPRULES: 'Drop' }, 'drops'],
    [{ CARACAL_HTTPRULES: 'Ignore' }, 'passes'],
  ] as const) {
    const agent = await stage.readyAgent(parameters);
    await stage.expect({ 'stranger > server': expected });
    const warnings = agent.log.filter(({ msg }) => msg.includes('web') && msg.includes('http'));
    assert.equal(warnings.length, expected === 'drops' ? 1 : 0, agent.tail());
    await agent.stop();
  }
});
