import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackOff } from '../../src/dataplane/back-off.ts';
import { RepairLimit } from '../../src/dataplane/repair-limit.ts';
import { FakeClock } from '../fakes/clock.ts';

/** Delays after each of `failures` failures. */
function delays(failures: number, random: number, free = 0): number[] {
  const clock = new FakeClock(1_000);
  const backOff = new BackOff(clock, () => random, free);
  return Array.from({ length: failures }, () => {
    backOff.failed();
    return backOff.notBefore - clock.now();
  });
}

describe('retries', () => {
  it('wait 1 s, then twice as long each time, 30 s at most', () => {
    assert.deepEqual(delays(7, 0), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('are spread by up to a quarter', () => {
    assert.deepEqual(delays(2, 1), [1_250, 2_500]);
  });

  it('may come at once the first times', () => {
    assert.deepEqual(delays(3, 0, 2), [0, 0, 1_000]);
  });

  it('begin anew after a success', () => {
    const backOff = new BackOff(new FakeClock(), () => 0);
    backOff.failed();
    backOff.failed();
    backOff.succeeded();
    assert.equal(backOff.isDue, true);
    backOff.failed();
    assert.equal(backOff.notBefore, 1_000);
  });

  it('wait no longer than the shortest delay when there is news', () => {
    const clock = new FakeClock();
    const backOff = new BackOff(clock, () => 0);
    for (let i = 0; i < 6; i += 1) backOff.failed();
    clock.advance(400);
    backOff.hurry();
    assert.equal(backOff.notBefore, 1_000);
  });
});

describe('repairs', () => {
  it('are never delayed for things that are undone once in a while', () => {
    const clock = new FakeClock();
    const limit = new RepairLimit(clock);
    for (let i = 0; i < 10; i += 1) {
      assert.equal(limit.found([{ object: 'cali-FORWARD', what: 'gone' }]).notBefore, clock.now());
      clock.advance(6_000);
    }
  });

  it('of one thing do not delay the first repairs of another beyond what the first one waits for', () => {
    const clock = new FakeClock();
    const limit = new RepairLimit(clock);
    for (let i = 0; i < 3; i += 1) limit.found([{ object: 'a', what: 'gone' }]);
    assert.deepEqual(limit.found([{ object: 'a', what: 'gone' }, { object: 'b', what: 'gone' }]), { notBefore: 1_000, contested: ['a'] });
  });
});
