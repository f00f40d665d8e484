// One endpoint's decision about one packet: tiers in order, in each the policies that select the endpoint in this direction,
// then the endpoint's profiles.
//
//   tier ─▶ policies in order ─▶ first rule that matches: allow or deny is final, pass goes to the next tier
//        └▶ no rule matched: the tier's default action        └▶ no policy of the tier selects the endpoint: next tier
//   after the last tier ─▶ profiles in order: the first that says anything; none: deny
//
// A pod's profile is its namespace, which allows where it is present; the profile of its service account has no rules, so it never
// decides, present or not.

import type { Decision } from '../model/verdict.ts';
import type { Policy, Tier, Traffic } from './policy.ts';

export function endpointVerdict(traffic: Traffic, tiers: readonly Tier[], policies: readonly Policy[]): Decision {
  return tierVerdict(traffic, tiers, policies.filter(({ stage }) => stage === 'normal'), 'deny') ?? profileVerdict(traffic);
}

/** `atTheEnd`: whether a tier whose policies were asked in vain denies (unless it passes), or leaves it to others. */
export function tierVerdict(traffic: Traffic, tiers: readonly Tier[], policies: readonly Policy[], atTheEnd: 'deny' | 'continue'): Decision | undefined {
  const { direction, endpoint } = traffic;
  const about = { direction, endpoint: endpoint.key };
  for (const tier of tiers) {
    const applying = policies.filter((policy) => policy.tier === tier.name && policy.rules[direction] !== undefined && policy.selects(endpoint));
    if (applying.length === 0) continue;
    const decision = firstMatch(traffic, applying.sort(byOrder));
    if (decision === 'pass') continue;
    if (decision !== undefined) return { ...about, ...decision, tier: tier.name };
    if (tier.defaultAction === 'deny' && atTheEnd === 'deny') return { ...about, action: 'deny', reason: 'end-of-tier', tier: tier.name };
  }
  return undefined;
}

function profileVerdict({ direction, endpoint, cluster }: Traffic): Decision {
  const names = endpoint.kind === 'pod' ? [`kns.${endpoint.namespace}`] : endpoint.profiles;
  const action = names.map((name) => cluster.profiles.actionOf(name)).find((each) => each !== undefined);
  const about = { direction, endpoint: endpoint.key };
  return action === 'allow' ? { ...about, action, reason: 'profile' } : { ...about, action: 'deny', reason: 'no-profile' };
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

/** Two objects may have the same real name, one of them in an annotation: then the objects' own names decide. */
function byOrder(a: Policy, b: Policy): number {
  if (a.order !== b.order) return a.order - b.order;
  return compareText(a.tieBreak, b.tieBreak) || compareText(a.name, b.name);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
