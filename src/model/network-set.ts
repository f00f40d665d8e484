// A labelled list of networks: what selectors of rules may name besides pods.

import type { Labels } from './labels.ts';
import type { Origin } from './origin.ts';

export interface NetworkSet {
  readonly origin: Origin;
  /** Its own labels; a namespaced set has projectcalico.org/namespace. */
  readonly labels: Labels;
  /** kns.<namespace> for a namespaced set, else none; labels are inherited from it. */
  readonly profiles: readonly string[];
  /** Canonical CIDRs of either family. /0 is allowed. */
  readonly nets: readonly string[];
  /**
   * The object breaks the API's rules (nets is empty then): it counts as every address wherever that can only close (sets of use
   * "deny"), and as none elsewhere.
   */
  readonly isBroken?: true;
}
