// Calico's NetworkPolicy → Policy. It selects endpoints of its own namespace. What of it cannot be understood fails closed:
//
//   a bad rule → see closed-rules.ts; the others stand
//   bad elsewhere → both directions, and each rule as if it were bad
//   a selector that cannot be read → every endpoint of the namespace, both directions, and each rule as if it were bad: what it
//     denied to some it may not leave to others, nor to a tier that passes at its end

import { deepEqual } from '../../lib/deep-equal.ts';
import type { Policy } from '../../model/policy.ts';
import { policyKey } from '../../model/policy.ts';
import type { Selector, SelectorNode } from '../../model/selector/ast.ts';
import { selectorOf } from '../../model/selector/canonical.ts';
import { calicoVersions, originOf, policyName, readCalicoMeta } from './calico-metadata.ts';
import { commonFields, readPolicyBody, unreadable } from './calico-policy.ts';
import { badPolicy, badRules } from './closed-rules.ts';
import type { DecodeContext } from './decode-context.ts';
import { inNamespace } from './policy-peers.ts';
import { type Decoded, PartReport, ProblemList, type Report } from './problem.ts';
import type { Resource, WireKind } from './resource.ts';
import { conjunction, hasServiceAccount, readSelector, rewritten } from './selector-field.ts';
import { type Fields, fieldsOf, readFields } from './wire.ts';

export const calicoNetworkPolicies: Resource<'policy'> = {
  kind: 'NetworkPolicy',
  title: 'NetworkPolicy.projectcalico.org',
  ...calicoVersions,
  plural: 'networkpolicies',
  namespaced: true,
  valueKind: 'policy',
  // The object's own name: unlike the one in its annotation nobody else in the namespace can have it.
  key: ({ namespace, name }) => policyKey('np', namespace, name),
  decode: (object, context) => decodeNamespacedPolicy(object, calicoNetworkPolicies, commonFields, context),
  same: deepEqual,
};

export function decodeNamespacedPolicy(object: unknown, kind: WireKind, knownFields: readonly string[], context: DecodeContext): Decoded<Policy> {
  const { problems, report } = new ProblemList();
  const outside = new PartReport(report);
  const meta = readCalicoMeta(object, kind, outside.report);
  if (meta === undefined) return { value: undefined, problems, consequence: 'the policy is ignored' };
  const spec = readFields(fieldsOf(object)?.['spec'], 'spec', report);
  const selector = spec && readSelection(spec, meta.namespace, report);
  const isSelective = selector !== undefined;
  const options = { namespace: meta.namespace, knownFields, context, isSound: outside.isSound && isSelective };
  const { body, isSound } = spec === undefined ? unreadable : readPolicyBody(spec, options, report);
  const { tier, ...rest } = body;
  const value: Policy = {
    origin: { ...originOf(kind, meta), name: policyName(meta, tier) },
    kind: 'np',
    tier,
    selector: selector ?? selectorOf(inNamespace(meta.namespace)),
    ...rest,
  };
  if (problems.length === 0) return { value, problems };
  return { value, problems, consequence: !isSelective ? wholeNamespace : isSound ? badRules : badPolicy };
}

const wholeNamespace = 'it isolates every endpoint of its namespace in both directions; its rules that allow or log are left out and the others deny everything';

/** (selector && namespace) && service accounts, as Calico nests them. */
function readSelection(spec: Fields, namespace: string, report: Report): Selector | undefined {
  const own = readSelector(spec['selector'], 'spec.selector', report);
  const accounts = readSelector(spec['serviceAccountSelector'], 'spec.serviceAccountSelector', report);
  if (own === undefined || accounts === undefined) return undefined;
  let root: SelectorNode = inNamespace(namespace);
  if (own !== 'none') root = { kind: 'and', operands: [own, root] };
  if (accounts !== 'none') root = { kind: 'and', operands: [root, rewritten(accounts, 'pcsa.', hasServiceAccount)] };
  return conjunction([root], 'spec.serviceAccountSelector', report);
}
