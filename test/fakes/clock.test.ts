// The fake clock calls what falls due, in order, and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './clock.ts';

test('timers are called in the order in which they fall due', () => {
  const clock = new FakeClock();
  const calls: string[] = [];
  clock.after(20, () => calls.push(`second at ${clock.now()}`));
  clock.after(10, () => calls.push(`first at ${clock.now()}`));
  clock.advance(15);
  assert.deepEqual(calls, ['first at 10']);
  clock.advance(5);
  assert.deepEqual(calls, ['first at 10', 'second at 20']);
});

test('a timer that sets another is followed up in the same advance', () => {
  const clock = new FakeClock();
  let calls = 0;
  clock.after(1, () => clock.after(1, () => (calls += 1)));
  clock.advance(2);
  assert.equal(calls, 1);
});

test('a cancelled timer is never called', () => {
  const clock = new FakeClock();
  clock.after(1, () => assert.fail('called')).cancel();
  clock.advance(10);
  assert.equal(clock.waiting, 0);
});
