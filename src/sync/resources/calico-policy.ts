// What Calico's policies have in common: tier, order, directions, rules. In: the spec of any of them. Out: the parts of a model
// policy, converted so that they fail closed (closed-rules.ts), and whether something outside of the rules is bad.
//
// Of an order that cannot be read only one place is certain not to put the policy behind one that allows what it denies: the first.
// A tier that cannot be read is taken for the one that a policy without any is in. A name that a tier cannot have, but other objects
// can, is that of a tier there is not.
//
// How long a list or a selector may be is for the API to say: what was stored under an API without a limit means what it says.

import type { Policy } from '../../model/policy.ts';
import { defaultTierName } from '../../model/tier.ts';
import { readCalicoRule } from './calico-rule.ts';
import { type ReadRule, readRules, rulesInForce } from './closed-rules.ts';
import type { DecodeContext } from './decode-context.ts';
import { dnsSubdomainProblem } from './names.ts';
import { PartReport, type Report } from './problem.ts';
import { type Fields, isAbsent, knowsAll, readList, shown } from './wire.ts';

export const firstOfAll = -Infinity;

/** Fields of NetworkPolicy and GlobalNetworkPolicy. */
export const commonFields = ['tier', 'order', 'ingress', 'egress', 'selector', 'types', 'serviceAccountSelector', 'performanceHints'];

export type PolicyBody = Pick<Policy, 'tier' | 'order' | 'types' | 'ingress' | 'egress' | 'isNeededEverywhere'>;

export interface BodyOptions {
  /** Of the policy; empty for a global one. */
  readonly namespace: string;
  readonly knownFields: readonly string[];
  readonly context: DecodeContext;
  /** False: something else outside of the rules is bad. */
  readonly isSound: boolean;
}

export interface ReadBody {
  readonly body: PolicyBody;
  readonly isSound: boolean;
}

/** Of a policy whose spec is no object. */
export const unreadable: ReadBody = {
  body: { tier: defaultTierName, order: firstOfAll, types: { ingress: true, egress: true }, ingress: rulesInForce(undefined, false), egress: rulesInForce(undefined, false) },
  isSound: false,
};

export function readPolicyBody(spec: Fields, { namespace, knownFields, context, isSound }: BodyOptions, report: Report): ReadBody {
  const outside = new PartReport(report);
  knowsAll(spec, knownFields, 'spec', outside.report);
  const tier = readTier(spec['tier'], outside.report);
  const order = readOrder(spec['order'], outside.report);
  const types = readTypes(spec['types'], outside.report);
  // Whatever a hint says, it restricts nothing.
  const isNeededEverywhere = readHints(spec['performanceHints'], report);
  const rulesOf = (direction: 'ingress' | 'egress'): readonly ReadRule[] | undefined =>
    readRules(spec[direction], `spec.${direction}`, outside.report, (rule, i) => readCalicoRule(rule, i, { direction, namespace }, context, report));
  const ingress = rulesOf('ingress');
  const egress = rulesOf('egress');
  const sound = isSound && outside.isSound;
  const directions = sound ? types : { ingress: true, egress: true };
  const body: PolicyBody = {
    tier,
    ...(order === undefined ? {} : { order }),
    types: directions,
    // Rules of a direction that is not among the types mean nothing.
    ingress: directions.ingress ? rulesInForce(ingress, sound) : [],
    egress: directions.egress ? rulesInForce(egress, sound) : [],
    ...(isNeededEverywhere ? { isNeededEverywhere } : {}),
  };
  return { body, isSound: sound };
}

function readTier(value: unknown, report: Report): string {
  if (isAbsent(value) || value === '') return defaultTierName;
  const problem = typeof value === 'string' ? dnsSubdomainProblem(value) : 'must be a string';
  if (problem === undefined) return value as string;
  report('spec.tier', `${shown(value)} ${problem}`, 'name a tier');
  return defaultTierName;
}

/** Undefined: last. */
function readOrder(value: unknown, report: Report): number | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  report('spec.order', `${shown(value)} must be a number`);
  return firstOfAll;
}

/** None given means both, unlike in Kubernetes' own policies: Calico's API fills them in, and nobody does for objects that bypass it. */
function readTypes(value: unknown, report: Report): Policy['types'] {
  const list = readList(value, 'spec.types', report) ?? [];
  if (list.length === 0) return { ingress: true, egress: true };
  if (new Set(list).size < list.length) report('spec.types', 'names a direction twice', 'use Ingress, Egress or both');
  for (const [i, type] of list.entries()) {
    if (type !== 'Ingress' && type !== 'Egress') report(`spec.types[${i}]`, `${shown(type)} is no direction`, 'use Ingress, Egress or both');
  }
  return { ingress: list.includes('Ingress'), egress: list.includes('Egress') };
}

function readHints(value: unknown, report: Report): true | false {
  const list = readList(value, 'spec.performanceHints', report) ?? [];
  for (const [i, hint] of list.entries()) {
    if (hint !== 'AssumeNeededOnEveryNode') report(`spec.performanceHints[${i}]`, `${shown(hint)} is no hint`, 'use AssumeNeededOnEveryNode');
  }
  return list.includes('AssumeNeededOnEveryNode');
}
