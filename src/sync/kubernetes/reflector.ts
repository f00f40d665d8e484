// Keeps what is known of one kind equal to what the API server holds, by list and watch, for as long as it runs.
//
//            ┌────────────── 410, broken answer ───────────────┐
//            ▼                                                 │
//   ┌─ initial state ─┐  complete: one batch  ┌─ watch ─┐  end or failure   ┌─ wait ─┐
//   │ WatchList, or   │ ────────────────────▶ │ resumes │ ────────────────▶ │ jitter │
//   │ a paged list    │ ◀──── failure ──┐     │ at last │ ◀──────────────── │        │
//   └─────────────────┘                 └──── │ version │                   └────────┘
//
// In: a transport and the cache of the kind. Out: batches of updates: the initial state, or its difference to what was known, as
// one; then the events of each network chunk as one.
// Always: what is known only changes by a complete list or by an event. No failure of any sort removes anything, and deletions
// that a lost connection hid are found by the next list. Never throws what a server can cause.

import type { Clock } from '../../lib/clock.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Update } from '../../model/update.ts';
import { ConnectionFailed, isRequestFailure, RequestRefused, type RequestFailure, ResponseBroken } from '../errors.ts';
import { type Identity, identityOf } from '../resources/object-meta.ts';
import { titleOf } from '../resources/resource.ts';
import type { Replacement, ResourceCache } from '../resources/resource-cache.ts';
import { JitteredBackoff } from './backoff.ts';
import type { Decoder, WatchEvent } from './decoder.ts';
import { type Collection, readList } from './list.ts';
import { Pause } from './pause.ts';
import { refused } from './refusal.ts';
import { wentBack } from './resource-version.ts';
import type { Transport } from './transport.ts';
import { readWatch } from './watch.ts';

export type Verb = 'list' | 'watch' | 'get';

export interface ReflectorOptions {
  readonly cache: ResourceCache;
  /** The group and version that serves the kind. */
  readonly apiVersion: string;
  readonly transport: Transport;
  readonly decoder: Decoder<unknown>;
  readonly clock: Clock;
  /** As Math.random. */
  readonly random: () => number;
  readonly metrics: Metrics;
  /** `initial`: the first complete list, perhaps of nothing. Other batches are never empty. */
  readonly deliver: (updates: readonly Update[], receivedAt: number, initial: boolean) => void;
  /** Called after each change of the status but that of lastHeard. */
  readonly onStatus: () => void;
  /** The server answers again after it could not be reached. */
  readonly onRecovered: () => void;
}

export interface ReflectorStatus {
  /** A complete list was delivered. */
  readonly synced: boolean;
  /** Events arrive as they happen. */
  readonly watching: boolean;
  /** When the server was last heard, by the clock; undefined before the first time. */
  readonly lastHeard: number | undefined;
  /** The last request's, until one succeeds. */
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly verb: Verb;
  readonly message: string;
  /** The server does not let us: no retry helps before somebody changes that. */
  readonly refused: boolean;
  /** The server does not know a kind that need not be there; whether it is there, discovery says. */
  readonly missing: boolean;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** When the first one of a row happened, by the clock. */
  readonly since: number;
}

/** A watch that ends sooner, without having said anything, is not working. Milliseconds. */
const shortestWatch = 1000;
/** How often the streamed initial state may break off before the paged list is used instead. */
const streamAttempts = 2;
/** How servers say that they do not know or not allow it. */
const streamRefusals: readonly number[] = [400, 405, 406, 415, 422];
/** Expired again this soon, a list is no remedy. Milliseconds. */
const expiryInterval = 10_000;
/** Nobody may make us wait for longer. Milliseconds. */
export const longestWait = 300_000;

export class Reflector {
  readonly #options: ReflectorOptions;
  /** As metrics name it. */
  readonly #kind: string;
  readonly #collection: Collection;
  readonly #backoff: JitteredBackoff;
  readonly #stop = new AbortController();
  /** Where to resume; undefined: a list is needed. */
  #version: string | undefined;
  /** False where the server does not stream the initial state; of this kind only, and without a word. */
  #streams = true;
  /** Streamed initial states that broke off since the last complete one. */
  #brokenStreams = 0;
  #lastExpiry = Number.NEGATIVE_INFINITY;
  /** Credentials were read again since the last success. */
  #renewed = false;
  #synced = false;
  #watching = false;
  #lastHeard: number | undefined;
  #failure: Failure | undefined;
  readonly #pause: Pause;
  #running: Promise<void> | undefined;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#kind = titleOf(options.cache.resource);
    this.#collection = { ...options.cache.resource, apiVersion: options.apiVersion };
    this.#backoff = new JitteredBackoff(options.random);
    this.#pause = new Pause(options.clock);
  }

  get cache(): ResourceCache {
    return this.#options.cache;
  }

  get status(): ReflectorStatus {
    return { synced: this.#synced, watching: this.#watching, lastHeard: this.#lastHeard, failure: this.#failure };
  }

  /** A fault of this program is not caught: it is an unhandled rejection, which ends the process. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Nothing is delivered after it resolved. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#pause.end();
    await this.#running;
  }

  /** The server answers others again: a wait for it ends now. */
  hurry(): void {
    if (this.#failure?.refused === false && !this.#failure.missing) this.#pause.end();
  }

  /** Discovery says that the kind is there: a wait for it ends now. */
  appeared(): void {
    if (this.#failure?.missing === true) this.#pause.end();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const pages = !this.#streams || this.#brokenStreams >= streamAttempts;
      const verb: Verb = this.#version === undefined && pages ? 'list' : 'watch';
      try {
        await (verb === 'list' ? this.#list() : this.#version === undefined ? this.#stream() : this.#resume(this.#version));
      } catch (error) {
        if (!isRequestFailure(error)) throw error;
        if (!this.#stop.signal.aborted) await this.#recover(verb, error);
      }
    }
  }

  async #list(): Promise<void> {
    const { cache, transport, decoder } = this.#options;
    const replacement = cache.replace();
    let receivedAt: number | undefined;
    const onHeard = (): void => {
      receivedAt ??= this.#heard();
    };
    const version = await readList({ collection: this.#collection, transport, decoder, signal: this.#stop.signal, replacement, onHeard });
    this.#complete(replacement, version, receivedAt ?? this.#heard(), 'list');
  }

  /** Initial state and watch in one request. */
  async #stream(): Promise<void> {
    const replacement = this.#options.cache.replace();
    let receivedAt: number | undefined;
    let opened = false;
    let complete = false;
    const onOpen = (): void => {
      opened = true;
    };
    const onEvents = (events: readonly WatchEvent<unknown>[], now: number): void => {
      receivedAt ??= now;
      if (complete) {
        this.#apply(events, now);
        return;
      }
      const end = events.findIndex((event) => event.type === 'BOOKMARK' && event.endsInitialList);
      this.#collect(end < 0 ? events : events.slice(0, end), replacement);
      const bookmark = events[end];
      if (bookmark?.type !== 'BOOKMARK') return;
      complete = true;
      this.#complete(replacement, bookmark.resourceVersion, receivedAt, 'stream');
      this.#setWatching(true);
      this.#apply(events.slice(end + 1), now);
    };
    try {
      await this.#read({ sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }, onEvents, onOpen);
      if (!complete) throw new ConnectionFailed('the watch ended before the initial state was complete');
    } catch (error) {
      if (complete || this.#stop.signal.aborted) throw error;
      if (!opened && error instanceof RequestRefused && streamRefusals.includes(error.status)) {
        this.#streams = false;
        return;
      }
      // A server, or something on the way, that can't hold a long answer may still manage pages.
      if (opened) this.#brokenStreams += 1;
      throw error;
    }
  }

  async #resume(version: string): Promise<void> {
    const { clock } = this.#options;
    const startedAt = clock.now();
    let silent = true;
    await this.#read({ resourceVersion: version }, (events, now) => {
      silent = false;
      this.#apply(events, now);
    }, () => {
      this.#setWatching(true);
      this.#succeeded();
    });
    // Servers end each watch after timeoutSeconds; the next one resumes where it ended.
    if (silent && clock.now() - startedAt < shortestWatch) throw new ConnectionFailed('the watch ended as soon as it began');
  }

  async #read(query: Readonly<Record<string, string>>, onEvents: (events: readonly WatchEvent<unknown>[], now: number) => void, onOpen = (): void => {}): Promise<void> {
    const { transport, decoder, random } = this.#options;
    // Not all at once, five to ten minutes after an API server was restarted.
    const timeoutSeconds = String(300 + Math.floor(random() * 300));
    try {
      await readWatch({
        collection: this.#collection,
        transport,
        decoder,
        signal: this.#stop.signal,
        query: { ...query, timeoutSeconds },
        onOpen: () => {
          this.#heard();
          onOpen();
        },
        onEvents: (events) => {
          const now = this.#heard();
          if (!this.#stop.signal.aborted) onEvents(events, now);
        },
      });
    } finally {
      this.#setWatching(false);
    }
  }

  /** Events of the initial state; what changes while it is sent may be among them. */
  #collect(events: readonly WatchEvent<unknown>[], replacement: Replacement): void {
    for (const event of events) {
      if (event.type === 'ERROR') throw refused(event.status);
      if (event.type === 'ADDED' || event.type === 'MODIFIED') replacement.add(event.object);
      else if (event.type === 'DELETED') replacement.remove(this.#identity(event.object));
    }
  }

  /** Events of one chunk: one batch. */
  #apply(events: readonly WatchEvent<unknown>[], receivedAt: number): void {
    const { cache, metrics } = this.#options;
    const updates: Update[] = [];
    let changes = 0;
    try {
      for (const event of events) {
        if (event.type === 'ERROR') throw refused(event.status);
        if (this.#version !== undefined && wentBack(this.#version, event.resourceVersion)) {
          throw new RequestRefused(410, 'Expired', `the server's history went back from ${this.#version} to ${event.resourceVersion}`);
        }
        if (event.type !== 'BOOKMARK') {
          changes += 1;
          const update = event.type === 'DELETED' ? cache.remove(this.#identity(event.object)) : cache.upsert(event.object);
          if (update !== undefined) updates.push(update);
        }
        this.#version = event.resourceVersion;
      }
    } finally {
      // What came before the event that breaks the watch has happened.
      if (changes > 0) metrics.count('caracal_sync_events_total', { kind: this.#kind }, changes);
      this.#showSize();
      if (updates.length > 0) this.#options.deliver(updates, receivedAt, false);
    }
  }

  #identity(object: unknown): Identity {
    const identity = identityOf(object, this.cache.resource.namespaced);
    if (identity === undefined) throw new ResponseBroken('a deletion that does not say of what');
    return identity;
  }

  #complete(replacement: Replacement, version: string, receivedAt: number, method: 'list' | 'stream'): void {
    if (this.#stop.signal.aborted) return;
    const updates = replacement.finish();
    const initial = !this.#synced;
    this.#version = version;
    this.#synced = true;
    this.#brokenStreams = 0;
    this.#options.metrics.count('caracal_sync_lists_total', { kind: this.#kind, method });
    this.#showSize();
    if (initial || updates.length > 0) this.#options.deliver(updates, receivedAt, initial);
    this.#succeeded();
    this.#options.onStatus();
  }

  /** Kinds that are counted only change their number without an update. */
  #showSize(): void {
    this.#options.metrics.set('caracal_sync_objects', this.cache.size, { kind: this.#kind });
  }

  #heard(): number {
    const now = this.#options.clock.now();
    this.#lastHeard = now;
    this.#options.metrics.set('caracal_sync_last_heard_timestamp_seconds', Date.now() / 1000, { kind: this.#kind });
    return now;
  }

  #setWatching(watching: boolean): void {
    if (this.#watching === watching) return;
    this.#watching = watching;
    this.#options.onStatus();
  }

  #succeeded(): void {
    const failure = this.#failure;
    this.#renewed = false;
    if (failure === undefined) return;
    this.#failure = undefined;
    this.#options.onStatus();
    if (!failure.refused && !failure.missing) this.#options.onRecovered();
  }

  /** The one place that decides what a failure means, and how long to wait. */
  async #recover(verb: Verb, error: RequestFailure): Promise<void> {
    const { clock, metrics, transport } = this.#options;
    const now = clock.now();
    const status = error instanceof RequestRefused ? error.status : 0;
    metrics.count('caracal_sync_request_failures_total', { kind: this.#kind, verb, reason: error instanceof RequestRefused ? error.reason : error.name });
    const expired = error instanceof RequestRefused && error.expired;
    // What comes back after it was gone (404) has another history.
    if (expired || status === 404 || error instanceof ResponseBroken) this.#version = undefined;
    if (status === 401) transport.renewCredentials();

    // Both are normal in the life of a watch: tried again at once, and nothing to speak of.
    const firstExpiry = expired && now - this.#lastExpiry > expiryInterval;
    const oldToken = status === 401 && !this.#renewed;
    if (expired) this.#lastExpiry = now;
    if (status === 401) this.#renewed = true;
    if (firstExpiry || oldToken) return;

    const missing = status === 404 && this.cache.resource.isOptional === true;
    const isRefused = status === 401 || status === 403 || (status === 404 && !missing);
    this.#failure = { verb, message: error.message, refused: isRefused, missing, status, since: this.#failure?.since ?? now };
    this.#options.onStatus();
    const asked = error instanceof RequestRefused ? Math.min(error.retryAfter, longestWait) : 0;
    if (!this.#stop.signal.aborted) await this.#pause.wait(Math.max(this.#backoff.delay(now), asked));
  }
}
