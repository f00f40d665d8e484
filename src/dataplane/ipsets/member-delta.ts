// The members a set should have and the members it has, as one list and its two differences:
//
//      wanted                held (in the kernel)
//   ┌───────────┬───────────────┬───────────┐
//   │  missing  │  in both      │  surplus  │
//   └───────────┴───────────────┴───────────┘
//
// `wanted` holds the left and the middle part; the middle one is never stored by itself. Each operation costs one member.

import type { Member } from '../../model/desired.ts';

export class MemberDelta {
  #wanted = new Set<Member>();
  #missing = new Set<Member>();
  #surplus = new Set<Member>();

  get wanted(): ReadonlySet<Member> {
    return this.#wanted;
  }

  get missing(): ReadonlySet<Member> {
    return this.#missing;
  }

  get surplus(): ReadonlySet<Member> {
    return this.#surplus;
  }

  get heldCount(): number {
    return this.#wanted.size - this.#missing.size + this.#surplus.size;
  }

  get differs(): boolean {
    return this.#missing.size > 0 || this.#surplus.size > 0;
  }

  want(member: Member): void {
    if (this.#wanted.has(member)) return;
    this.#wanted.add(member);
    if (!this.#surplus.delete(member)) this.#missing.add(member);
  }

  unwant(member: Member): void {
    if (!this.#wanted.delete(member)) return;
    if (!this.#missing.delete(member)) this.#surplus.add(member);
  }

  /** The kernel has it now. */
  added(member: Member): void {
    if (this.#wanted.has(member)) this.#missing.delete(member);
    else this.#surplus.add(member);
  }

  /** The kernel does not have it now. */
  removed(member: Member): void {
    if (this.#wanted.has(member)) this.#missing.add(member);
    else this.#surplus.delete(member);
  }

  replaceWanted(members: Iterable<Member>): void {
    const wanted = new Set(members);
    for (const member of this.#wanted) if (!wanted.has(member)) this.unwant(member);
    for (const member of wanted) this.want(member);
  }

  /** Returns how many members were held and are not, and the other way round. */
  replaceHeld(held: ReadonlySet<Member>): { readonly gone: number; readonly unknown: number } {
    const missing = new Set<Member>();
    const surplus = new Set<Member>();
    let gone = 0;
    let unknown = 0;
    for (const member of this.#wanted) {
      if (held.has(member)) {
        if (this.#missing.has(member)) unknown += 1;
      } else {
        missing.add(member);
        if (!this.#missing.has(member)) gone += 1;
      }
    }
    for (const member of held) {
      if (this.#wanted.has(member)) continue;
      surplus.add(member);
      if (!this.#surplus.has(member)) unknown += 1;
    }
    for (const member of this.#surplus) if (!held.has(member)) gone += 1;
    this.#missing = missing;
    this.#surplus = surplus;
    return { gone, unknown };
  }

  /** All that the kernel holds. */
  held(): Set<Member> {
    return this.#wanted.difference(this.#missing).union(this.#surplus);
  }
}
