// What the dataplane would have to hold after a row of change sets, folded together; the contract of model/desired.ts is checked
// on the way: nothing refers to what was not sent, deltas are true differences, nothing is removed while referred to.

import assert from 'node:assert/strict';
import type { ActiveEndpoint, ActiveHostEndpoint, ActivePolicy, ActiveProfile, ActiveRule, Desired, DesiredSet, EndpointTier, Member, SetDelta, SetId } from '../../src/model/desired.ts';

export interface HeldSet extends Omit<DesiredSet, 'members'> {
  readonly members: Set<Member>;
}

export class DesiredState {
  readonly sets = new Map<SetId, HeldSet>();
  readonly policies = new Map<string, ActivePolicy>();
  readonly profiles = new Map<string, ActiveProfile>();
  readonly endpoints = new Map<string, ActiveEndpoint>();
  readonly hostEndpoints = new Map<string, ActiveHostEndpoint>();

  take(desired: Desired): void {
    for (const set of desired.addedSets) this.#addSet(set);
    for (const delta of desired.setDeltas) this.#changeSet(delta);
    for (const policy of desired.policies) {
      this.#assertSets(policy);
      this.policies.set(policy.key, policy);
    }
    for (const profile of desired.profiles) {
      this.#assertSets(profile);
      this.profiles.set(profile.name, profile);
    }
    for (const endpoint of desired.endpoints) {
      this.#assertPoliciesOf(endpoint);
      this.endpoints.set(endpoint.key, endpoint);
    }
    for (const endpoint of desired.hostEndpoints) {
      this.#assertPoliciesOf(endpoint);
      this.hostEndpoints.set(endpoint.key, endpoint);
    }
    for (const key of desired.removedHostEndpoints) assert.ok(this.hostEndpoints.delete(key), `host endpoint ${key} is removed but was not there`);
    for (const key of desired.removedEndpoints) assert.ok(this.endpoints.delete(key), `endpoint ${key} is removed but was not there`);
    for (const name of desired.removedProfiles) assert.ok(this.profiles.delete(name), `profile ${name} is removed but was not there`);
    for (const key of desired.removedPolicies) assert.ok(this.policies.delete(key), `policy ${key} is removed but was not there`);
    for (const id of desired.removedSets) assert.ok(this.sets.delete(id), `set ${id} is removed but was not there`);
    for (const holder of [...this.policies.values(), ...this.profiles.values()]) this.#assertSets(holder);
    for (const endpoint of [...this.endpoints.values(), ...this.hostEndpoints.values()]) this.#assertPoliciesOf(endpoint);
  }

  /** Plain data in one order, for comparison; and only what something needs may be there. `everywhere`: policies that are needed besides. */
  snapshot(everywhere: Iterable<string> = []): unknown {
    const endpoints = sorted(this.endpoints);
    const hostEndpoints = sorted(this.hostEndpoints);
    const needed = new Set([...everywhere, ...[...endpoints, ...hostEndpoints].flatMap(policiesOf)]);
    assert.deepEqual([...this.policies.keys()].sort(), [...needed].sort(), 'exactly the policies that local endpoints need');
    const profiles = new Set([...endpoints, ...hostEndpoints].flatMap((endpoint) => endpoint.profiles));
    assert.deepEqual([...this.profiles.keys()].sort(), [...profiles].sort(), 'exactly the profiles that local endpoints need');
    const sets = new Set([...this.policies.values(), ...this.profiles.values()].flatMap(setsOf));
    assert.deepEqual([...this.sets.keys()].sort(), [...sets].sort(), 'exactly the sets that policies and profiles need');
    return {
      sets: sorted(this.sets).map((set) => ({ ...set, members: [...set.members].sort() })),
      policies: sorted(this.policies),
      profiles: sorted(this.profiles),
      endpoints: endpoints.map((endpoint) => ({ ...endpoint, addresses: [...endpoint.addresses].sort() })),
      hostEndpoints,
    };
  }

  #addSet(set: DesiredSet): void {
    assert.ok(!this.sets.has(set.id), `set ${set.id} is added but is there already`);
    assert.match(set.id, /^[A-Za-z0-9:_-]{1,25}$/);
    const members = new Set(set.members);
    assert.equal(members.size, set.members.length, `members of set ${set.id} are distinct`);
    for (const member of members) assertHeld(member);
    this.sets.set(set.id, { ...set, members });
  }

  #changeSet({ id, added, removed }: SetDelta): void {
    const members = this.sets.get(id)?.members;
    assert.ok(members, `set ${id} changes but is not there`);
    assert.ok(added.length + removed.length > 0, `the delta of set ${id} is empty`);
    for (const member of removed) assert.ok(members.delete(member), `${member} is removed from set ${id} but was not in it`);
    for (const member of added) {
      assert.ok(!members.has(member) && !removed.includes(member), `${member} is added to set ${id} but was in it`);
      assertHeld(member);
      members.add(member);
    }
  }

  #assertSets(holder: ActivePolicy | ActiveProfile): void {
    for (const id of setsOf(holder)) assert.ok(this.sets.has(id), `set ${id} is referred to but was not sent`);
  }

  #assertPoliciesOf(endpoint: ActiveEndpoint | ActiveHostEndpoint): void {
    for (const key of policiesOf(endpoint)) assert.ok(this.policies.has(key), `policy ${key} is referred to but was not sent`);
    for (const name of endpoint.profiles) assert.ok(this.profiles.has(name), `profile ${name} is referred to but was not sent`);
  }
}

function tiersOf(endpoint: ActiveEndpoint | ActiveHostEndpoint): readonly EndpointTier[] {
  return 'tiers' in endpoint ? endpoint.tiers : [...endpoint.normal, ...endpoint.forward, ...endpoint.untracked, ...endpoint.preDnat];
}

function policiesOf(endpoint: ActiveEndpoint | ActiveHostEndpoint): readonly string[] {
  return tiersOf(endpoint).flatMap(({ ingress, egress }) => [...ingress, ...egress]);
}

function setsOf({ ingress, egress }: { readonly ingress: readonly ActiveRule[]; readonly egress: readonly ActiveRule[] }): readonly SetId[] {
  return [...ingress, ...egress].flatMap(({ source, destination }) =>
    [source, destination].flatMap(({ sets, notSets, portSets, notPortSets, serviceSets }) => [...sets, ...notSets, ...portSets, ...notPortSets, ...serviceSets]),
  );
}

function sorted<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** The kernel refuses networks of length 0, which come as halves. */
function assertHeld(member: Member): void {
  assert.ok(!member.endsWith('/0'), `no set of the kernel can hold ${member}`);
}
