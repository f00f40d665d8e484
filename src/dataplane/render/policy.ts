// Policies and profiles as chains, one for each direction. Protocol with the endpoint's chain that jumps here: an Allow sets the
// accept mark and returns, a Pass sets the pass mark and returns, a Deny drops; at the chain's end nothing was decided.

import type { ActivePolicy, ActiveProfile, ActiveRule } from '../../model/desired.ts';
import { originText } from '../../model/origin.ts';
import type { Origin } from '../../model/origin.ts';
import { policyChainName, profileChainName } from './names.ts';
import type { Direction } from './names.ts';
import { denyTarget } from './options.ts';
import type { RenderOptions, SetNames } from './options.ts';
import { policyRule } from './policy-rule.ts';
import { builtin, rule as makeRule } from './rule.ts';
import type { Chain, Rule } from './rule.ts';
import { encodeComment } from '../encoding.ts';

/** Ingress, then egress. Throws EncodingRefused. */
export function policyChains(policy: ActivePolicy, options: RenderOptions, setName: SetNames): Chain[] {
  const prefix = expandPrefix(options.logPrefix, policy.origin, policy.tier, policy.key);
  return directions.map((direction) =>
    chain(policyChainName(direction, policy.key), policy[direction], policy.origin, direction, options, setName, prefix),
  );
}

export function profileChains(profile: ActiveProfile, options: RenderOptions, setName: SetNames): Chain[] {
  const prefix = expandPrefix(options.logPrefix, profile.origin, '', 'profile');
  return directions.map((direction) =>
    chain(profileChainName(direction, profile.name), profile[direction], profile.origin, direction, options, setName, prefix),
  );
}

/** What stands in for a chain that cannot be rendered, or that is referred to without having been sent. */
export function failClosedChain(name: string, options: RenderOptions, why: string, origin?: Origin): Chain {
  const rules = [makeRule([], denyTarget(options), why)];
  return origin === undefined ? { kind: 'ordered', name, rules } : { kind: 'ordered', name, rules, origin };
}

const directions: readonly Direction[] = ['ingress', 'egress'];

function chain(
  name: string,
  activeRules: readonly ActiveRule[],
  origin: Origin,
  direction: Direction,
  options: RenderOptions,
  setName: SetNames,
  logPrefix: string,
): Chain {
  const rules = activeRules.flatMap((rule) => policyRule(rule, options, setName, logPrefix));
  return { kind: 'ordered', name, rules: labelled(trimmed(rules), `${originText(origin)} ${direction}`), origin };
}

/** A RETURN at the end does what the end does. */
function trimmed(rules: readonly Rule[]): Rule[] {
  const returnText = builtin('RETURN').text;
  let end = rules.length;
  while (end > 0 && rules[end - 1]?.text.endsWith(returnText)) end -= 1;
  return rules.slice(0, end);
}

/** The first rule says whose chain it is. */
function labelled(rules: readonly Rule[], comment: string): Rule[] {
  const [first, ...rest] = rules;
  return first === undefined ? [] : [{ ...first, text: `-m comment --comment "${encodeComment(comment)}" ${first.text}` }, ...rest];
}

/** What the kernel keeps of a prefix, without the ": " behind it. */
const logPrefixLength = 27;

/** %t tier, %k kind, %n name, %p namespace/name. The template is the operator's; what objects put into it is not trusted. */
function expandPrefix(template: string, origin: Origin, tier: string, key: string): string {
  const name = origin.namespace === '' ? origin.name : `${origin.namespace}/${origin.name}`;
  const values: Readonly<Record<string, string>> = { t: tier, k: key.slice(0, key.includes('/') ? key.indexOf('/') : undefined), n: origin.name, p: name };
  return template.replace(/%([tknp])/g, (_, letter: string) => encodeComment(values[letter] ?? '')).slice(0, logPrefixLength);
}
