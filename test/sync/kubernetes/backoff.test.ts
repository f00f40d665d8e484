// How long failures make the next attempt wait.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JitteredBackoff } from '../../../src/sync/kubernetes/backoff.ts';

/** Longest waits of so many failures, each right after the wait before. */
const limits = (backoff: JitteredBackoff, count: number, now = 0): number[] => {
  const delays: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const delay = backoff.delay(now);
    delays.push(delay);
    now += delay;
  }
  return delays;
};

test('doubles from 800 ms to 30 s', () => {
  assert.deepEqual(limits(new JitteredBackoff(() => 1), 8), [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
});

test('is anything between nothing and that', () => {
  assert.deepEqual(limits(new JitteredBackoff(() => 0), 3), [0, 0, 0]);
  assert.deepEqual(limits(new JitteredBackoff(() => 0.5), 3), [400, 800, 1600]);
});

test('starts over two minutes after the end of the last wait', () => {
  const backoff = new JitteredBackoff(() => 1);
  assert.equal(backoff.delay(0), 800);
  assert.equal(backoff.delay(800 + 120_000), 1600);
  assert.equal(backoff.delay(800 + 120_000 + 1600 + 120_001), 800);
});
