// Doorbells: who listens for changes of the rules that are not ours, so that drift is repaired when it happens and not when a timer
// says so. A ring only says where to look: whoever answers reads the kernel, and takes for known what a ring does not name. What a
// ring leaves out is found at the refresh interval.

import type { Family } from '../model/packet.ts';
import type { TableName } from './kernel.ts';
import type { WriteObserver } from './write-observer.ts';

export interface TouchedChain {
  readonly family: Family;
  readonly table: TableName;
  readonly chain: string;
}

export interface Culprit {
  /** The host's process id. */
  readonly pid: number;
  /** The command name, cut to 15 characters by the kernel. */
  readonly name: string;
}

export interface Ring {
  /** What somebody else changed; 'everything' when that is not known, or too much to name. */
  readonly touched: readonly TouchedChain[] | 'everything';
  /** Who did it, where the kernel says so. */
  readonly culprit?: Culprit;
  /** One line for the log: why it rings. */
  readonly reason: string;
}

export interface Doorbell {
  /** The tools tell it which writes are ours. */
  readonly observer: WriteObserver;
  /** Resolves when it listens: what changes from then on rings. It starts listening by itself. */
  listening(): Promise<void>;
  close(): Promise<void>;
}
