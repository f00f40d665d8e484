// What the agent serves: /liveness and /readiness on one port, /metrics on another, each where it is enabled.
//
// In: health, status and metrics as they are at the moment of the request. Out: 200 or 503 with the reasons as text.

import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Health } from './health.ts';
import { startHttpServer } from './http-server.ts';
import type { HttpServer } from './http-server.ts';
import type { MetricsRegistry } from './metrics.ts';
import { statusText } from './status.ts';
import type { StatusBoard } from './status.ts';

export interface EndpointsOptions {
  readonly healthEnabled: boolean;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly metricsEnabled: boolean;
  readonly metricsHost: string;
  readonly metricsPort: number;
}

export interface EndpointsParts {
  readonly health: Health;
  readonly status: StatusBoard;
  readonly registry: MetricsRegistry;
  readonly log: Logger;
  readonly clock: Clock;
  /** Called before a readiness page is made: what is only published when somebody looks. */
  readonly beforePage?: () => void;
}

export interface Endpoints {
  readonly health: HttpServer | undefined;
  readonly metrics: HttpServer | undefined;
  close(): Promise<void>;
}

export function startEndpoints(options: EndpointsOptions, { health, status, registry, log, clock, beforePage }: EndpointsParts): Endpoints {
  const healthServer = options.healthEnabled
    ? startHttpServer({
        name: 'health',
        host: options.healthHost,
        port: options.healthPort,
        log,
        clock,
        routes: {
          '/liveness': () => {
            const { good, text } = health.summary('liveness');
            return { status: good ? 200 : 503, body: text };
          },
          '/readiness': () => {
            beforePage?.();
            const { good, text } = health.summary('readiness');
            return { status: good ? 200 : 503, body: `${text}\n${statusText(status.snapshot)}` };
          },
        },
      })
    : undefined;
  const metricsServer = options.metricsEnabled
    ? startHttpServer({
        name: 'metrics',
        host: options.metricsHost,
        port: options.metricsPort,
        log,
        clock,
        routes: { '/metrics': async () => ({ status: 200, body: await registry.text(), contentType: registry.contentType }) },
      })
    : undefined;
  return Object.freeze({
    health: healthServer,
    metrics: metricsServer,
    close: async () => {
      await Promise.all([healthServer?.close(), metricsServer?.close()]);
    },
  });
}
