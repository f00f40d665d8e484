// Calico's NetworkPolicy and GlobalNetworkPolicy, of either API group.
//
// In: the wire object. Out: a policy; undefined only for a global one nobody can tell whom it selects. What is broken closes:
//   - one rule: see calico-rule.ts; the others stay;
//   - a selector of the policy: a NetworkPolicy is about its whole namespace, and is broken as below; a global one is absent;
//   - anything else: no rule allows, those that deny or pass deny everything, and both directions are isolated.
// Without `types` both directions are isolated: only Calico's own clients fill in what the rules suggest.

import type { WireObject } from '../model/verdict.ts';
import { policyName, readCalicoMetadata } from './calico-metadata.ts';
import { closedRule, readRule } from './calico-rule.ts';
import type { RulePlace } from './calico-rule.ts';
import { dnsSubdomainProblem } from './names.ts';
import { readApplication, stageOf } from './policy-application.ts';
import type { Direction, Policy, Rule } from './policy.ts';
import { conjunction, readSelector } from './selector-field.ts';
import { evaluate, scoped } from './selector.ts';
import { isAbsent, knowsAll, readAll, readFields, readList } from './wire.ts';
import type { Fields, Report } from './wire.ts';

const commonFields = ['tier', 'order', 'ingress', 'egress', 'selector', 'types', 'serviceAccountSelector', 'performanceHints'];
const globalFields = [...commonFields, 'doNotTrack', 'preDNAT', 'applyOnForward', 'namespaceSelector'];

export function readCalicoPolicy(object: WireObject, httpRules: RulePlace['httpRules'], report: Report): Policy | undefined {
  const isGlobal = object.kind === 'GlobalNetworkPolicy';
  const { name, namespace = '' } = object.metadata;
  const metadata = readCalicoMetadata(object, isGlobal ? 'cluster' : 'namespaced', report);
  const spec = readFields(object['spec'], 'spec', report);
  const selects = spec && readSelection(spec, isGlobal ? '' : namespace, report);
  const tier = spec && readTierName(spec, report);
  const order = spec && readOrder(spec, report);
  const directions = spec && readTypes(spec, report);
  const isKnown = spec && knowsAll(spec, isGlobal ? globalFields : commonFields, 'spec', report);
  if (spec) checkHints(spec, report);
  const application = spec && (isGlobal ? readApplication(spec, report) : 'normal');
  const ingress = spec && readRules(spec, 'ingress', { namespace: isGlobal ? '' : namespace, direction: 'ingress', httpRules }, report);
  const egress = spec && readRules(spec, 'egress', { namespace: isGlobal ? '' : namespace, direction: 'egress', httpRules }, report);

  const about = {
    kind: object.kind,
    namespace: isGlobal ? '' : namespace,
    name,
    tier: tier ?? 'default',
    // Where nobody knows its place, what it denies comes first.
    order: order ?? -Infinity,
    tieBreak: `${metadata ? policyName(metadata, tier ?? 'default') : name}/${isGlobal ? '' : namespace}/${object.kind}`,
    stage: spec ? stageOf(spec) : 'normal',
    appliesOnForward: spec?.['applyOnForward'] === true,
  } as const;
  if (selects === undefined && isGlobal) return undefined;
  if (selects === undefined) {
    const closed = spec ? { ingress: closedRules(spec['ingress']), egress: closedRules(spec['egress']) } : { ingress: closedRule(undefined, 0), egress: closedRule(undefined, 0) };
    return { ...about, selects: (endpoint) => endpoint.kind === 'pod' && endpoint.namespace === namespace, rules: closed };
  }
  const isReadable = metadata && tier !== undefined && order !== undefined && directions && isKnown && application && ingress && egress;
  if (!isReadable) return { ...about, selects, rules: { ingress: closedRules(spec?.['ingress']), egress: closedRules(spec?.['egress']) } };
  const rules = { ...(directions.has('ingress') ? { ingress } : {}), ...(directions.has('egress') ? { egress } : {}) };
  return { ...about, selects, rules };
}

/** They restrict nothing, whatever they say. */
function checkHints(spec: Fields, report: Report): void {
  const hints = readList(spec['performanceHints'], 'spec.performanceHints', report) ?? [];
  for (const [index, hint] of hints.entries()) if (hint !== 'AssumeNeededOnEveryNode') report(`spec.performanceHints[${index}]`, 'is no hint');
}

/** A global policy's selectors are about pods and host endpoints alike; only a namespaceSelector or another namespace leaves hosts out. */
function readSelection(spec: Fields, namespace: string, report: Report): Policy['selects'] | undefined {
  const own = readSelector(spec['selector'], 'spec.selector', report);
  const accounts = readSelector(spec['serviceAccountSelector'], 'spec.serviceAccountSelector', report);
  const namespaces = namespace === '' ? readSelector(spec['namespaceSelector'], 'spec.namespaceSelector', report) : 'none';
  if (!own || !accounts || !namespaces) return undefined;
  const selector = conjunction([
    own,
    accounts === 'none' ? 'none' : scoped(accounts, 'serviceAccount'),
    namespaces === 'none' ? 'none' : scoped(namespaces, 'namespace'),
  ]);
  return (endpoint) => {
    if (namespace !== '' && !(endpoint.kind === 'pod' && endpoint.namespace === namespace)) return false;
    return selector === 'none' || evaluate(selector, endpoint.labels);
  };
}

function readTierName(spec: Fields, report: Report): string | undefined {
  const tier = spec['tier'];
  if (isAbsent(tier) || tier === '') return 'default';
  const problem = typeof tier === 'string' ? dnsSubdomainProblem(tier) : 'must be a string';
  if (problem === undefined) return tier as string;
  report('spec.tier', problem);
  return undefined;
}

/** Absent: after all that have one. */
function readOrder(spec: Fields, report: Report): number | undefined {
  const order = spec['order'];
  if (isAbsent(order)) return Infinity;
  if (typeof order === 'number' && Number.isFinite(order)) return order;
  report('spec.order', 'must be a number');
  return undefined;
}

function readTypes(spec: Fields, report: Report): ReadonlySet<Direction> | undefined {
  const list = readList(spec['types'], 'spec.types', report);
  const directions =
    list &&
    readAll<Direction>(list, 'spec.types', (type, field) => {
      if (type === 'Ingress') return 'ingress';
      if (type === 'Egress') return 'egress';
      report(field, 'must be Ingress or Egress');
      return undefined;
    });
  if (directions === undefined || directions.length === 0) return directions && new Set<Direction>(['ingress', 'egress']);
  const distinct = new Set(directions);
  if (distinct.size === directions.length) return distinct;
  report('spec.types', 'may not say the same twice');
  return undefined;
}

function readRules(spec: Fields, name: Direction, place: RulePlace, report: Report): readonly Rule[] | undefined {
  const list = readList(spec[name], `spec.${name}`, report);
  return list?.flatMap((value, index) => readRule(value, index, place, `spec.${name}[${index}]`, report));
}

/** A list that is none may have denied something. */
function closedRules(value: unknown): readonly Rule[] {
  if (isAbsent(value)) return [];
  return Array.isArray(value) ? value.flatMap((rule: unknown, index) => closedRule(rule, index)) : closedRule(undefined, 0);
}
