// The Kubernetes API as the source of all objects.
//
//   transport ──▶ reflector (one per kind) ──updates──▶ source ──Batch──▶ sink
//                    └── status ──▶ log, health
//
// In: how to reach the API server, which node this is. Out: batches of all kinds, each kind's in order. inSync comes once, with
// the batch that completes the first list of the last kind.
// Always: while the API server can't be reached, or refuses a kind, what is known of that kind holds.

import { type Clock, systemClock } from '../../lib/clock.ts';
import type { HealthReporter } from '../../lib/health.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { DecodeContext, type NodeIdentity } from '../resources/decode-context.ts';
import { type InvalidObject, InvalidObjects } from '../resources/invalid-objects.ts';
import { coreKinds } from '../resources/kinds.ts';
import { type ResourceCache, resourceCache } from '../resources/resource-cache.ts';
import type { Sink, Source } from '../source.ts';
import { type ApiAccess, loadKubeConfig } from './api-access.ts';
import { jsonDecoder } from './decoder.ts';
import { type Failure, Reflector, type ReflectorStatus } from './reflector.ts';
import { defaultTimeouts, KubernetesTransport, type Timeouts, type Transport } from './transport.ts';

export interface KubernetesSourceOptions extends NodeIdentity {
  readonly access: ApiAccess;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthReporter;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly timeouts?: Timeouts;
}

export interface KindStatus extends ReflectorStatus {
  readonly kind: string;
  /** As RBAC names it. */
  readonly plural: string;
  /** How many are known that policy uses. */
  readonly objects: number;
}

export class KubernetesSource implements Source {
  readonly #options: KubernetesSourceOptions;
  readonly #clock: Clock;
  readonly #invalid: InvalidObjects;
  readonly #caches: readonly ResourceCache[];
  #transport: Transport | undefined;
  #reflectors: readonly Reflector[] = [];
  #inSync = false;
  #stopped = false;
  /** When the API server stopped answering, by the clock. */
  #unreachableSince: number | undefined;
  /** By kind: what the log has said already. */
  readonly #refusals = new Map<string, string>();

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#invalid = new InvalidObjects(options.logger, options.metrics, () => this.#onStatus());
    const context = new DecodeContext(options);
    this.#caches = coreKinds.map((kind) => resourceCache(kind, context, this.#invalid));
  }

  /** Objects that are in force in another form than written. */
  get invalidObjects(): readonly InvalidObject[] {
    return this.#invalid.list();
  }

  get status(): readonly KindStatus[] {
    return this.#reflectors.map(({ cache, status }) => ({ kind: cache.resource.kind, plural: cache.resource.plural, objects: cache.size, ...status }));
  }

  /** Rejects with SourceOptionsInvalid where no API server is named; one that can't be reached is waited for. */
  async start(sink: Sink): Promise<void> {
    const { access, metrics, random = Math.random, timeouts = defaultTimeouts } = this.#options;
    const transport = new KubernetesTransport(() => loadKubeConfig(access), timeouts);
    this.#transport = transport;
    this.#reflectors = this.#caches.map((cache) => {
      const { kind } = cache.resource;
      return new Reflector({
        cache,
        transport,
        decoder: jsonDecoder,
        clock: this.#clock,
        random,
        metrics,
        deliver: (updates, receivedAt) => {
          if (this.#stopped) return;
          const comesInSync = !this.#inSync && this.#reflectors.every((reflector) => reflector.status.synced);
          this.#inSync ||= comesInSync;
          sink({ resource: kind, updates, receivedAt, ...(comesInSync ? { inSync: true } : {}) });
        },
        onStatus: () => this.#onStatus(),
        onRecovered: () => {
          for (const reflector of this.#reflectors) reflector.hurry();
        },
      });
    });
    this.#report();
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
    await this.#transport?.close();
  }

  #onStatus(): void {
    if (this.#stopped) return;
    this.#logRefusals();
    this.#logReachability();
    this.#report();
  }

  /** What somebody must change: one line per kind, and one when it is mended. */
  #logRefusals(): void {
    for (const { kind, plural, failure } of this.status) {
      const known = this.#refusals.get(kind);
      if (failure?.refused === true) {
        const text = failureText(plural, failure);
        if (known === text) continue;
        this.#refusals.set(kind, text);
        this.#options.logger.error({ kind, verb: failure.verb }, `${text}; what is known of them holds until that is mended: ${remedy(failure)}`);
      } else if (known !== undefined && failure === undefined) {
        this.#refusals.delete(kind);
        this.#options.logger.info({ kind }, `the API server lets us read ${kind} objects again`);
      }
    }
  }

  /** All kinds share one server: one line when it is lost, one when it is back. */
  #logReachability(): void {
    const failing = this.status.find(({ failure }) => failure?.refused === false);
    if (failing?.failure !== undefined && this.#unreachableSince === undefined) {
      this.#unreachableSince = failing.failure.since;
      this.#options.logger.warn({ kind: failing.kind, verb: failing.failure.verb }, `${failureText(failing.plural, failing.failure)}; what is known holds, and it is tried again`);
    }
    if (failing !== undefined || this.#unreachableSince === undefined) return;
    const seconds = Math.round((this.#clock.now() - this.#unreachableSince) / 1000);
    this.#unreachableSince = undefined;
    this.#options.logger.info({ seconds }, `the API server answers again, after ${seconds} s`);
  }

  #report(): void {
    const { metrics, health } = this.#options;
    metrics.set('caracal_sync_in_sync', this.#inSync ? 1 : 0);
    const refused = this.status.some(({ failure }) => failure?.refused === true);
    const state = this.#inSync ? 'in sync' : 'waiting for the first complete list of every kind';
    const { gaps } = this.#invalid;
    const missing = gaps.length === 0 ? [] : [`invalid and not in force: ${gaps.join(', ')}; correct or delete them`];
    health.report('Sync', { live: true, ready: this.#inSync && !refused && gaps.length === 0, detail: [state, ...missing, ...this.#details()].join('; ') });
  }

  /** What is wrong, kinds with the same trouble together; and what is still missing. */
  #details(): string[] {
    const byFailure = Map.groupBy(this.status, ({ failure }) => (failure === undefined ? '' : `${failure.verb} ${failure.message}`));
    return [...byFailure.values()].map((statuses) => {
      const failure = statuses[0]?.failure;
      if (failure === undefined) {
        const missing = statuses.filter(({ synced }) => !synced).map(({ plural }) => plural);
        return missing.length === 0 ? '' : `not listed yet: ${missing.join(', ')}`;
      }
      const heard = statuses.map(({ lastHeard }) => lastHeard ?? Number.NEGATIVE_INFINITY);
      const age = this.#clock.now() - Math.min(...heard);
      const text = failureText(statuses.map(({ plural }) => plural).join(', '), failure);
      return `${text} (${Number.isFinite(age) ? `last heard ${Math.round(age / 1000)} s ago` : 'never heard'})${failure.refused ? `: ${remedy(failure)}` : ''}`;
    }).filter((text) => text !== '');
  }
}

function failureText(resources: string, { verb, message }: Failure): string {
  return `${verb} ${resources} failed: ${message}`;
}

function remedy({ message }: Failure): string {
  if (message.startsWith('401')) return 'give the agent a valid token; the files are read again at each attempt';
  if (message.startsWith('403')) return "grant the verbs list and watch in the agent's ClusterRole";
  return 'serve this resource, or correct the address of the API server';
}
