// All policies of a world, and the tiers in which they are asked. Staged policies are no policies: nobody enforces them.

import type { InvalidObject, World } from '../model/verdict.ts';
import { adminKinds } from './admin-kinds.ts';
import { readAdminPolicy } from './admin-policy.ts';
import { isCalico } from './calico-metadata.ts';
import { readCalicoPolicy } from './calico-policy.ts';
import { readNetworkPolicy } from './network-policy.ts';
import type { Policy, Tier } from './policy.ts';
import { reportOn } from './report.ts';
import type { Rulebook } from './rulebook.ts';
import { readTier, tiersInOrder } from './tiers.ts';

export function readPolicies({ objects, options }: World, invalid: InvalidObject[]): Pick<Rulebook, 'policies' | 'tiers'> {
  const policies: Policy[] = [];
  const tiers: Tier[] = [];
  for (const object of objects) {
    const report = reportOn(object, invalid);
    const adminKind = adminKinds.get(`${object.apiVersion} ${object.kind}`);
    if (object.apiVersion === 'networking.k8s.io/v1' && object.kind === 'NetworkPolicy') {
      policies.push(readNetworkPolicy(object, report));
    } else if (adminKind !== undefined) {
      const policy = readAdminPolicy(object, adminKind, report);
      if (policy) policies.push(policy);
    } else if (isCalico(object) && (object.kind === 'NetworkPolicy' || object.kind === 'GlobalNetworkPolicy')) {
      const policy = readCalicoPolicy(object, options.httpRules ?? 'Drop', report);
      if (policy) policies.push(policy);
    } else if (isCalico(object) && object.kind === 'Tier') {
      const tier = readTier(object, report);
      if (tier) tiers.push(tier);
    }
  }
  return { policies, tiers: tiersInOrder(tiers, policies.map(({ tier }) => tier)) };
}
