// What host endpoints are told about the host's own traffic: the desired state says of each packet what verdict says from the wire
// objects. Nothing renders it yet; verdict-of-desired.test.ts asks about what the host forwards.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createGraph } from '../../src/calc/graph.ts';
import type { Packet } from '../../src/model/packet.ts';
import type { Decision, World } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { DesiredState } from './desired-state.ts';
import { DesiredVerdict } from './desired-verdict.ts';
import { batchOf, Feed } from './feed.ts';
import { runsOf, seedOf } from './seed.ts';
import { wideAimed, wideAims } from './wide-packets.ts';
import { wideWorld } from './wide-worlds.ts';

const seed = seedOf();
const interfaces = ['eth0', 'eth1', 'eth2'];

/** The same packet, received and sent by the host itself. */
function own({ inInterface, outInterface, ...packet }: Packet): readonly Packet[] {
  const name = [inInterface, outInterface].find((each) => each !== undefined && interfaces.includes(each)) ?? 'eth0';
  return [{ ...packet, inInterface: name }, { ...packet, outInterface: name }];
}

/** What is worth counting of a decision: how it fell, and of which sort the host endpoint is that took it. */
function sortsOf({ action, reason, endpoint }: Decision, { objects }: World): readonly string[] {
  const said = `${action} by ${reason}`;
  const host = objects.find(({ kind, metadata }) => kind === 'HostEndpoint' && metadata.name === endpoint);
  if (host === undefined) return [said];
  const { interfaceName, profiles = [] } = host['spec'] as { readonly interfaceName?: string; readonly profiles?: readonly string[] };
  return [said, ...(interfaceName === undefined ? [`${action} of one found by its address`] : []), ...(profiles.length > 1 && (reason === 'profile' || reason === 'no-profile') ? [`${action} by several profiles`] : [])];
}

test(`the host's own traffic is what its host endpoints allow (seed ${seed})`, (context) => {
  const reasons = new Map<string, number>();
  fc.assert(
    fc.property(wideWorld, wideAims(40), (world, aims) => {
      const desired = createGraph({ node: world.node }).update(batchOf(new Feed(world).list(world.objects), true));
      const told = new DesiredState();
      if (desired !== undefined) told.take(desired);
      const judged = judge(world);
      const answer = new DesiredVerdict(told, world.options);
      for (const packet of wideAimed(world, aims).flatMap(own)) {
        const { action, decisions } = judged.verdict(packet);
        assert.equal(answer.isOwnAllowed(packet) ? 'allow' : 'deny', action, `${JSON.stringify(packet)} ${JSON.stringify(decisions)}`);
        for (const said of sortsOf(decisions.at(-1) ?? assert.fail('somebody decides'), world)) reasons.set(said, (reasons.get(said) ?? 0) + 1);
      }
    }),
    { numRuns: runsOf(300), seed },
  );
  context.diagnostic([...reasons].map(([said, count]) => `${said}: ${count}`).join(', '));
  const all = ['allow by rule', 'deny by rule', 'deny by end-of-tier', 'allow by profile', 'deny by no-profile', 'allow by not-policed', 'allow of one found by its address', 'deny of one found by its address', 'allow by several profiles', 'deny by several profiles'];
  for (const said of all) {
    assert.ok((reasons.get(said) ?? 0) >= runsOf(100), `${said}: ${reasons.get(said) ?? 0}`);
  }
});
