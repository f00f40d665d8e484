// Health of the agent as the sum of its components.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createHealth } from '../../src/observability/health.ts';
import { FakeClock } from '../fakes/clock.ts';

const fine = { live: true, ready: true, detail: '' };

suite('health', () => {
  test('without components the agent is alive and not ready', () => {
    const health = createHealth(new FakeClock());
    assert.equal(health.summary('liveness').good, true);
    assert.equal(health.summary('readiness').good, false);
  });
  test('a component that has not reported is alive and not ready', () => {
    const health = createHealth(new FakeClock());
    health.register('Dataplane');
    assert.equal(health.summary('liveness').good, true);
    assert.match(health.summary('readiness').text, /^not ready: Dataplane: starting\n/);
  });
  test('ready means that every component is', () => {
    const health = createHealth(new FakeClock());
    health.register('Dataplane');
    health.register('Sync');
    health.report('Sync', fine);
    assert.equal(health.summary('readiness').good, false);
    health.report('Dataplane', fine);
    assert.equal(health.summary('readiness').good, true);
  });
  test('one dead component is enough, and is named with its reason', () => {
    const health = createHealth(new FakeClock());
    health.report('Sync', fine);
    health.report('Dataplane', { live: false, ready: false, detail: 'iptables does not answer' });
    assert.match(health.summary('liveness').text, /^not live: Dataplane: iptables does not answer\n/);
  });
  test('a component that is silent for longer than its timeout is neither alive nor ready', () => {
    const clock = new FakeClock();
    const health = createHealth(clock);
    health.register('Dataplane', 90);
    health.report('Dataplane', { ...fine, detail: 'idle' });
    clock.advance(90_000);
    assert.equal(health.summary('liveness').good, true);
    clock.advance(1000);
    assert.match(health.summary('liveness').text, /^not live: Dataplane: silent for 91 s; last: idle\n/);
    assert.equal(health.summary('readiness').good, false);
  });
  test('the body is a table of all components', () => {
    const health = createHealth(new FakeClock());
    health.register('Dataplane', 90);
    health.report('Sync', { ...fine, detail: 'in sync' });
    assert.equal(
      health.summary('readiness').text,
      [
        'not ready: Dataplane: starting',
        '',
        'COMPONENT  TIMEOUT  LIVENESS  READINESS  DETAIL',
        'Dataplane  90s      live      not ready  starting',
        'Sync       -        live      ready      in sync',
        '',
      ].join('\n'),
    );
  });
});
