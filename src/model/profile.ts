// What a namespace (kns.<ns>) or a service account (ksa.<ns>.<name>) gives to its endpoints: labels, and the rules that hold
// where no policy applies.

import type { Labels } from './labels.ts';
import type { Origin } from './origin.ts';
import type { Rule } from './rule.ts';

export interface Profile {
  readonly origin: Origin;
  readonly name: string;
  /** Labels inherited by endpoints, keyed pcns.<key> or pcsa.<key>. */
  readonly labels: Labels;
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}
