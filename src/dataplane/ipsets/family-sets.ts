// The sets of one family: those that should be, those under our names in the kernel, and the commands that make the second equal
// to the first, in parts that the driver puts before and after the rules.
//
//   planNew      creates and fills what no rule in the kernel looks at: in any order
//   planClosing  changes that let in less: members out of allow and pass sets, into deny sets
//   planOpening  changes that let in more
//   planDestroy  what nothing uses and nobody wants
//
// Each returns commands; settled() or unknownOutcome() must be told what became of them before the next plan. A set whose
// content is not known is left alone until it was read (adopt, adoptOne).

import type { DesiredSet, Member, SetDelta, SetId } from '../../model/desired.ts';
import { familyOf } from '../../model/net/cidr.ts';
import type { Family } from '../../model/packet.ts';
import { encodeMember } from '../encoding.ts';
import { ReferenceMissing } from '../errors.ts';
import type { Drift } from '../iptables/drift.ts';
import type { SetHeader } from '../kernel.ts';
import { Leftovers } from './leftovers.ts';
import { parseSets } from './save-parser.ts';
import type { SavedHeader, SavedSet } from './save-parser.ts';
import { meansFull, settle, TrackedSet } from './tracked-set.ts';
import type { SetCommand } from './tracked-set.ts';

export interface FamilySetsOptions {
  readonly family: Family;
  readonly maxElements: number;
  /** Families whose leftovers are destroyed: this one, and those that nobody else cares for. */
  readonly leftoversOf: readonly Family[];
  /** How many rules of ours in the kernel name the set. */
  readonly usesOf: (name: string) => number;
}

export interface SetFailure {
  readonly name: string;
  readonly description: string;
  readonly output: string;
  /** All that fits is in it. */
  readonly isFull: boolean;
}

export class FamilySets {
  readonly family: Family;
  readonly #options: FamilySetsOptions;
  readonly #byId = new Map<SetId, TrackedSet>();
  readonly #byName = new Map<string, TrackedSet>();
  /** Wanted sets that differ, or may differ, from the kernel's. */
  readonly #dirty = new Set<TrackedSet>();
  readonly #failing = new Set<TrackedSet>();
  readonly leftovers: Leftovers;
  #temporary = 0;
  #lastRevision = 0;

  constructor(options: FamilySetsOptions) {
    this.family = options.family;
    this.#options = options;
    this.leftovers = new Leftovers(options.usesOf);
  }

  owns(name: string): boolean {
    return this.#options.leftoversOf.some((family) => name.startsWith(`cali${family}`) || name.startsWith(`felix-${family}`)) || felixPools.has(name);
  }

  /** The kernel's name of a wanted set. Throws ReferenceMissing for one that was not sent. */
  nameOf(id: SetId): string {
    const set = this.#byId.get(id);
    if (set === undefined) throw new ReferenceMissing('set', id);
    return set.name;
  }

  /** What is wanted under these names. */
  idsOf(names: ReadonlySet<string>): SetId[] {
    return [...this.#byId].flatMap(([id, { name }]) => (names.has(name) ? [id] : []));
  }

  // What should be.

  /** Throws EncodingRefused. */
  add({ id, type, use, description, members }: DesiredSet): void {
    const ours = members.filter((member) => this.#isOurs(member));
    for (const member of ours) encodeMember(member);
    const header: SavedHeader = {
      type: type === 'net' ? 'hash:net' : 'hash:ip,port',
      family: this.family === 4 ? 'inet' : 'inet6',
      maxElements: this.#options.maxElements,
    };
    const set = this.#byId.get(id) ?? this.#choose(id, header);
    set.wanted = { header, use, description };
    set.members.replaceWanted(ours);
    set.refused.clear();
    set.keepsSize = false;
    this.#byId.set(id, set);
    this.leftovers.delete(set);
    this.#dirty.add(set);
  }

  /** Throws EncodingRefused, ReferenceMissing; nothing is changed then. */
  change({ id, added, removed }: SetDelta): void {
    const set = this.#byId.get(id);
    if (set === undefined) throw new ReferenceMissing('set', id);
    for (const member of added) if (this.#isOurs(member)) encodeMember(member);
    for (const member of removed) {
      set.members.unwant(member);
      set.refused.delete(member);
    }
    // What did not fit is not wanted any more.
    if (set.isFull && set.members.missing.size === 0 && !set.keepsSize) this.#mend(set);
    for (const member of added) if (this.#isOurs(member)) set.members.want(member);
    this.#dirty.add(set);
  }

  /** Its members stay as they are until nothing uses it. */
  remove(id: SetId): void {
    const set = this.#byId.get(id);
    if (set === undefined) return;
    this.#byId.delete(id);
    set.wanted = undefined;
    set.members.replaceWanted([]);
    set.refused.clear();
    this.#dirty.delete(set);
    this.#failing.delete(set);
    if (set.held === undefined && !set.unread) this.#byName.delete(set.name);
    else this.leftovers.add(set);
  }

  // What is.

  /** Takes `text` (`ipset save` of all sets) for what the kernel holds; says what is not as it was known. */
  adopt(text: string): Drift[] {
    const saved = parseSets(text, (name) => this.owns(name));
    const drift: Drift[] = [];
    for (const set of [...this.#byName.values()]) if (!saved.has(set.name)) this.#adoptAbsence(set, drift);
    for (const [name, found] of saved) this.#adoptSet(name, found, drift);
    return drift;
  }

  /** The same for one set (`ipset save <name>`). */
  adoptOne(name: string, text: string): Drift[] {
    const found = parseSets(text, (candidate) => candidate === name).get(name);
    const drift: Drift[] = [];
    if (found !== undefined) this.#adoptSet(name, found, drift);
    return drift;
  }

  /** Another number whenever something was written or read. */
  get revision(): number {
    return this.#lastRevision;
  }

  /** Sets whose content is known, by name, each with its revision: what a read that begins now can be compared with. */
  get revisions(): Map<string, number> {
    return new Map([...this.#byId.values()].filter(({ name }) => this.isHeld(name)).map(({ name, revision }) => [name, revision]));
  }

  /** Takes what a read found under the name, undefined for nothing, unless the set was written or read since that revision. */
  adoptUnchanged(name: string, revision: number, found: SavedSet | undefined): Drift[] {
    const set = this.#byName.get(name);
    if (set === undefined || set.revision !== revision || !this.isHeld(name)) return [];
    const drift: Drift[] = [];
    if (found === undefined) this.#adoptAbsence(set, drift);
    else this.#adoptSet(name, found, drift);
    return drift;
  }

  /** Compares headers only: finds sets that are gone, and those whose count says that they must be read. */
  checkHeaders(headers: readonly SetHeader[]): Drift[] {
    const found = new Map(headers.filter(({ name }) => this.owns(name)).map((header) => [header.name, header]));
    const drift: Drift[] = [];
    for (const set of [...this.#byName.values()]) if (!found.has(set.name)) this.#adoptAbsence(set, drift);
    for (const header of found.values()) {
      const set = this.#byName.get(header.name);
      if (set?.held !== undefined && header.entries === set.members.heldCount && sameHeader(set.held, header)) continue;
      const unread = set ?? this.#track(header.name);
      unread.unread = true;
      if (unread.wanted === undefined) this.leftovers.add(unread);
    }
    return drift;
  }

  /** Sets that must be read before they can be written. */
  get unread(): string[] {
    return [...this.#byName.values()].filter((set) => set.unread && set.wanted !== undefined).map((set) => set.name);
  }

  /** How many sets there are under our names, those included that are to be created or destroyed. */
  get size(): number {
    return this.#byName.size;
  }

  isHeld(name: string): boolean {
    const set = this.#byName.get(name);
    return set !== undefined && set.held !== undefined && !set.unread && !set.typeDiffers;
  }

  /** Whether there should be such a set. */
  isWanted(name: string): boolean {
    return this.#byName.get(name)?.wanted !== undefined;
  }

  /** Whether rules may name it: it is there, and lets in nothing that it should not. */
  isReady(name: string): boolean {
    const set = this.#byName.get(name);
    return set !== undefined && this.isHeld(name) && set.isClosed;
  }

  /** A set that rules may name; one that rules in the kernel name already where there is one. */
  get sample(): string | undefined {
    const ready = [...this.#byId.values()].map(({ name }) => name).filter((name) => this.isReady(name));
    return ready.find((name) => this.#options.usesOf(name) > 0) ?? ready[0];
  }

  /** Sets that rules in the kernel name, and that let in what they should not let in any more. */
  get unclosed(): string[] {
    return this.#unclosedOf(this.#dirty.union(this.#failing));
  }

  /** Those of them that nothing can be done about just now. */
  get stuck(): string[] {
    return this.#unclosedOf(this.#failing);
  }

  #unclosedOf(suspects: Iterable<TrackedSet>): string[] {
    return [...suspects].filter((set) => set.held !== undefined && !set.isClosed && this.#options.usesOf(set.name) > 0).map((set) => set.name);
  }

  /** Whether there is something to write that was not refused before. */
  get isDirty(): boolean {
    return this.#writable().next().done !== true;
  }

  get failures(): SetFailure[] {
    return [...this.#failing].map((set) => ({ name: set.name, description: set.wanted?.description ?? '', output: set.failure ?? '', isFull: set.isFull }));
  }

  /** What was refused is tried again. */
  retry(): void {
    for (const set of this.#failing) {
      set.refused.clear();
      set.blocked = false;
      set.keepsSize = false;
      set.failure = undefined;
      if (set.wanted !== undefined && this.#isMain(set)) this.#dirty.add(set);
    }
    this.#failing.clear();
  }

  // Plans.

  planNew(): SetCommand[] {
    return [...this.#writable()].flatMap((set) => this.#planNewOf(set));
  }

  #planNewOf(set: TrackedSet): SetCommand[] {
    if (set.held === undefined) return [set.create(), ...set.adds()];
    if (this.#options.usesOf(set.name) === 0) {
      if (set.headerDiffers) return [set.destroy(), set.create(), ...set.adds(set.wanted?.header.maxElements, set.members.wanted)];
      return exchange(set);
    }
    return set.headerDiffers && !set.typeDiffers && !set.keepsSize ? this.#fillReplacement(set) : [];
  }

  planClosing(): SetCommand[] {
    return [...this.#writable()].flatMap((set): SetCommand[] => {
      const { replacement } = set;
      if (replacement?.held !== undefined && !replacement.unread && !replacement.members.differs) {
        return [{ kind: 'swap', text: `swap ${replacement.name} ${set.name}`, set, replacement }, replacement.destroy()];
      }
      return set.held === undefined ? [] : [...(set.wanted?.use === 'deny' ? set.adds() : set.dels())];
    });
  }

  /** Without the members that `hold` names. */
  planOpening(hold: (set: string, member: Member) => boolean = () => false): SetCommand[] {
    const commands: SetCommand[] = [];
    for (const set of this.#writable()) {
      if (set.held === undefined) continue;
      for (const command of set.wanted?.use === 'deny' ? set.dels() : set.adds()) {
        if (!('member' in command && hold(set.name, command.member))) commands.push(command);
      }
    }
    return commands;
  }

  planDestroy(now: number): SetCommand[] {
    return this.leftovers.due(now).map((set) => set.destroy());
  }

  /** What became of commands of a plan: `failures` holds those that the kernel refused, by their text. */
  settled(commands: readonly SetCommand[], failures: ReadonlyMap<string, string>, now: number): void {
    for (const command of commands) {
      const { set } = command;
      this.#revise(set);
      if (command.kind === 'swap') this.#revise(command.replacement);
      const output = failures.get(command.text);
      if (output !== undefined) this.#refused(command, output, now);
      else {
        settle(command);
        if (command.kind === 'swap') this.#dropReplacement(set);
        else if (command.kind === 'destroy' && set.wanted === undefined) this.#forget(set);
        else if (command.kind === 'del' && set.failure !== undefined && !set.blocked) this.#mend(set);
      }
      if (!set.differs) this.#dirty.delete(set);
    }
  }

  /** Nobody knows which of them were executed. */
  unknownOutcome(commands: readonly SetCommand[]): void {
    for (const { set } of commands) {
      this.#revise(set);
      set.unread = true;
      if (set.replacement !== undefined) this.#dropReplacement(set);
      if (set.wanted === undefined) this.leftovers.add(set);
    }
  }

  #refused(command: SetCommand, output: string, now: number): void {
    const { set } = command;
    if (set.wanted === undefined) {
      this.leftovers.refused(set, now);
      return;
    }
    if (!this.#isMain(set)) return this.#keepSize(set, output);
    // Members that are refused because the set could not be made do not say why.
    if (command.kind !== 'add' || !set.blocked) set.failure = output;
    // A member that the kernel does not take holds up no other. Only a full set is known to be there still.
    if (command.kind === 'add') set.refused.add(command.member);
    else set.blocked = true;
    if (command.kind !== 'add' || !meansFull(output)) set.unread = true;
    else for (const member of set.members.missing) set.refused.add(member);
    this.#failing.add(set);
  }

  /** A set of the wanted size cannot be made, or does not take all members. */
  #keepSize(replacement: TrackedSet, output: string): void {
    const set = [...this.#byId.values()].find((each) => each.replacement === replacement);
    if (set === undefined) return;
    this.#dropReplacement(set);
    set.keepsSize = true;
    set.failure = output;
    this.#failing.add(set);
    if (!set.differs) this.#dirty.delete(set);
  }

  #mend(set: TrackedSet): void {
    set.failure = undefined;
    this.#failing.delete(set);
  }

  #dropReplacement(set: TrackedSet): void {
    const { replacement } = set;
    if (replacement === undefined) return;
    set.replacement = undefined;
    replacement.wanted = undefined;
    replacement.members.replaceWanted([]);
    this.#failing.delete(replacement);
    this.leftovers.add(replacement);
  }

  *#writable(): Generator<TrackedSet> {
    for (const set of this.#dirty) {
      if (set.unread || set.blocked || (set.typeDiffers && this.#options.usesOf(set.name) > 0)) continue;
      if (set.differs) yield set;
      else this.#dirty.delete(set);
    }
  }

  /** A set of the right size with the members that this one will have after the closing changes. */
  #fillReplacement(set: TrackedSet): SetCommand[] {
    if (set.wanted === undefined) return [];
    set.replacement ??= this.#track(this.#temporaryName());
    const { replacement } = set;
    const { wanted, surplus, missing } = set.members;
    replacement.wanted = set.wanted;
    replacement.members.replaceWanted(set.wanted.use === 'deny' ? wanted.union(surplus) : wanted.difference(missing));
    return replacement.held === undefined ? [replacement.create(), ...replacement.adds()] : exchange(replacement);
  }

  #temporaryName(): string {
    let name: string;
    do {
      name = `cali${this.family}t${this.#temporary}`;
      this.#temporary += 1;
    } while (this.#byName.has(name));
    return name;
  }

  /** The name for a new set: the usual one, unless rules in the kernel use a set of another type by that name. */
  #choose(id: SetId, header: SavedHeader): TrackedSet {
    const names = ['0', 'x', 'y'].map((letter) => `cali${this.family}${letter}${id}`);
    const isFree = (name: string): boolean => {
      const held = this.#byName.get(name)?.held;
      return held === undefined || (held.type === header.type && held.family === header.family) || this.#options.usesOf(name) === 0;
    };
    const name = names.find(isFree) ?? (names[0] as string);
    return this.#byName.get(name) ?? this.#track(name);
  }

  #adoptSet(name: string, found: SavedSet, drift: Drift[]): void {
    const set = this.#byName.get(name) ?? this.#track(name);
    const wasKnown = set.held !== undefined && !set.unread && set.failure === undefined;
    const wasSuspect = set.held !== undefined && set.unread;
    this.#revise(set);
    set.held = found.header;
    const { gone, unknown } = set.members.replaceHeld(found.members);
    if ((wasKnown || wasSuspect) && set.wanted !== undefined && gone + unknown > 0) {
      const parts = [gone > 0 ? `${gone} members gone` : '', unknown > 0 ? `${unknown} unknown members` : ''];
      drift.push({ object: name, what: parts.filter((part) => part !== '').join(', ') });
    }
    set.unread = false;
    for (const member of set.refused) if (!set.members.missing.has(member)) set.refused.delete(member);
    if (set.wanted === undefined) this.leftovers.add(set);
    else if (set.differs && this.#isMain(set)) this.#dirty.add(set);
  }

  #adoptAbsence(set: TrackedSet, drift: Drift[]): void {
    if (set.held !== undefined && set.wanted !== undefined) drift.push({ object: set.name, what: 'set gone' });
    this.#revise(set);
    set.held = undefined;
    set.unread = false;
    set.members.replaceHeld(new Set());
    if (set.wanted === undefined) this.#forget(set);
    else if (this.#isMain(set)) this.#dirty.add(set);
  }

  /** Replacements are written on behalf of the set that they replace. */
  #isMain(set: TrackedSet): boolean {
    return !set.name.startsWith(`cali${this.family}t`);
  }

  #track(name: string): TrackedSet {
    const set = new TrackedSet(name);
    this.#byName.set(name, set);
    this.#revise(set);
    return set;
  }

  #revise(set: TrackedSet): void {
    this.#lastRevision += 1;
    set.revision = this.#lastRevision;
  }

  #forget(set: TrackedSet): void {
    this.#byName.delete(set.name);
    this.leftovers.delete(set);
  }

  #isOurs(member: Member): boolean {
    const comma = member.indexOf(',');
    return familyOf(comma < 0 ? member : member.slice(0, comma)) === this.family;
  }
}

/** Of a set that nobody looks into: what leaves makes room for what comes. */
function exchange(set: TrackedSet): SetCommand[] {
  return [...set.dels(), ...set.adds(set.room + set.members.surplus.size)];
}

/** Names of an old Felix that carry no family. */
const felixPools: ReadonlySet<string> = new Set(['felix-masq-ipam-pools', 'felix-all-ipam-pools']);

function sameHeader(a: SavedHeader, b: SetHeader): boolean {
  return a.type === b.type && a.family === b.family && a.maxElements === b.maxElements;
}
