// A graph whose change sets are folded into the state that the dataplane would hold, and checked on the way: on top of the contract
// (DesiredState), that no change set but the first is empty or says what was said before.

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

import { createGraph } from '../../src/calc/graph.ts';
import type { Desired } from '../../src/model/desired.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Batch, Update } from '../../src/model/update.ts';
import { DesiredState } from '../property/desired-state.ts';
import { localNode } from './worlds.ts';

export class CheckedGraph {
  readonly state = new DesiredState();
  readonly #graph = createGraph({ node: localNode });
  #inSync = false;
  /** Policies that ask to be rendered everywhere, as they are now. */
  readonly #everywhere = new Set<string>();

  /** One batch; what it changed. */
  update(updates: readonly Update[], inSync = false): Desired | undefined {
    const batch: Batch = { resource: 'Any', updates, receivedAt: 7, ...(inSync ? { inSync: true } : {}) };
    for (const { op, kind, key, ...rest } of updates) {
      if (kind !== 'policy') continue;
      const { types, isNeededEverywhere, applies } = op === 'upsert' ? (rest as { value: Policy }).value : {};
      if (isNeededEverywhere === true && (types?.ingress === true || (types?.egress === true && applies?.preDnat !== true))) this.#everywhere.add(key);
      else this.#everywhere.delete(key);
    }
    const desired = this.#graph.update(batch);
    const first = inSync && !this.#inSync;
    this.#inSync ||= inSync;
    if (first) assert.ok(desired !== undefined, 'in-sync gives a change set, if only an empty one');
    if (desired === undefined) return undefined;
    assert.ok(this.#inSync, 'nothing comes before in-sync');
    assert.equal(desired.receivedAt, 7);
    for (const { id } of desired.setDeltas) assert.ok(!desired.removedSets.includes(id), `set ${id} changes and is removed at once`);
    const { receivedAt: _, ...lists } = desired;
    assert.ok(first || Object.values(lists).some((list) => list.length > 0), 'a change set is not empty');
    this.#assertNews(desired);
    this.state.take(desired);
    // What is not needed must be gone by now.
    this.snapshot();
    return desired;
  }

  snapshot(): unknown {
    return this.state.snapshot(this.#everywhere);
  }

  #assertNews(desired: Desired): void {
    for (const policy of desired.policies) {
      assert.ok(!isDeepStrictEqual(this.state.policies.get(policy.key), policy), `policy ${policy.key} is sent again`);
      assert.ok(!desired.removedPolicies.includes(policy.key));
    }
    for (const profile of desired.profiles) {
      assert.ok(!isDeepStrictEqual(this.state.profiles.get(profile.name), profile), `profile ${profile.name} is sent again`);
      assert.ok(!desired.removedProfiles.includes(profile.name));
    }
    for (const endpoint of desired.endpoints) {
      assert.ok(!isDeepStrictEqual(this.state.endpoints.get(endpoint.key), endpoint), `endpoint ${endpoint.key} is sent again`);
      assert.ok(!desired.removedEndpoints.includes(endpoint.key));
    }
    for (const endpoint of desired.hostEndpoints) {
      assert.ok(!isDeepStrictEqual(this.state.hostEndpoints.get(endpoint.key), endpoint), `host endpoint ${endpoint.key} is sent again`);
      assert.ok(!desired.removedHostEndpoints.includes(endpoint.key));
    }
  }
}
