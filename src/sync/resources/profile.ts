// Comparing profiles: the same for Namespaces and ServiceAccounts.

import { sameLabels } from '../../model/labels.ts';
import type { Profile } from '../../model/profile.ts';

/** Whether two profiles of one kind are the same to everything that follows: their rules never differ, generations do not count. */
export function sameProfile(a: Profile, b: Profile): boolean {
  return a.name === b.name && sameLabels(a.labels, b.labels);
}
