// Tiers: policies of one tier are tried before those of the next.

import type { Origin } from './origin.ts';

export interface Tier {
  readonly origin: Origin;
  readonly name: string;
  /** Ascending, ties by name. */
  readonly order: number;
  /** What happens to a packet that policies of this tier selected and none of their rules matched. */
  readonly defaultAction: 'deny' | 'pass';
}

/** Order of a tier that names none, and of the tier "default", which always exists. */
export const defaultTierOrder = 1_000_000;
export const defaultTierName = 'default';
