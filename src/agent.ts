// The composition root: the one place that knows every part.

import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentContext } from './cli/world.ts';
import type { Config } from './config/parameters.ts';
import { systemClock } from './lib/clock.ts';
import { startEndpoints } from './observability/endpoints.ts';
import { createHealth } from './observability/health.ts';
import { createMetrics } from './observability/metrics.ts';
import { createStatusBoard } from './observability/status.ts';

export async function runAgent(config: Config, { version, log, signal }: AgentContext): Promise<void> {
  const clock = systemClock;
  const registry = createMetrics({ processMetrics: config.metricsEnabled && config.processMetrics });
  registry.metrics.set('caracal_build_info', 1, { version });
  const health = createHealth(clock);
  const status = createStatusBoard(config.nodeName);
  const endpoints = startEndpoints(config, { health, status, registry, log, clock });

  await sleep(0x7fff_ffff, undefined, { signal }).catch(() => undefined);
  await endpoints.close();
}
