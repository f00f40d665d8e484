// The Kubernetes API as the source of all objects.
//
//   transport ─┬▶ discovery ──served──▶ presence ──where each kind is──┐
//              └▶ kind watch (one per kind: a reflector, where installed) ──updates──▶ source ──Batch──▶ sink
//                    └── status ──▶ report: log, health, gauges
//
// In: how to reach the API server, which node this is. Out: batches of all kinds, each kind's in order. inSync comes once, with
// the batch that completes the first list of the last kind that is installed and gates.
// Always: while the API server can't be reached, or refuses a kind, what is known of that kind holds. Only a complete answer of
// discovery makes a kind one that is not installed.

import { type Clock, systemClock } from '../../lib/clock.ts';
import type { HealthReporter } from '../../lib/health.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Update } from '../../model/update.ts';
import { RequestRefused } from '../errors.ts';
import { DecodeContext, type NodeIdentity } from '../resources/decode-context.ts';
import { type InvalidObject, InvalidObjects } from '../resources/invalid-objects.ts';
import { kinds } from '../resources/kinds.ts';
import { type AnyResource, titleOf } from '../resources/resource.ts';
import { resourceCache } from '../resources/resource-cache.ts';
import type { Sink, Source } from '../source.ts';
import { type ApiAccess, loadKubeConfig } from './api-access.ts';
import { ApiPresence } from './api-presence.ts';
import { jsonDecoder } from './decoder.ts';
import { Discovery, type ServedApis } from './discovery.ts';
import { defaultSchedule, DiscoveryLoop, type DiscoverySchedule } from './discovery-loop.ts';
import { type KindStatus, KindWatch } from './kind-watch.ts';
import { SourceReport } from './source-report.ts';
import { defaultTimeouts, KubernetesTransport, type Timeouts, type Transport } from './transport.ts';

export type { KindStatus } from './kind-watch.ts';

export interface KubernetesSourceOptions extends NodeIdentity {
  readonly access: ApiAccess;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthReporter;
  /** Which of the groups and versions that may serve a kind is used; absent: the first one that is served. */
  readonly apiGroup?: string;
  /** What is read; absent: everything. */
  readonly kinds?: readonly AnyResource[];
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly timeouts?: Timeouts;
  readonly schedule?: DiscoverySchedule;
}

export class KubernetesSource implements Source {
  readonly #options: KubernetesSourceOptions;
  readonly #clock: Clock;
  readonly #kinds: readonly AnyResource[];
  readonly #invalid: InvalidObjects;
  readonly #report: SourceReport;
  readonly #presence: ApiPresence;
  #transport: Transport | undefined;
  #watches: readonly KindWatch[] = [];
  #discovery: DiscoveryLoop | undefined;
  /** When discovery last answered, by the clock. */
  #discoveredAt: number | undefined;
  /** Kinds of which it was said that more than one group serves them. */
  readonly #passedOver = new Set<string>();
  #sink: Sink = () => {};
  #inSync = false;
  #stopped = false;

  constructor(options: KubernetesSourceOptions) {
    const { logger, metrics, health, clock = systemClock, apiGroup, schedule = defaultSchedule } = options;
    this.#options = options;
    this.#clock = clock;
    this.#kinds = options.kinds ?? kinds;
    this.#invalid = new InvalidObjects(logger, metrics, () => this.#tell());
    this.#report = new SourceReport({ logger, metrics, health, clock });
    this.#presence = new ApiPresence(apiGroup, schedule.confirmation);
  }

  /** Objects that are in force in another form than written. */
  get invalidObjects(): readonly InvalidObject[] {
    return this.#invalid.list();
  }

  get status(): readonly KindStatus[] {
    return this.#watches.map(({ status }) => status);
  }

  /** Rejects with SourceOptionsInvalid where no API server is named; one that can't be reached is waited for. */
  async start(sink: Sink): Promise<void> {
    const { access, metrics, random = Math.random, timeouts = defaultTimeouts } = this.#options;
    const transport = new KubernetesTransport(() => loadKubeConfig(access), timeouts);
    this.#transport = transport;
    this.#sink = sink;
    const context = new DecodeContext(this.#options);
    const common = {
      transport,
      decoder: jsonDecoder,
      clock: this.#clock,
      random,
      metrics,
      onStatus: () => this.#onStatus(),
      onRecovered: () => {
        for (const watch of this.#watches) watch.hurry();
        this.#discovery?.hurry();
      },
    };
    this.#watches = this.#kinds.map((kind) => new KindWatch({
      ...common,
      cache: resourceCache(kind, context, this.#invalid),
      deliver: (updates, receivedAt) => this.#deliver(titleOf(kind), updates, receivedAt),
    }));
    this.#discovery = this.#createDiscovery(transport, random);
    this.#onStatus();
    for (const watch of this.#watches) if (watch.cache.resource.isOptional !== true) watch.follow(this.#presence.of(watch.cache.resource));
    this.#discovery?.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#watches.map((watch) => watch.stop()), this.#discovery?.stop()]);
    await this.#transport?.close();
  }

  /** None where every kind is always there. */
  #createDiscovery(transport: Transport, random: () => number): DiscoveryLoop | undefined {
    const wanted = this.#presence.wantedFor(this.#kinds);
    if (wanted.size === 0) return undefined;
    return new DiscoveryLoop({
      discovery: new Discovery(transport, wanted),
      clock: this.#clock,
      random,
      schedule: this.#options.schedule ?? defaultSchedule,
      onServed: (served, now) => {
        this.#presence.learn(wanted, served, now);
        this.#discoveredAt = now;
        this.#follow(served);
      },
      onStatus: () => this.#onStatus(),
      onRefused: (error) => {
        const reason = error instanceof RequestRefused ? error.reason : error.name;
        this.#options.metrics.count('caracal_sync_request_failures_total', { kind: 'API discovery', verb: 'get', reason });
        if (error instanceof RequestRefused && error.status === 401) transport.renewCredentials();
      },
      outlook: () => {
        const { status } = this;
        if (status.some(({ installed }) => installed === 'unknown')) return 'unknown';
        if (this.#presence.isDoubtful) return 'doubtful';
        return status.some(({ installed, failure }) => installed !== 'yes' || failure?.missing === true) ? 'lacking' : 'complete';
      },
    });
  }

  /** Discovery has answered. */
  #follow(served: ServedApis): void {
    for (const watch of this.#watches) {
      const { resource } = watch.cache;
      if (resource.isOptional === true) watch.follow(this.#presence.of(resource));
    }
    if (![...served.values()].includes('unknown')) this.#report.installed(this.status);
    this.#nameOthers();
    this.#onStatus();
  }

  #nameOthers(): void {
    for (const { cache: { resource }, status: { kind, installed, plural } } of this.#watches) {
      const others = this.#presence.passedOver(resource).join(', ');
      const text = `${installed} ${others}`;
      if (others === '' || this.#passedOver.has(text)) continue;
      // One line for all kinds of a group.
      this.#passedOver.add(text);
      this.#options.logger.info({ kind, others }, `${plural} and its like are also served by ${others}, which is not read; CALICO_API_GROUP says which one is`);
    }
  }

  #deliver(resource: string, updates: readonly Update[], receivedAt: number): void {
    if (this.#stopped) return;
    const comesInSync = this.#comesInSync();
    this.#sink({ resource, updates, receivedAt, ...(comesInSync ? { inSync: true } : {}) });
  }

  /** True once. */
  #comesInSync(): boolean {
    if (this.#inSync || this.#watches.some((watch) => watch.isAwaited)) return false;
    this.#inSync = true;
    return true;
  }

  #onStatus(): void {
    if (this.#stopped) return;
    const answeredAt = this.#discoveredAt ?? Number.NEGATIVE_INFINITY;
    if (this.status.some(({ failure }) => failure?.missing === true && failure.since >= answeredAt)) this.#discovery?.ring();
    // The last kind that was waited for may turn out to be not installed, or one that may be refused.
    if (this.#comesInSync()) this.#sink({ resource: 'API discovery', updates: [], receivedAt: this.#clock.now(), inSync: true });
    this.#tell();
  }

  #tell(): void {
    if (this.#stopped) return;
    const discovery = { failure: this.#discovery?.failure, lastHeard: this.#discoveredAt };
    const { gaps } = this.#invalid;
    const isRefused = this.#watches.some((watch) => watch.isRefused) || discovery.failure?.refused === true;
    const awaited = this.#watches.filter((watch) => watch.isAwaited).map(({ status }) => status);
    this.#report.update({ inSync: this.#inSync, ready: this.#inSync && !isRefused && gaps.length === 0, kinds: this.status, awaited, gaps, discovery });
  }
}
