// What the dataplane has been told, and what it must be told now.
//
//   set changes     ──▶ ┌──────────────────┐
//   active policies ──▶ │                  │
//   active profiles ──▶ │ change sequencer │ ──▶ one Desired, or nothing
//   active (host)    ─▶ └──────────────────┘
//   endpoints
//
// It drops what says nothing new, so nodes above may recompute more than has changed, and it keeps the order rules of
// model/desired.ts, whose field order is the order of sending.

import { deepEqual } from '../lib/deep-equal.ts';
import type { ActiveEndpoint, ActiveHostEndpoint, ActivePolicy, ActiveProfile, Desired, SetId } from '../model/desired.ts';
import type { MemberChanges } from './member-changes.ts';

export class ChangeSequencer {
  readonly #policies = new Sent<ActivePolicy>();
  readonly #profiles = new Sent<ActiveProfile>();
  readonly #endpoints = new Sent<ActiveEndpoint>();
  readonly #hostEndpoints = new Sent<ActiveHostEndpoint>();
  #sets: MemberChanges = { added: [], deltas: [] };
  #removedSets: readonly SetId[] = [];

  /** Once per batch. */
  sets(changes: MemberChanges, removed: readonly SetId[]): void {
    this.#sets = changes;
    this.#removedSets = removed;
  }

  policy(key: string, policy: ActivePolicy | undefined): void {
    this.#policies.set(key, policy);
  }

  profile(name: string, profile: ActiveProfile | undefined): void {
    this.#profiles.set(name, profile);
  }

  endpoint(key: string, endpoint: ActiveEndpoint | undefined): void {
    this.#endpoints.set(key, endpoint);
  }

  hostEndpoint(name: string, endpoint: ActiveHostEndpoint | undefined): void {
    this.#hostEndpoints.set(name, endpoint);
  }

  /** The change set since the last one; undefined when nothing changed, unless it is the first. */
  take(receivedAt: number, first: boolean): Desired | undefined {
    const policies = this.#policies.take();
    const profiles = this.#profiles.take();
    const endpoints = this.#endpoints.take();
    const hostEndpoints = this.#hostEndpoints.take();
    const { added: addedSets, deltas: setDeltas } = this.#sets;
    const removedSets = this.#removedSets;
    this.sets({ added: [], deltas: [] }, []);
    const objects = [policies, profiles, endpoints, hostEndpoints].flatMap(({ upserts, removed }) => [upserts, removed]);
    if (!first && [addedSets, setDeltas, removedSets, ...objects].every((list) => list.length === 0)) return undefined;
    return {
      addedSets,
      setDeltas,
      policies: policies.upserts,
      profiles: profiles.upserts,
      endpoints: endpoints.upserts,
      hostEndpoints: hostEndpoints.upserts,
      removedHostEndpoints: hostEndpoints.removed,
      removedEndpoints: endpoints.removed,
      removedProfiles: profiles.removed,
      removedPolicies: policies.removed,
      removedSets,
      receivedAt,
    };
  }
}

/** Objects of one kind: as sent, and those that differ from it. */
class Sent<T> {
  readonly #sent = new Map<string, T>();
  #upserts: T[] = [];
  #removed: string[] = [];

  /** At most once per key and batch. */
  set(key: string, value: T | undefined): void {
    const before = this.#sent.get(key);
    if (deepEqual(before, value)) return;
    if (value === undefined) {
      this.#sent.delete(key);
      this.#removed.push(key);
    } else {
      this.#sent.set(key, value);
      this.#upserts.push(value);
    }
  }

  take(): { readonly upserts: readonly T[]; readonly removed: readonly string[] } {
    const taken = { upserts: this.#upserts, removed: this.#removed };
    this.#upserts = [];
    this.#removed = [];
    return taken;
  }
}
