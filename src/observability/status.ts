// What the agent last did, published as an immutable snapshot: readers (the readiness page, later `caracal status`) hold on to
// one while the agent goes on. Small: one entry per kind of resource, and the last apply.

import { Map as ImmutableMap, Record as immutableRecord } from 'immutable';
import type { RecordOf } from 'immutable';

export interface KindState {
  /** The API server does not serve the kind, and nothing waits for it. */
  readonly isAbsent?: boolean;
  /** The first complete list of the kind has arrived, and nothing has been lost since. */
  readonly inSync: boolean;
  readonly objects: number;
  /** Why it is not in sync; '' where there is nothing to say. */
  readonly detail: string;
}

export interface Applied {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** From the receipt of the change to the kernel's acknowledgement. */
  readonly milliseconds: number;
}

interface StatusFields {
  readonly node: string;
  readonly kinds: ImmutableMap<string, KindState>;
  readonly applied: Applied | undefined;
}

export type Status = RecordOf<StatusFields>;

const createStatus = immutableRecord<StatusFields>({ node: '', kinds: ImmutableMap(), applied: undefined }, 'Status');

export interface StatusBoard {
  readonly snapshot: Status;
  setKind(resource: string, state: KindState): void;
  setApplied(applied: Applied): void;
}

export function createStatusBoard(node: string): StatusBoard {
  let snapshot = createStatus({ node });
  return {
    get snapshot(): Status {
      return snapshot;
    },
    setKind(resource, state): void {
      snapshot = snapshot.setIn(['kinds', resource], state);
    },
    setApplied(applied): void {
      snapshot = snapshot.set('applied', applied);
    },
  };
}

/** Lines for people, at the end of the readiness page. */
export function statusText(status: Status): string {
  const sorted = [...status.kinds].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const absent = sorted.filter(([, state]) => state.isAbsent === true).map(([resource]) => resource);
  const kinds = sorted.filter(([, state]) => state.isAbsent !== true).map(([resource, state]) => {
    const what = state.inSync ? `in sync, ${state.objects} object${state.objects === 1 ? '' : 's'}` : 'not in sync';
    return `${resource}: ${what}${state.detail === '' ? '' : ` (${state.detail})`}\n`;
  });
  if (absent.length > 0) kinds.push(`not installed: ${absent.join(', ')}\n`);
  const { applied } = status;
  const last =
    applied === undefined
      ? 'last applied: nothing yet\n'
      : `last applied: ${new Date(applied.at).toISOString()}, ${applied.milliseconds.toFixed(1)} ms after it was received\n`;
  return `node: ${status.node}\n${kinds.join('')}${last}`;
}
