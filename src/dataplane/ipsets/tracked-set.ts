// One kernel set under a name of ours: what it should be, what it is, and the commands that make the difference.

import type { Member, SetUse } from '../../model/desired.ts';
import { MemberDelta } from './member-delta.ts';
import type { SavedHeader } from './save-parser.ts';

/** A command with what it does, so that it can be accounted for when it succeeded. */
export type SetCommand =
  | { readonly kind: 'create'; readonly text: string; readonly set: TrackedSet }
  | { readonly kind: 'add' | 'del'; readonly text: string; readonly set: TrackedSet; readonly member: Member }
  | { readonly kind: 'swap'; readonly text: string; readonly set: TrackedSet; readonly replacement: TrackedSet }
  | { readonly kind: 'destroy'; readonly text: string; readonly set: TrackedSet };

export interface WantedSet {
  readonly header: SavedHeader;
  readonly use: SetUse;
  /** For people. */
  readonly description: string;
}

export class TrackedSet {
  readonly name: string;
  readonly members = new MemberDelta();
  /** Undefined: nothing should have this name. */
  wanted: WantedSet | undefined;
  /** Undefined: not in the kernel. */
  held: SavedHeader | undefined;
  /** Another number, never used before, whenever something was written or read: what was read earlier is out of date then. */
  revision = 0;
  /** What the kernel holds is not known; nothing is written until it was read. */
  unread = false;
  /** Members that the kernel refused; tried again when told so, or when there is room. */
  readonly refused = new Set<Member>();
  /** The set itself was refused, not a member: nothing is written until told to try again. */
  blocked = false;
  /** What the tool printed, while something is refused. */
  failure: string | undefined;
  /** One of the wanted size could not be made and filled: it stays as large as it is until told to try again, or members left. */
  keepsSize = false;
  /** Filled in place of this one, which has another size, and swapped with it. */
  replacement: TrackedSet | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get headerDiffers(): boolean {
    const { held, wanted } = this;
    return held !== undefined && wanted !== undefined && (this.typeDiffers || held.maxElements !== wanted.header.maxElements);
  }

  get typeDiffers(): boolean {
    const { held, wanted } = this;
    return held !== undefined && wanted !== undefined && (held.type !== wanted.header.type || held.family !== wanted.header.family);
  }

  /** Whether anything is left to write, refused members aside. */
  get differs(): boolean {
    if (this.wanted === undefined) return false;
    if (this.held === undefined || (this.headerDiffers && !this.keepsSize) || this.members.surplus.size > 0) return true;
    return this.members.missing.size > this.refused.size;
  }

  /** Members that it can take. */
  get room(): number {
    return (this.held ?? (this.wanted as WantedSet).header).maxElements - this.members.heldCount;
  }

  /** Some do not fit. */
  get isFull(): boolean {
    return !this.blocked && this.failure !== undefined && meansFull(this.failure);
  }

  /** Nothing is left to write that would let in less. What does not pass may be let in by the rules behind. */
  get isClosed(): boolean {
    if (this.wanted?.use === 'deny') return this.members.missing.size === 0;
    return this.wanted === undefined || (this.members.surplus.size === 0 && (this.wanted.use === 'allow' || this.refused.size === 0));
  }

  create(): SetCommand {
    const { type, family, maxElements } = (this.wanted as WantedSet).header;
    return { kind: 'create', text: `create ${this.name} ${type} family ${family} maxelem ${maxElements}`, set: this };
  }

  destroy(): SetCommand {
    return { kind: 'destroy', text: `destroy ${this.name}`, set: this };
  }

  /** Of those that do not fit one is tried: the kernel decides, and a refusal can cost a process. */
  *adds(room: number = this.room, members: Iterable<Member> = this.members.missing): Generator<SetCommand> {
    let most = Math.max(room, 0) + 1;
    for (const member of members) {
      if (this.refused.has(member)) continue;
      if (most === 0) return;
      most -= 1;
      yield { kind: 'add', text: `add ${this.name} ${member} -exist`, set: this, member };
    }
  }

  *dels(): Generator<SetCommand> {
    for (const member of this.members.surplus) yield { kind: 'del', text: `del ${this.name} ${member} -exist`, set: this, member };
  }
}

/** What ipset printed says that a set can have no more members. */
export function meansFull(output: string): boolean {
  return /full/i.test(output);
}

/** What a command changes, once the kernel has executed it. */
export function settle(command: SetCommand): void {
  const { set } = command;
  switch (command.kind) {
    case 'create':
      set.held = set.wanted?.header;
      set.members.replaceHeld(new Set());
      break;
    case 'add':
      set.members.added(command.member);
      set.refused.delete(command.member);
      break;
    case 'del':
      set.members.removed(command.member);
      // There is room again.
      set.refused.clear();
      set.keepsSize = false;
      break;
    case 'swap':
      swapContents(set, command.replacement);
      break;
    case 'destroy':
      set.held = undefined;
      set.members.replaceHeld(new Set());
      break;
  }
}

function swapContents(set: TrackedSet, other: TrackedSet): void {
  const { held } = set;
  const members = set.members.held();
  set.held = other.held;
  set.members.replaceHeld(other.members.held());
  other.held = held;
  other.members.replaceHeld(members);
}
