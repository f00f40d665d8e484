// One endpoint's decision about one packet: tiers in order, in each the policies that select the endpoint in this direction,
// then the profile of its namespace.
//
//   tier ─▶ policies in order ─▶ first rule that matches: allow or deny is final, pass goes to the next tier
//        └▶ no rule matched: the tier's default action        └▶ no policy of the tier selects the endpoint: next tier
//   after the last tier ─▶ Namespace present: allow; absent: deny
//
// The profile of a service account has no rules, so it never decides, present or not.

import type { Decision } from '../model/verdict.ts';
import type { Policy, Tier, Traffic } from './policy.ts';

export function endpointVerdict(traffic: Traffic, tiers: readonly Tier[], policies: readonly Policy[]): Decision {
  const { direction, endpoint } = traffic;
  const about = { direction, endpoint: endpoint.key };
  for (const tier of [...tiers].sort(byOrder)) {
    const applying = policies.filter((policy) => policy.tier === tier.name && policy.rules[direction] !== undefined && policy.selects(endpoint));
    if (applying.length === 0) continue;
    const decision = firstMatch(traffic, applying.sort(byOrderOfPolicy));
    if (decision === 'pass') continue;
    if (decision !== undefined) return { ...about, ...decision, tier: tier.name };
    if (tier.defaultAction === 'deny') return { ...about, action: 'deny', reason: 'end-of-tier', tier: tier.name };
  }
  if (endpoint.namespaceLabels === undefined) return { ...about, action: 'deny', reason: 'no-profile' };
  return { ...about, action: 'allow', reason: 'profile' };
}

function firstMatch(traffic: Traffic, policies: readonly Policy[]): Pick<Decision, 'action' | 'reason' | 'policy' | 'rule'> | 'pass' | undefined {
  for (const policy of policies) {
    const rule = (policy.rules[traffic.direction] ?? []).find((candidate) => candidate.matches(traffic));
    if (rule === undefined) continue;
    if (rule.action === 'pass') return 'pass';
    const { kind, namespace, name } = policy;
    return { action: rule.action, reason: 'rule', policy: { kind, ...(namespace === '' ? {} : { namespace }), name }, rule: rule.index };
  }
  return undefined;
}

function byOrder(a: Tier, b: Tier): number {
  return a.order - b.order || compareText(a.name, b.name);
}

function byOrderOfPolicy(a: Policy, b: Policy): number {
  return a.order === b.order ? compareText(a.tieBreak, b.tieBreak) : a.order - b.order;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
