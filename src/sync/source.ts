// Where batches come from. A source is one way to learn the state of the cluster; they are alternatives behind this interface.

import type { Batch } from '../model/update.ts';

/** Receives batches in order, synchronously; must not throw. */
export type Sink = (batch: Batch) => void;

export interface Source {
  /** Starts to deliver; resolves when started, not when in sync. Rejects on what no retry can mend (bad options). */
  start(sink: Sink): Promise<void>;
  /** No batch is delivered after it resolved. */
  stop(): Promise<void>;
}
