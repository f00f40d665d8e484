// Rules of policies that the kernel refuses: what stands in for them, and how they are found.
//
//  - A refused rule is to a policy what a broken one is that sync could not read: an Allow or Log disappears, a Deny or Pass denies
//    everything in its direction at its place.
//  - Refused is what is refused when it is tried alone. Whoever asks must know that the kernel takes rules at all (controlRules).

import type { ActiveEntity, ActivePolicy, ActiveRule, SetId } from '../model/desired.ts';
import type { TransactionRefused } from './errors.ts';
import type { Direction } from './render/names.ts';
import type { RenderOptions } from './render/options.ts';
import { policyChains } from './render/policy.ts';
import type { Rule } from './render/rule.ts';

/** One rule of a policy, as it was sent. */
export interface PolicyRule {
  readonly policy: ActivePolicy;
  readonly direction: Direction;
  readonly rule: ActiveRule;
  /** It alone, as rules of a chain. */
  readonly rendered: readonly Rule[];
}

/** The policy without these rules. */
export function closedForm(policy: ActivePolicy, refused: ReadonlySet<ActiveRule>): ActivePolicy {
  const convert = (rule: ActiveRule): readonly ActiveRule[] => {
    if (!refused.has(rule)) return [rule];
    return rule.action === 'allow' || rule.action === 'log' ? [] : [{ action: 'deny', source: anyone, destination: anyone, index: rule.index }];
  };
  return { ...policy, ingress: policy.ingress.flatMap(convert), egress: policy.egress.flatMap(convert) };
}

/** Sets that the rule looks into. */
export function setsOf({ source, destination }: ActiveRule): SetId[] {
  return [source, destination].flatMap((end) => [...end.sets, ...end.notSets, ...end.portSets, ...end.notPortSets, ...end.serviceSets]);
}

/** The chain of a policy that had only this rule. Throws EncodingRefused, ReferenceMissing. */
export function renderAlone(policy: ActivePolicy, rule: ActiveRule, options: RenderOptions, setName: (id: string) => string): readonly Rule[] {
  return policyChains({ ...policy, ingress: [rule], egress: [] }, options, setName)[0]?.rules ?? [];
}

/**
 * What policies are made of in general, and of none in particular: comments, marks, ports, and a look into a set where there is one. A
 * kernel that refuses this lacks something; no policy is to blame then.
 */
export function controlRules(options: RenderOptions, set: string | undefined): readonly Rule[] {
  const destination = { ...anyone, ports: [{ first: 1, last: 1 }, { first: 3, last: 5 }] };
  const rule: ActiveRule = { action: 'allow', protocol: 6, source: set === undefined ? anyone : { ...anyone, sets: [set] }, destination, index: 0 };
  const origin = { kind: 'Control', apiVersion: '', namespace: '', name: 'control', generation: 0 };
  const policy: ActivePolicy = { key: 'control', origin, tier: '', ingress: [rule, { ...rule, action: 'deny' }], egress: [] };
  return policyChains(policy, options, (id) => id)[0]?.rules ?? [];
}

/** The kernel's answer: undefined when it takes them all; the indices of those that it names, where it names any. */
export type Answer = { readonly refusal: TransactionRefused; readonly culprits: readonly number[] } | undefined;

export interface Found<T> {
  readonly refused: readonly { readonly item: T; readonly refusal: TransactionRefused }[];
  readonly accepted: readonly T[];
}

/**
 * Finds the items that are refused, by asking for all, then for each that is named and for the rest, or for halves. `most` questions:
 * what is not decided by then is in neither list.
 */
export async function findRefused<T>(items: readonly T[], ask: (items: readonly T[]) => Promise<Answer>, most: number): Promise<Found<T>> {
  const refused: { item: T; refusal: TransactionRefused }[] = [];
  const accepted: (readonly T[])[] = [];
  const groups = [items];
  for (let asked = 0; asked < most; asked += 1) {
    const group = groups.pop();
    if (group === undefined) break;
    const [first] = group;
    if (first === undefined) continue;
    const answer = await ask(group);
    if (answer === undefined) accepted.push(group);
    else if (group.length === 1) refused.push({ item: first, refusal: answer.refusal });
    else if (answer.culprits.length === 0) groups.push(group.slice(group.length >>> 1), group.slice(0, group.length >>> 1));
    else {
      const culprits = new Set(answer.culprits);
      groups.push(group.filter((_, index) => !culprits.has(index)));
      for (const [index, item] of group.entries()) if (culprits.has(index)) groups.push([item]);
    }
  }
  return { refused, accepted: accepted.flat() };
}

const anyone: ActiveEntity = Object.freeze({
  nets: [], notNets: [], sets: [], notSets: [], ports: [], notPorts: [], portSets: [], notPortSets: [], serviceSets: [],
});
