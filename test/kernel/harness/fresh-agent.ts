// The measure of what an agent has made of a node with a past: another one that never saw anything but the present objects.

import assert from 'node:assert/strict';
import { AgentProcess } from './agent-process.ts';
import { eventually } from './eventually.ts';
import { Namespace } from './namespace.ts';
import { NODE_NAME } from './objects.ts';
import { ownState } from './own-state.ts';
import type { Stage } from './stage.ts';

/** Waits until rules and sets are those of an agent that saw only the final objects. */
export async function sameAsFresh(stage: Stage, agent: AgentProcess): Promise<void> {
  const { backend, manifests } = stage;
  await using netns = await Namespace.create(`fresh-${backend}`);
  await using fresh = AgentProcess.start({
    netns,
    nodeName: NODE_NAME,
    runDirectory: stage.runDirectory,
    env: { DATASTORE_TYPE: 'directory', CARACAL_PATH: manifests.path, FELIX_IPTABLESBACKEND: backend },
  });
  await fresh.ready();
  const right = await ownState(netns, backend);
  let now = '';
  try {
    await eventually('the node is as a fresh agent would have made it', async () => {
      now = await ownState(stage.node.netns, backend);
      return now === right;
    });
  } catch {
    assert.equal(now, right, `the agent says:\n${agent.tail()}`);
  }
}
