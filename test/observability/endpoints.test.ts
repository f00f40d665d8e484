// The HTTP endpoints, asked over real sockets.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import type { LogFields, Logger } from '../../src/lib/logger.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { startEndpoints } from '../../src/observability/endpoints.ts';
import type { Endpoints, EndpointsOptions } from '../../src/observability/endpoints.ts';
import type { Health } from '../../src/observability/health.ts';
import { createHealth } from '../../src/observability/health.ts';
import type { HttpServer } from '../../src/observability/http-server.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { createStatusBoard } from '../../src/observability/status.ts';
import { FakeClock } from '../fakes/clock.ts';

const off: EndpointsOptions = { healthEnabled: false, healthHost: '127.0.0.1', healthPort: 0, metricsEnabled: false, metricsHost: '127.0.0.1', metricsPort: 0 };

interface Started {
  readonly endpoints: Endpoints;
  readonly health: Health;
  readonly clock: FakeClock;
}

function start(t: TestContext, options: Partial<EndpointsOptions>, log: Logger = silentLogger): Started {
  const clock = new FakeClock();
  const health = createHealth(clock);
  const registry = createMetrics({ processMetrics: false });
  const endpoints = startEndpoints({ ...off, ...options }, { health, status: createStatusBoard('node-a'), registry, log, clock });
  t.after(() => endpoints.close());
  return { endpoints, health, clock };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const limit = systemClock.now() + 10_000;
  while (!condition()) {
    assert.ok(systemClock.now() < limit, `waited 10 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function portOf(server: HttpServer | undefined): Promise<number> {
  assert.ok(server);
  await until('the server to listen', () => server.listening.length > 0);
  return server.listening[0]?.port ?? 0;
}

suite('the health server', () => {
  test('answers 503 with the reason while a component is not ready, and 200 when all are', async (t) => {
    const { endpoints, health } = start(t, { healthEnabled: true });
    const url = `http://127.0.0.1:${await portOf(endpoints.health)}/readiness`;
    health.register('Sync');
    const before = await fetch(url);
    assert.equal(before.status, 503);
    assert.match(await before.text(), /^not ready: Sync: starting\n[^]*last applied: nothing yet\n$/);
    health.report('Sync', { live: true, ready: true, detail: 'in sync' });
    assert.equal((await fetch(url)).status, 200);
  });
  test('answers liveness apart from readiness', async (t) => {
    const { endpoints, health } = start(t, { healthEnabled: true });
    health.register('Sync');
    const response = await fetch(`http://127.0.0.1:${await portOf(endpoints.health)}/liveness`);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /^live\n/);
  });
  test('answers 404 to other paths and 405 to other methods', async (t) => {
    const { endpoints } = start(t, { healthEnabled: true });
    const base = `http://127.0.0.1:${await portOf(endpoints.health)}`;
    assert.equal((await fetch(`${base}/metrics`)).status, 404);
    assert.equal((await fetch(`${base}/toString`)).status, 404);
    assert.equal((await fetch(`${base}/liveness`, { method: 'POST' })).status, 405);
  });
  test('on localhost answers on 127.0.0.1, and on ::1 where the machine has it', async (t) => {
    // A free port of 127.0.0.1, so that both addresses can use the same.
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const expected = ['127.0.0.1', ...(Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1')) ? ['::1'] : [])];
    const { endpoints } = start(t, { healthEnabled: true, healthHost: 'localhost', healthPort: port });
    await until('all addresses', () => endpoints.health?.listening.length === expected.length);
    assert.deepEqual(endpoints.health?.listening.map(({ address }) => address), expected);
  });
  test('a port in use is tried again each second, with one warning and one line when it is free', async (t) => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const lines: string[] = [];
    const write = (level: string) => (_fields: LogFields, message: string) => void lines.push(`${level} ${message}`);
    const log: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    const { endpoints, clock } = start(t, { healthEnabled: true, healthPort: (squatter.address() as AddressInfo).port }, log);
    await until('the first retry to be set', () => clock.waiting === 1);
    clock.advance(1000);
    await until('the second retry to be set', () => clock.waiting === 1);
    assert.deepEqual(lines.map((line) => line.slice(0, 32)), ['warn health server cannot listen']);
    await new Promise((resolve) => squatter.close(resolve));
    clock.advance(1000);
    await until('the server to listen', () => endpoints.health?.listening.length === 1);
    assert.equal(lines.at(-1), 'info health server listens');
  });
  test('is not there when it is not enabled', (t) => assert.equal(start(t, {}).endpoints.health, undefined));
});

suite('the metrics server', () => {
  test('serves the exposition text on /metrics', async (t) => {
    const { endpoints } = start(t, { metricsEnabled: true });
    const response = await fetch(`http://127.0.0.1:${await portOf(endpoints.metrics)}/metrics`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(await response.text(), /^# HELP caracal_sync_in_sync /m);
  });
});
