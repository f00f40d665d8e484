// The members of every set that stands for the endpoints of a service.
//
//   slices      ──▶ ┌───────────────┐
//   definitions ──▶ │ service index │ ──▶ added sets, deltas
//                   └───────────────┘
//
// A service's endpoints come in slices, which may overlap while the cluster rewrites them: a member is there while any slice has it,
// so members are counted. Only for services that an active rule names; the slices of all others are kept and never looked into.
// Readiness does not count, and a service that nobody knows has no endpoints.

import { MultiMap } from '../lib/multi-map.ts';
import type { DesiredSet, Member, SetDelta, SetId } from '../model/desired.ts';
import { protocolText } from '../model/net/protocol.ts';
import type { ServiceEndpoints } from '../model/service-endpoints.ts';
import { everyAddress } from './contributor.ts';
import type { MemberChanges } from './member-changes.ts';
import type { DefinedSet, ServiceSet } from './set-definition.ts';
import { desiredSet } from './set-definition.ts';

interface LiveSet extends DefinedSet<ServiceSet> {
  /** How many slices have a member. */
  readonly counts: Map<Member, number>;
  /** Members that a change touched since the last flush: whether they were in the set then. */
  readonly journal: Map<Member, boolean>;
}

export class ServiceIndex {
  readonly #slices = new Map<string, ServiceEndpoints>();
  /** Service to the keys of its slices. */
  readonly #byService = new MultiMap<string, string>();
  readonly #live = new Map<SetId, LiveSet>();
  /** Service to its sets: with and without ports, for each use. */
  readonly #sets = new MultiMap<string, LiveSet>();
  readonly #touched = new Set<LiveSet>();

  /** Adds, replaces or removes a slice. */
  set(key: string, slice: ServiceEndpoints | undefined): void {
    const old = this.#slices.get(key);
    if (old === slice) return;
    if (old !== undefined) {
      this.#slices.delete(key);
      this.#byService.delete(old.service, key);
      this.#sets.each(old.service, (set) => this.#count(set, old, -1));
    }
    if (slice !== undefined) {
      this.#slices.set(key, slice);
      this.#byService.add(slice.service, key);
      this.#sets.each(slice.service, (set) => this.#count(set, slice, 1));
    }
  }

  /** Takes sets out (it may be told of others' sets too) and in; gives the new ones whole, and the deltas of all others. */
  flush(removed: Iterable<SetId>, added: Iterable<DefinedSet<ServiceSet>>): MemberChanges {
    for (const id of removed) {
      const set = this.#live.get(id);
      if (set === undefined) continue;
      this.#live.delete(id);
      this.#sets.delete(set.definition.service, set);
      this.#touched.delete(set);
    }
    const deltas: SetDelta[] = [];
    for (const set of this.#touched) {
      const delta = deltaOf(set);
      if (delta !== undefined) deltas.push(delta);
      set.journal.clear();
    }
    this.#touched.clear();
    const sets: DesiredSet[] = [];
    for (const { id, definition } of added) {
      const set: LiveSet = { id, definition, counts: new Map(), journal: new Map() };
      this.#live.set(id, set);
      this.#sets.add(definition.service, set);
      this.#byService.each(definition.service, (key) => {
        for (const member of membersOf(definition, this.#slices.get(key) as ServiceEndpoints)) count(set, member, 1);
      });
      sets.push(desiredSet(set, [...set.counts.keys()]));
    }
    return { added: sets, deltas };
  }

  #count(set: LiveSet, slice: ServiceEndpoints, by: 1 | -1): void {
    this.#touched.add(set);
    for (const member of membersOf(set.definition, slice)) {
      if (!set.journal.has(member)) set.journal.set(member, set.counts.has(member));
      count(set, member, by);
    }
  }
}

function count({ counts }: LiveSet, member: Member, by: 1 | -1): void {
  const after = (counts.get(member) ?? 0) + by;
  if (after > 0) counts.set(member, after);
  else counts.delete(member);
}

/** Each once. */
function membersOf({ use, withPorts, onlyBroken }: ServiceSet, { addresses, ports, isBroken }: ServiceEndpoints): ReadonlySet<Member> {
  if (isBroken === true) return new Set(use === 'deny' && !withPorts ? everyAddress : []);
  if (onlyBroken === true) return new Set();
  if (!withPorts) return new Set(addresses);
  const ends = ports.map(({ protocol, port }) => `${protocolText(protocol)}:${port}`);
  return new Set(addresses.flatMap((address) => ends.map((end) => `${address},${end}`)));
}

function deltaOf({ id, counts, journal }: LiveSet): SetDelta | undefined {
  const added: Member[] = [];
  const removed: Member[] = [];
  for (const [member, wasPresent] of journal) {
    const isPresent = counts.has(member);
    if (isPresent && !wasPresent) added.push(member);
    else if (wasPresent && !isPresent) removed.push(member);
  }
  return added.length === 0 && removed.length === 0 ? undefined : { id, added, removed };
}
