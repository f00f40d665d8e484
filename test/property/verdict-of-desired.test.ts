// What the calculation wants is what the policies say: verdict(wire objects) == the desired state that the decoders and the
// calculation make of the same objects, for every kind of policy and both families. What the kernel then does is verdict.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createGraph } from '../../src/calc/graph.ts';
import { judge } from '../../src/verdict/judge.ts';
import { DesiredState } from './desired-state.ts';
import { DesiredVerdict } from './desired-verdict.ts';
import { batchOf, Feed } from './feed.ts';
import { runsOf, seedOf } from './seed.ts';
import { wideAimed, wideAims } from './wide-packets.ts';
import { wideWorld } from './wide-worlds.ts';

const seed = seedOf();

test(`in random worlds the desired state says of every packet what the policies say (seed ${seed})`, () => {
  fc.assert(
    fc.property(wideWorld, wideAims(60), (world, aims) => {
      const feed = new Feed(world);
      const graph = createGraph({ node: world.node });
      const state = new DesiredState();
      const desired = graph.update(batchOf(feed.list(world.objects), true));
      if (desired !== undefined) state.take(desired);
      const judged = judge(world);
      const verdict = new DesiredVerdict(state, (name) => world.options.interfacePrefixes.some((prefix) => name.startsWith(prefix)));
      for (const packet of wideAimed(world, aims)) {
        const expected = judged.verdict(packet);
        assert.equal(verdict.isAllowed(packet) ? 'allow' : 'deny', expected.action, `${JSON.stringify(packet)} ${JSON.stringify(expected.decisions)}`);
      }
      const invalid = [...new Set(judged.invalid.map(({ kind, namespace, name }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`))].sort();
      const found = feed.invalid.list().filter(({ kind }) => !kind.startsWith('Staged')).map(({ kind, name }) => `${kind.split('.')[0]} ${name}`);
      assert.deepEqual([...new Set(found)].sort(), invalid, 'the same objects are found invalid');
    }),
    { numRuns: runsOf(300), seed },
  );
});
