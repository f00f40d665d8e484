// The members of every set that a selector of an active rule makes, over all endpoints and network sets of the cluster.
//
//   endpoints,     ▶ ┌──────────────┐
//   network sets     │              │
//   profiles      ─▶ │ member index │ ──▶ added sets, deltas
//   definitions   ─▶ └──────────────┘
//
// It stores neither the members of a set nor the sets of an endpoint: both follow from the labels, so memory does not grow with
// memberships (an "all()" set of 250,000 pods costs nothing here). A change asks twice, before and after it, which sets the endpoint
// matches; what differs is noted in a journal, and the flush compares each noted member's presence at the last flush with its
// presence now. So an address that passes from one pod to another within a batch gives no delta, and one that two pods share stays
// until neither has it. A network set that shares one with a pod is no different.
//
// In: items by key (never changed by anyone). Out: at flush() the difference since the last one. Always: a live set's
// members, as sent, are the distinct contributions of the items that matched at the last flush.

import { deepEqual } from '../lib/deep-equal.ts';
import type { DesiredSet, Member, SetDelta, SetId } from '../model/desired.ts';
import type { Labels } from '../model/labels.ts';
import { labelValue, sameLabels } from '../model/labels.ts';
import type { Selector } from '../model/selector/ast.ts';
import type { Contributor } from './contributor.ts';
import { addressOf, contributes, contributions } from './contributor.ts';
import { LabelledItems } from './index/labelled-items.ts';
import type { Profiles } from './index/profiles.ts';
import type { Filed } from './index/selector-index.ts';
import { SelectorIndex } from './index/selector-index.ts';
import { mentionedLabelsOf, requiredTermsOf } from './index/worked-out.ts';
import type { MemberChanges } from './member-changes.ts';
import type { DefinedSet, SelectorSet } from './set-definition.ts';
import { desiredSet } from './set-definition.ts';

type LiveSet = DefinedSet<SelectorSet>;
type FiledSet = Filed<LiveSet>;

/** The sets that an item matches. */
type Matches = readonly FiledSet[];

/** What became of one item. */
interface Change {
  readonly id: number;
  readonly old: Contributor | undefined;
  readonly item: Contributor | undefined;
  /** Sets that it matched, and that it matches. */
  readonly before: Matches;
  readonly after: Matches;
  /** Addresses that the item has no longer, and that it did not have. */
  readonly lost: readonly string[];
  readonly gained: readonly string[];
  /** An address that stayed contributes the same. */
  readonly sameShape: boolean;
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
    const { lost, gained } = exchanged(old?.addresses ?? [], item?.addresses ?? []);
    this.#replaceHolder(id, lost, gained);
    const bothSides = old !== undefined && item !== undefined;
    const sameMatches = bothSides && this.#sameIdentity(old, item);
    const after = sameMatches ? before : this.#matches(item);
    const sameShape = bothSides && old.isBroken === item.isBroken && deepEqual(old.ports, item.ports);
    if (sameMatches && sameShape && lost.length === 0 && gained.length === 0) return;
    this.#note({ id, old, item, before, after, lost, gained, sameShape }, (other, set) => this.#matchesSet(other, set));
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
        const mentioned = mentionedLabelsOf(set.selector);
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
      const after = this.#matches(item, concerns);
      this.#note({ id, old: item, item, before: before.get(item) ?? [], after, lost: [], gained: [], sameShape: true }, matchedBefore);
    }
  }

  /** Takes sets out (it may be told of others' sets too) and in; gives the new ones whole, and the deltas of all others. */
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
    let matching: { readonly selector: Selector; readonly items: readonly Contributor[] } | undefined;
    for (const live of added) {
      const { selector } = live.definition;
      const set = this.#sets.add(live, selector);
      this.#live.set(live.id, set);
      // The sets of a rule's named ports, of which there may be thousands, follow each other.
      if (matching?.selector !== selector) matching = { selector, items: this.#matching(set) };
      sets.push(desiredSet(live, this.#members(set, matching.items)));
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

  /** What a set's selector matches. */
  #matching(set: FiledSet): Contributor[] {
    return this.#items
      .candidates(requiredTermsOf(set.selector))
      .map((id) => this.#items.get(id) as Contributor)
      .filter((item) => this.#matchesSet(item, set));
  }

  /** All members of a set, each once. */
  #members(set: FiledSet, items: readonly Contributor[]): Member[] {
    const { use, port } = set.owner.definition;
    const members: Member[] = [];
    // Only an address with several holders can give a member twice.
    const shared = new Set<Member>();
    for (const item of items) {
      for (const address of item.addresses) {
        const alone = typeof this.#holders.get(address) === 'number';
        for (const member of contributions(use, port, item, address)) {
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
   * Notes in the journal what an item's change may have done: the members that it gave to sets that it left, those that it gives to
   * sets that it entered, and in sets where it stays those of the addresses that came and went. `matched` says whether another item
   * matched before this change.
   */
  #note(change: Change, matched: (other: Contributor, set: FiledSet) => boolean): void {
    const { id, old, item, before, after, lost, gained, sameShape } = change;
    const left = sameShape ? difference(before, after) : before;
    const entered = sameShape ? difference(after, before) : after;
    if (old !== undefined) {
      for (const set of left) this.#touch(set, old, old.addresses, () => true);
      // What it loses must be noted as present before what it gains is asked for: both may be one member.
      if (sameShape && lost.length > 0) for (const set of difference(before, left)) this.#touch(set, old, lost, () => true);
    }
    if (item === undefined) return;
    for (const set of entered) this.#touch(set, item, item.addresses, (member) => this.#isPresent(set, member, id, matched));
    if (!sameShape || gained.length === 0) return;
    for (const set of difference(after, entered)) this.#touch(set, item, gained, (member) => this.#isPresent(set, member, id, matched));
  }

  /** Writes what an item contributes to a set into the journal; the first entry of a member since the last flush is the one that holds. */
  #touch(set: FiledSet, item: Contributor, addresses: readonly string[], wasPresent: (member: Member) => boolean): void {
    const { use, port } = set.owner.definition;
    let touched = this.#journal.get(set);
    if (touched === undefined) {
      touched = new Map();
      this.#journal.set(set, touched);
    }
    for (const address of addresses) {
      for (const member of contributions(use, port, item, address)) {
        if (!touched.has(member)) touched.set(member, wasPresent(member));
      }
    }
  }

  /** Whether any item but one contributes the member. */
  #isPresent(set: FiledSet, member: Member, but: number | undefined, matched: (other: Contributor, set: FiledSet) => boolean): boolean {
    const { use, port } = set.owner.definition;
    const address = addressOf(member);
    const holders = this.#holders.get(address);
    if (holders === undefined) return false;
    for (const id of typeof holders === 'number' ? [holders] : holders) {
      if (id === but) continue;
      const item = this.#items.get(id);
      if (item === undefined || !contributes(use, port, item, member)) continue;
      if (matched(item, set)) return true;
    }
    return false;
  }

  #replaceHolder(id: number, lost: readonly string[], gained: readonly string[]): void {
    for (const address of lost) {
      const holders = this.#holders.get(address);
      if (holders === id) this.#holders.delete(address);
      else if (typeof holders === 'object') {
        const others = holders.filter((holder) => holder !== id);
        this.#holders.set(address, others.length === 1 ? (others[0] as number) : others);
      }
    }
    for (const address of gained) {
      const holders = this.#holders.get(address);
      if (holders === undefined) this.#holders.set(address, id);
      else this.#holders.set(address, typeof holders === 'number' ? [holders, id] : [...holders, id]);
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

/** What `after` lacks of `before`, and the other way round; neither repeats an entry. Nearly equal lists cost a comparison. */
function exchanged(before: readonly string[], after: readonly string[]): { readonly lost: readonly string[]; readonly gained: readonly string[] } {
  if (before === after) return { lost: [], gained: [] };
  if (before.length === 0 || after.length === 0) return { lost: before, gained: after };
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const old = before.slice(start, before.length - end);
  const now = after.slice(start, after.length - end);
  if (old.length === 0 || now.length === 0) return { lost: old, gained: now };
  const wasThere = new Set(old);
  const isThere = new Set(now);
  return { lost: old.filter((entry) => !isThere.has(entry)), gained: now.filter((entry) => !wasThere.has(entry)) };
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
