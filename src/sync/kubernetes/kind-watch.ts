// One kind, installed or not: reads it from where discovery says it is, and forgets it when it is certainly gone.
//
//   unknown ──▶ absent ◀──────▶ served by a group and version: a reflector runs
//      └──────────────────────────▶ ▲  └─▶ served by another: the next reflector takes over
//
// Always: what is known of the kind holds until a complete list of the same or of another group replaces it, or until discovery is
// certain that it is not installed any more.

import type { Update } from '../../model/update.ts';
import { type Gating, titleOf } from '../resources/resource.ts';
import type { ResourceCache } from '../resources/resource-cache.ts';
import type { Whereabouts } from './api-presence.ts';
import { Reflector, type ReflectorOptions, type ReflectorStatus } from './reflector.ts';

export interface KindStatus extends ReflectorStatus {
  /** Unique among the kinds. */
  readonly kind: string;
  /** As RBAC and kubectl name it: "pods", "tiers.crd.projectcalico.org". */
  readonly plural: string;
  /** "unknown" before the API server could say. */
  readonly installed: 'yes' | 'no' | 'unknown';
  readonly gating: Gating;
  /** How many are known that policy uses. */
  readonly objects: number;
}

export interface KindWatchOptions extends Omit<ReflectorOptions, 'apiVersion' | 'deliver'> {
  readonly deliver: (updates: readonly Update[], receivedAt: number) => void;
}

export class KindWatch {
  readonly #options: KindWatchOptions;
  readonly #title: string;
  #installed: 'yes' | 'no' | 'unknown' = 'unknown';
  #apiVersion: string;
  #reflector: Reflector | undefined;
  #wasRead = false;
  /** A complete list was delivered since it was installed. */
  #synced = false;
  /** Reflectors that others have taken over from, until they have ended. */
  readonly #ending = new Set<Promise<void>>();

  constructor(options: KindWatchOptions) {
    this.#options = options;
    this.#title = titleOf(options.cache.resource);
    this.#apiVersion = options.cache.resource.apiVersion;
  }

  get cache(): ResourceCache {
    return this.#options.cache;
  }

  get status(): KindStatus {
    const { resource, size } = this.cache;
    const idle: ReflectorStatus = { synced: false, watching: false, lastHeard: undefined, failure: undefined };
    return {
      ...(this.#reflector?.status ?? idle),
      synced: this.#synced,
      kind: this.#title,
      plural: resource.isOptional === true ? `${resource.plural}.${this.#apiVersion.split('/')[0] ?? ''}` : resource.plural,
      installed: this.#installed,
      gating: resource.gating ?? 'strict',
      objects: size,
    };
  }

  /** Nothing is in sync before this kind has said more. */
  get isAwaited(): boolean {
    const { gating, installed, synced, failure } = this.status;
    if (gating === 'none' || synced || installed === 'no') return false;
    return !(gating === 'unless-refused' && failure?.status === 403);
  }

  /** Somebody has to act before this kind can be read. */
  get isRefused(): boolean {
    const { gating, failure } = this.status;
    return gating === 'strict' && failure?.refused === true;
  }

  /** Follows what discovery says now. */
  follow(whereabouts: Whereabouts): void {
    if (whereabouts === 'unknown') return;
    if (whereabouts === 'absent') this.#leave();
    else if (this.#reflector !== undefined && this.#apiVersion === whereabouts.apiVersion) this.#reflector.appeared();
    else this.#read(whereabouts.apiVersion);
  }

  hurry(): void {
    this.#reflector?.hurry();
  }

  /** Nothing is delivered after it resolved. */
  async stop(): Promise<void> {
    this.#end();
    await Promise.all(this.#ending);
  }

  #read(apiVersion: string): void {
    this.#end();
    this.#wasRead = true;
    this.#apiVersion = apiVersion;
    this.#setInstalled('yes');
    const { deliver } = this.#options;
    const reflector = new Reflector({
      ...this.#options,
      apiVersion,
      deliver: (updates, receivedAt, initial) => {
        if (initial) this.#synced = true;
        deliver(updates, receivedAt);
      },
    });
    this.#reflector = reflector;
    reflector.start();
  }

  #leave(): void {
    const { cache, clock, metrics, deliver } = this.#options;
    // A watch that is open is the better witness.
    if (this.#reflector?.status.watching === true) return;
    this.#end();
    this.#synced = false;
    this.#setInstalled('no');
    if (!this.#wasRead) return;
    // Else it would look as if nothing was heard for ever longer.
    metrics.set('caracal_sync_last_heard_timestamp_seconds', Date.now() / 1000, { kind: this.#title });
    metrics.set('caracal_sync_objects', 0, { kind: this.#title });
    const updates = cache.replace().finish();
    if (updates.length > 0) deliver(updates, clock.now());
  }

  #end(): void {
    const reflector = this.#reflector;
    this.#reflector = undefined;
    if (reflector === undefined) return;
    const ended = reflector.stop().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #setInstalled(installed: 'yes' | 'no'): void {
    this.#installed = installed;
    this.#options.metrics.set('caracal_sync_installed', installed === 'yes' ? 1 : 0, { kind: this.#title });
  }
}
