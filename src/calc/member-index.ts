// The members of every set that an active rule needs, over all endpoints of the cluster.
//
//   endpoints ──▶ ┌──────────────┐
//   profiles  ──▶ │ member index │ ──▶ added sets, deltas, removed sets
//   definitions ▶ └──────────────┘
//
// It stores neither the members of a set nor the sets of an endpoint: both follow from the labels, so memory does not grow with
// memberships (an "all()" set of 250,000 pods costs nothing here). A change asks twice, before and after it, which sets the endpoint
// matches; what differs is noted in a journal, and the flush compares each noted member's presence at the last flush with its
// presence now. So an address that passes from one pod to another within a batch gives no delta, and one that two pods share stays
// until neither has it.
//
// In: items by key (sync's values; never changed by anyone). Out: at flush() the difference since the last one. Always: a live set's
// members, as sent, are the distinct contributions of the items that matched at the last flush.

import type { DesiredSet, Member, SetDelta, SetId } from '../model/desired.ts';
import type { Labels } from '../model/labels.ts';
import { labelValue, sameLabels } from '../model/labels.ts';
import type { EndpointPort } from '../model/net/port.ts';
import { protocolText } from '../model/net/protocol.ts';
import { deepEqual } from '../lib/deep-equal.ts';
import type { Labelled } from './index/labelled-items.ts';
import { LabelledItems } from './index/labelled-items.ts';
import type { Profiles } from './index/profiles.ts';
import type { Filed } from './index/selector-index.ts';
import { SelectorIndex } from './index/selector-index.ts';
import { mentionedLabels, requiredTerms } from './index/term.ts';
import type { SetDefinition } from './set-definition.ts';
import { desiredSet } from './set-definition.ts';

/** What can be a member: a WorkloadEndpoint is one. */
export interface Contributor extends Labelled {
  readonly addresses: readonly string[];
  readonly ports: readonly EndpointPort[];
}

interface LiveSet {
  readonly id: SetId;
  readonly definition: SetDefinition;
}

type FiledSet = Filed<LiveSet>;

/** The sets that an item matches. */
type Matches = readonly FiledSet[];

export interface MemberChanges {
  readonly added: readonly DesiredSet[];
  readonly deltas: readonly SetDelta[];
}

export class MemberIndex {
  readonly #profiles: Profiles;
  readonly #items: LabelledItems<Contributor>;
  readonly #sets = new SelectorIndex<LiveSet>();
  readonly #live = new Map<SetId, FiledSet>();
  /** Address to the id of the item that has it, or to those of several. */
  readonly #holders = new Map<string, number | readonly number[]>();
  /** Members that a change touched since the last flush: whether they were in the set then. */
  readonly #journal = new Map<FiledSet, Map<Member, boolean>>();

  constructor(profiles: Profiles) {
    this.#profiles = profiles;
    this.#items = new LabelledItems(profiles);
  }

  /** Adds, replaces or removes an item. */
  set(key: string, item: Contributor | undefined): void {
    const oldId = this.#items.id(key);
    const old = oldId === undefined ? undefined : this.#items.get(oldId);
    if (old === undefined && item === undefined) return;
    const before = this.#matches(old);
    this.#items.set(key, item);
    const id = oldId ?? this.#items.id(key);
    if (id === undefined) return;
    this.#replaceHolder(id, old?.addresses ?? [], item?.addresses ?? []);
    const sameMatches = old !== undefined && item !== undefined && this.#sameIdentity(old, item);
    const after = sameMatches ? before : this.#matches(item);
    const sameMembers = old !== undefined && item !== undefined && sameContribution(old, item);
    if (sameMatches && sameMembers) return;
    this.#note(id, old, item, before, after, sameMembers, (other, set) => this.#matchesSet(other, set));
  }

  /** Runs `change`, which replaces the labels of the profile, and notes what that does to the items that inherit them. */
  changeProfile(name: string, after: Labels, change: () => void): void {
    const changed = changedLabels(this.#profiles.labels(name), after).filter((label) => this.#sets.mentions(label));
    if (changed.length === 0) {
      change();
      return;
    }
    const children = this.#items.children(name);
    const concerned = new Map<FiledSet, boolean>();
    const concerns = (set: FiledSet): boolean => {
      let known = concerned.get(set);
      if (known === undefined) {
        const mentioned = mentionedLabels(set.selector.root);
        known = changed.some((label) => mentioned.has(label));
        concerned.set(set, known);
      }
      return known;
    };
    const before = new Map<Contributor, Matches>();
    for (const id of children) {
      const item = this.#items.get(id) as Contributor;
      before.set(item, this.#matches(item, concerns));
    }
    change();
    for (const id of children) {
      const item = this.#items.get(id) as Contributor;
      // Another holder of the same address may itself be a child: what counts is whether it matched before the change.
      const matchedBefore = (other: Contributor, set: FiledSet): boolean =>
        before.get(other)?.includes(set) ?? this.#matchesSet(other, set);
      this.#note(id, item, item, before.get(item) ?? [], this.#matches(item, concerns), true, matchedBefore);
    }
  }

  /** Takes sets out and in; gives the new sets whole, and the deltas of all others. */
  flush(removed: Iterable<SetId>, added: Iterable<LiveSet>): MemberChanges {
    for (const id of removed) {
      const set = this.#live.get(id);
      if (set === undefined) continue;
      this.#live.delete(id);
      this.#sets.remove(set);
      this.#journal.delete(set);
    }
    const deltas: SetDelta[] = [];
    for (const [set, touched] of this.#journal) {
      const delta = this.#delta(set, touched);
      if (delta !== undefined) deltas.push(delta);
    }
    this.#journal.clear();
    const sets: DesiredSet[] = [];
    for (const live of added) {
      const set = this.#sets.add(live, live.definition.selector);
      this.#live.set(live.id, set);
      sets.push(desiredSet(live.id, live.definition, this.#members(set)));
    }
    return { added: sets, deltas };
  }

  #delta(set: FiledSet, touched: ReadonlyMap<Member, boolean>): SetDelta | undefined {
    const added: Member[] = [];
    const removed: Member[] = [];
    for (const [member, wasPresent] of touched) {
      const isPresent = this.#isPresent(set, member, undefined, (other, of) => this.#matchesSet(other, of));
      if (isPresent && !wasPresent) added.push(member);
      else if (wasPresent && !isPresent) removed.push(member);
    }
    return added.length === 0 && removed.length === 0 ? undefined : { id: set.owner.id, added, removed };
  }

  /** All members of a set, each once. */
  #members(set: FiledSet): Member[] {
    const members: Member[] = [];
    // Only an address with several holders can give a member twice (or an item that lists it twice).
    const shared = new Set<Member>();
    for (const id of this.#items.candidates(requiredTerms(set.selector.root))) {
      const item = this.#items.get(id) as Contributor;
      if (!this.#matchesSet(item, set)) continue;
      for (const address of item.addresses) {
        const alone = item.addresses.length === 1 && typeof this.#holders.get(address) === 'number';
        for (const member of contributions(set.owner.definition, item, address)) {
          if (!alone) {
            if (shared.has(member)) continue;
            shared.add(member);
          }
          members.push(member);
        }
      }
    }
    return members;
  }

  /** The sets that an item matches now; `among` restricts them. */
  #matches(item: Contributor | undefined, among?: (set: FiledSet) => boolean): Matches {
    if (item === undefined || this.#live.size === 0) return [];
    const found = this.#sets.candidates(item.labels, item.profiles.map((name) => this.#profiles.labels(name)));
    return found.filter((set) => (among === undefined || among(set)) && this.#matchesSet(item, set));
  }

  #matchesSet(item: Contributor, set: FiledSet): boolean {
    return this.#sets.match(set, this.#items.lookup(item));
  }

  /**
   * Notes in the journal what an item's change may have done: the members that it gave to sets that it left, and those that it gives
   * to sets that it entered (or all, where its members changed). `matched` says whether another item matched before this change.
   */
  #note(
    id: number,
    old: Contributor | undefined,
    item: Contributor | undefined,
    before: Matches,
    after: Matches,
    sameMembers: boolean,
    matched: (other: Contributor, set: FiledSet) => boolean,
  ): void {
    const left = sameMembers ? difference(before, after) : before;
    const entered = sameMembers ? difference(after, before) : after;
    if (old !== undefined) for (const set of left) this.#touch(set, old, () => true);
    if (item === undefined) return;
    for (const set of entered) this.#touch(set, item, (member) => this.#isPresent(set, member, id, matched));
  }

  /** Writes what an item contributes to a set into the journal; the first entry of a member since the last flush is the one that holds. */
  #touch(set: FiledSet, item: Contributor, wasPresent: (member: Member) => boolean): void {
    let touched = this.#journal.get(set);
    if (touched === undefined) {
      touched = new Map();
      this.#journal.set(set, touched);
    }
    for (const address of item.addresses) {
      for (const member of contributions(set.owner.definition, item, address)) {
        if (!touched.has(member)) touched.set(member, wasPresent(member));
      }
    }
  }

  /** Whether any item but one contributes the member. */
  #isPresent(set: FiledSet, member: Member, but: number | undefined, matched: (other: Contributor, set: FiledSet) => boolean): boolean {
    const address = addressOf(member);
    const holders = this.#holders.get(address);
    if (holders === undefined) return false;
    for (const id of typeof holders === 'number' ? [holders] : holders) {
      if (id === but) continue;
      const item = this.#items.get(id);
      if (item === undefined || !contributions(set.owner.definition, item, address).includes(member)) continue;
      if (matched(item, set)) return true;
    }
    return false;
  }

  #replaceHolder(id: number, before: readonly string[], after: readonly string[]): void {
    if (before === after) return;
    for (const address of before) {
      const holders = this.#holders.get(address);
      if (holders === id) this.#holders.delete(address);
      else if (typeof holders === 'object') {
        const others = holders.filter((holder) => holder !== id);
        this.#holders.set(address, others.length === 1 ? (others[0] as number) : others);
      }
    }
    for (const address of after) {
      const holders = this.#holders.get(address);
      if (holders === undefined) this.#holders.set(address, id);
      else if (typeof holders === 'number') {
        if (holders !== id) this.#holders.set(address, [holders, id]);
      } else if (!holders.includes(id)) this.#holders.set(address, [...holders, id]);
    }
  }

  /** Whether both match the same selectors for certain. */
  #sameIdentity(a: Contributor, b: Contributor): boolean {
    return sameLabels(a.labels, b.labels) && deepEqual(a.profiles, b.profiles);
  }
}

function difference(a: Matches, b: Matches): Matches {
  if (a.length === 0 || b.length === 0) return a;
  const inB = new Set(b);
  return a.filter((set) => !inB.has(set));
}

function sameContribution(a: Contributor, b: Contributor): boolean {
  return deepEqual(a.addresses, b.addresses) && deepEqual(a.ports, b.ports);
}

/** What one address of an item contributes to a set that the item matches. */
function contributions({ port }: SetDefinition, item: Contributor, address: string): readonly Member[] {
  if (port === undefined) return [address];
  const members: Member[] = [];
  for (const offered of item.ports) {
    if (offered.name !== port.name) continue;
    if (port.protocol !== undefined && port.protocol !== offered.protocol) continue;
    const member = `${address},${protocolText(offered.protocol)}:${offered.port}`;
    if (!members.includes(member)) members.push(member);
  }
  return members;
}

function addressOf(member: Member): string {
  const comma = member.indexOf(',');
  return comma < 0 ? member : member.slice(0, comma);
}

/** Labels whose value or presence differs. */
function changedLabels(before: Labels, after: Labels): readonly string[] {
  const changed: string[] = [];
  for (let i = 0; i < before.length; i += 2) {
    const label = before[i] as string;
    if (labelValue(after, label) !== before[i + 1]) changed.push(label);
  }
  for (let i = 0; i < after.length; i += 2) {
    const label = after[i] as string;
    if (labelValue(before, label) === undefined) changed.push(label);
  }
  return changed;
}
