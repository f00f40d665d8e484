import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createHealth } from '../../src/observability/health.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import { FakeClock } from '../fakes/clock.ts';
import { Node } from './node.ts';
import { desired } from './objects.ts';

it('the driver says that it is alive while there is nothing to do, and is not live when it hangs', async () => {
  const kernel = new FakeKernel();
  const clock = new FakeClock(1_000_000);
  const health = createHealth(clock);
  health.register('dataplane', 90);
  const node = new Node(kernel, { ruleRefreshInterval: 0, setRefreshInterval: 0, setCheckInterval: 0 }, { clock, health });
  await node.start();
  await node.update(desired());
  for (let seconds = 0; seconds < 300; seconds += 10) {
    clock.advance(10_000);
    await node.settle();
    assert.equal(health.summary('liveness').good, true, `after ${seconds} s`);
  }
  // A tool that never answers.
  const held = kernel.holdWrites();
  await node.update(desired({ addedSets: [{ id: 's:a', type: 'net', use: 'allow', description: '', members: [] }] }));
  clock.advance(100_000);
  await node.settle();
  assert.equal(health.summary('liveness').good, false);
  held();
});
