// What people are told about the reading of the API: log lines, each once; the health component "Sync"; gauges.
//
// In: how every kind and discovery are doing, again whenever that changes.

import type { Clock } from '../../lib/clock.ts';
import type { HealthReporter } from '../../lib/health.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { KindStatus } from './kind-watch.ts';
import type { Failure } from './reflector.ts';

export interface SourceReportOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthReporter;
  readonly clock: Clock;
}

export interface SourceState {
  readonly inSync: boolean;
  /** Nobody has to act. */
  readonly ready: boolean;
  readonly kinds: readonly KindStatus[];
  /** Those that in-sync waits for. */
  readonly awaited: readonly KindStatus[];
  /** Objects that may deny something, and are not in force in any form. */
  readonly gaps: readonly string[];
  readonly discovery: { readonly failure: Failure | undefined; readonly lastHeard: number | undefined };
}

/** What can fail: a kind, or discovery. */
type Subject = Pick<KindStatus, 'kind' | 'plural' | 'installed' | 'gating' | 'lastHeard' | 'failure'>;

export class SourceReport {
  readonly #options: SourceReportOptions;
  /** When the API server stopped answering, by the clock. */
  #unreachableSince: number | undefined;
  /** By kind: what the log has said already. */
  readonly #refusals = new Map<string, string>();
  #installed: ReadonlyMap<string, KindStatus> = new Map();

  constructor(options: SourceReportOptions) {
    this.#options = options;
  }

  update(state: SourceState): void {
    const subjects = [...state.kinds, discoverySubject(state.discovery)];
    this.#logRefusals(subjects);
    this.#logReachability(subjects);
    const { metrics, health } = this.#options;
    metrics.set('caracal_sync_in_sync', state.inSync ? 1 : 0);
    const sync = state.inSync ? 'in sync' : 'waiting for the first complete list of every kind';
    health.report('Sync', { live: true, ready: state.ready, detail: [sync, ...this.#details(subjects, state)].join('; ') });
  }

  /** After discovery has answered: what is installed, and what has come or gone since the last time. */
  installed(kinds: readonly KindStatus[]): void {
    const { logger } = this.#options;
    const before = this.#installed;
    this.#installed = new Map(kinds.map((status) => [status.kind, status]));
    if (before.size === 0) {
      const absent = kinds.filter(({ installed }) => installed === 'no').map(({ plural }) => plural);
      if (absent.length > 0) logger.info({ kinds: absent }, `not installed, and looked for once a minute: ${absent.join(', ')}`);
      return;
    }
    for (const { kind, plural, installed } of kinds) {
      const known = before.get(kind);
      if (known === undefined || known.installed === installed) continue;
      if (installed === 'yes') logger.info({ kind }, `${plural} are installed now and are read`);
      else logger.warn({ kind, objects: known.objects }, `${known.plural} are not installed any more: all objects of them are gone`);
    }
  }

  /** What somebody must change: one line per kind, and one when it is mended. */
  #logRefusals(subjects: readonly Subject[]): void {
    for (const { kind, plural, installed, gating, failure } of subjects) {
      const known = this.#refusals.get(kind);
      const text = failure !== undefined && (failure.refused || failure.missing) ? failureText(plural, failure) : undefined;
      if (text !== undefined && failure !== undefined) {
        if (known === text) continue;
        this.#refusals.set(kind, text);
        this.#options.metrics.set('caracal_sync_refused', failure.refused ? 1 : 0, { kind });
        const level = failure.refused && gating === 'strict' ? 'error' : 'warn';
        this.#options.logger[level]({ kind, verb: failure.verb }, `${text}; what is known of them holds until ${failure.refused ? 'that is mended' : 'it is clear whether they are gone'}: ${remedy(failure)}`);
      } else if (known !== undefined && failure === undefined) {
        this.#refusals.delete(kind);
        this.#options.metrics.set('caracal_sync_refused', 0, { kind });
        // That a kind is gone is told by installed().
        if (installed !== 'no') this.#options.logger.info({ kind }, kind === discoveryKind ? 'the API server answers discovery again' : `the API server lets us read ${kind} objects again`);
      }
    }
  }

  /** All kinds share one server: one line when it is lost, one when it is back. */
  #logReachability(subjects: readonly Subject[]): void {
    const failing = subjects.find(({ failure }) => failure !== undefined && !failure.refused && !failure.missing);
    if (failing?.failure !== undefined && this.#unreachableSince === undefined) {
      this.#unreachableSince = failing.failure.since;
      this.#options.logger.warn({ kind: failing.kind, verb: failing.failure.verb }, `${failureText(failing.plural, failing.failure)}; what is known holds, and it is tried again`);
    }
    if (failing !== undefined || this.#unreachableSince === undefined) return;
    const seconds = Math.round((this.#options.clock.now() - this.#unreachableSince) / 1000);
    this.#unreachableSince = undefined;
    this.#options.logger.info({ seconds }, `the API server answers again, after ${seconds} s`);
  }

  /** What is wrong, kinds with the same trouble together; and what is still missing. */
  #details(subjects: readonly Subject[], { awaited, gaps }: SourceState): string[] {
    const failing = Map.groupBy(subjects.filter(({ failure }) => failure !== undefined), ({ failure }) => `${failure?.verb} ${failure?.message}`);
    const listOf = (...installed: readonly KindStatus['installed'][]): string =>
      awaited.filter((status) => status.failure === undefined && installed.includes(status.installed)).map(({ plural }) => plural).join(', ');
    const unlisted = listOf('yes');
    const unknown = listOf('unknown');
    return [
      ...(gaps.length === 0 ? [] : [`invalid and not in force: ${gaps.join(', ')}; correct or delete them`]),
      ...[...failing.values()].map((together) => this.#failureDetail(together)),
      ...(unlisted === '' ? [] : [`not listed yet: ${unlisted}`]),
      ...(unknown === '' ? [] : [`the API server cannot tell yet whether these are installed: ${unknown}`]),
    ];
  }

  #failureDetail(together: readonly Subject[]): string {
    const failure = together[0]?.failure;
    if (failure === undefined) return '';
    const age = this.#options.clock.now() - Math.min(...together.map(({ lastHeard }) => lastHeard ?? Number.NEGATIVE_INFINITY));
    const text = failureText(together.map(({ plural }) => plural).join(', '), failure);
    return `${text} (${Number.isFinite(age) ? `last heard ${Math.round(age / 1000)} s ago` : 'never heard'})${failure.refused || failure.missing ? `: ${remedy(failure)}` : ''}`;
  }
}

const discoveryKind = 'API discovery';

function discoverySubject({ failure, lastHeard }: SourceState['discovery']): Subject {
  return { kind: discoveryKind, plural: '/apis', installed: 'yes', gating: 'strict', failure, lastHeard };
}

function failureText(resources: string, { verb, message }: Failure): string {
  return `${verb} ${resources} failed: ${message}`;
}

function remedy({ verb, status, missing }: Failure): string {
  if (missing) return 'API discovery is asked';
  if (status === 401) return 'give the agent a valid token; the files are read again at each attempt';
  if (status === 403) return verb === 'get' ? "bind the agent's service account to the ClusterRole system:discovery" : "grant the verbs list and watch in the agent's ClusterRole";
  return 'serve this resource, or correct the address of the API server';
}
