// GlobalNetworkPolicy → Policy. It selects endpoints of all namespaces and of hosts. What of it cannot be understood fails closed:
//
//   a bad rule → see closed-rules.ts; the others stand
//   bad elsewhere → both directions, and each rule as if it were bad
//   a selector that cannot be read → nothing: to select everything could cut off the cluster. An error, and not ready

import { deepEqual } from '../../lib/deep-equal.ts';
import type { Policy, PolicyApplication } from '../../model/policy.ts';
import { policyKey } from '../../model/policy.ts';
import type { Selector, SelectorNode } from '../../model/selector/ast.ts';
import { calicoVersions, originOf, policyName, readCalicoMeta } from './calico-metadata.ts';
import { commonFields, readPolicyBody } from './calico-policy.ts';
import { badPolicy, badRules } from './closed-rules.ts';
import type { DecodeContext } from './decode-context.ts';
import { type Decoded, PartReport, ProblemList, type Report } from './problem.ts';
import type { Resource, WireKind } from './resource.ts';
import { conjunction, hasNamespace, hasServiceAccount, readSelector, rewritten } from './selector-field.ts';
import { type Fields, fieldsOf, isAbsent, readFields, readList, shown } from './wire.ts';

export const globalFields = [...commonFields, 'namespaceSelector', 'doNotTrack', 'preDNAT', 'applyOnForward'];

export const globalNetworkPolicies: Resource<'policy'> = {
  kind: 'GlobalNetworkPolicy',
  ...calicoVersions,
  plural: 'globalnetworkpolicies',
  namespaced: false,
  valueKind: 'policy',
  // The object's own name: unlike the one in its annotation nobody else can have it.
  key: ({ name }) => policyKey('gnp', '', name),
  decode: (object, context) => decodeGlobalPolicy(object, globalNetworkPolicies, globalFields, context),
  same: deepEqual,
};

export function decodeGlobalPolicy(object: unknown, kind: WireKind, knownFields: readonly string[], context: DecodeContext): Decoded<Policy> {
  const { problems, report } = new ProblemList();
  const outside = new PartReport(report);
  const meta = readCalicoMeta(object, kind, outside.report);
  const spec = meta && readFields(fieldsOf(object)?.['spec'], 'spec', report);
  const selector = spec && readSelection(spec, report);
  if (meta === undefined || spec === undefined || selector === undefined) {
    return { value: undefined, problems, consequence: 'the policy is not in force', leavesGap: true };
  }
  const applies = readApplication(spec, outside.report);
  const { body, isSound } = readPolicyBody(spec, { namespace: '', knownFields, context, isSound: outside.isSound }, report);
  const { tier, ...rest } = body;
  const value: Policy = {
    origin: { ...originOf(kind, meta), name: policyName(meta, tier) },
    kind: 'gnp',
    tier,
    selector,
    ...rest,
    ...(applies === undefined ? {} : { applies }),
  };
  return problems.length === 0 ? { value, problems } : { value, problems, consequence: isSound ? badRules : badPolicy };
}

/** (selector && namespaces) && service accounts, as Calico nests them. */
function readSelection(spec: Fields, report: Report): Selector | undefined {
  const own = readSelector(spec['selector'], 'spec.selector', report);
  const namespaces = readSelector(spec['namespaceSelector'], 'spec.namespaceSelector', report);
  const accounts = readSelector(spec['serviceAccountSelector'], 'spec.serviceAccountSelector', report);
  if (own === undefined || namespaces === undefined || accounts === undefined) return undefined;
  const inNamespaces: SelectorNode[] = own === 'none' ? [] : [own];
  if (namespaces !== 'none') inNamespaces.push(rewritten(namespaces, 'pcns.', hasNamespace));
  const all: SelectorNode[] = inNamespaces.length === 0 ? [] : [{ kind: 'and', operands: inNamespaces }];
  if (accounts !== 'none') all.push(rewritten(accounts, 'pcsa.', hasServiceAccount));
  return conjunction(all, 'spec.selector', report);
}

function readApplication(spec: Fields, report: Report): PolicyApplication | undefined {
  const doNotTrack = readFlag(spec['doNotTrack'], 'spec.doNotTrack', report);
  const preDnat = readFlag(spec['preDNAT'], 'spec.preDNAT', report);
  const applyOnForward = readFlag(spec['applyOnForward'], 'spec.applyOnForward', report);
  if (doNotTrack && preDnat) report('spec.preDNAT', 'excludes doNotTrack', 'make two policies of it');
  if ((doNotTrack || preDnat) && !applyOnForward) report('spec.applyOnForward', `must be true with ${doNotTrack ? 'doNotTrack' : 'preDNAT'}`);
  const { egress, types } = spec;
  if (preDnat && Array.isArray(egress) && egress.length > 0) report('spec.egress', 'excludes preDNAT', 'remove the egress rules');
  if (preDnat && (readList(types, 'spec.types', () => {}) ?? []).includes('Egress')) report('spec.types', 'may not name Egress with preDNAT', 'use Ingress');
  return doNotTrack || preDnat || applyOnForward ? { doNotTrack, preDnat, applyOnForward } : undefined;
}

function readFlag(value: unknown, field: string, report: Report): boolean {
  if (isAbsent(value) || typeof value === 'boolean') return value === true;
  report(field, `${shown(value)} must be true or false`);
  return false;
}
