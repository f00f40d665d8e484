// What has happened to the members of sets since the last flush: of those that selectors make (member index) and those that services
// make (service index).

import type { DesiredSet, SetDelta } from '../model/desired.ts';

export interface MemberChanges {
  /** New sets, whole. */
  readonly added: readonly DesiredSet[];
  /** Of sets that were there before. */
  readonly deltas: readonly SetDelta[];
}

export function together(a: MemberChanges, b: MemberChanges): MemberChanges {
  return { added: [...a.added, ...b.added], deltas: [...a.deltas, ...b.deltas] };
}
