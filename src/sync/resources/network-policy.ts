// networking.k8s.io/v1 NetworkPolicy → Policy in tier "default". In: anything. Out: the policy, with everything that could not be
// understood converted so that it fails closed:
//
//   a bad peer, port or CIDR anywhere in an entry of spec.ingress or spec.egress → that entry allows nothing
//   spec.podSelector unreadable → the policy selects its whole namespace, in both directions, and allows nothing
//   bad elsewhere (policyTypes, a list that is no list, an unknown field) → it keeps selecting, in both directions, and allows nothing
//
// Only a policy without a valid name and namespace has no value; the API server has none.

import { deepEqual } from '../../lib/deep-equal.ts';
import type { Policy } from '../../model/policy.ts';
import { policyKey } from '../../model/policy.ts';
import type { Rule } from '../../model/rule.ts';
import { anyEntity } from '../../model/rule.ts';
import { selectorOf } from '../../model/selector/canonical.ts';
import { defaultTierName } from '../../model/tier.ts';
import { readLabelSelector } from './label-selector.ts';
import { readMeta } from './object-meta.ts';
import { inNamespace, isPod, readPolicyPeers } from './policy-peers.ts';
import { readPolicyPorts } from './policy-ports.ts';
import { type Decoded, ProblemList, type Report } from './problem.ts';
import type { Resource } from './resource.ts';
import { type Fields, fieldsOf, isAbsent, knowsAll, readFields, readList, shown } from './wire.ts';

type Direction = 'ingress' | 'egress';

/** Calico's order for Kubernetes policies in the default tier. */
const order = 1000;

export const networkPolicies: Resource<'policy'> = {
  kind: 'NetworkPolicy',
  apiVersion: 'networking.k8s.io/v1',
  plural: 'networkpolicies',
  namespaced: true,
  valueKind: 'policy',
  key: ({ namespace, name }) => policyKey('knp', namespace, name),
  decode: decodeNetworkPolicy,
  // The generation counts: it says which version of the object is in force.
  same: deepEqual,
};

function decodeNetworkPolicy(object: unknown): Decoded<Policy> {
  const { problems, report } = new ProblemList();
  const meta = readMeta(object, true, report);
  if (meta === undefined) return { value: undefined, problems, consequence: 'the policy is ignored' };
  const spec = readFields(fieldsOf(object)?.['spec'], 'spec', report);
  const pods = spec && readLabelSelector(spec['podSelector'], '', 'spec.podSelector', report);
  const rest = spec && readRules(spec, meta.namespace, report);
  const understood = pods !== undefined && rest !== undefined;
  const { apiVersion, kind } = networkPolicies;
  const value: Policy = {
    origin: { kind, apiVersion, namespace: meta.namespace, name: meta.name, generation: meta.generation },
    kind: 'knp',
    tier: defaultTierName,
    order,
    selector: selectorOf({ kind: 'and', operands: [{ kind: 'and', operands: [isPod, ...(pods?.terms ?? [])] }, inNamespace(meta.namespace)] }),
    types: understood ? rest.types : { ingress: true, egress: true },
    ingress: understood ? rest.ingress : [],
    egress: understood ? rest.egress : [],
  };
  if (problems.length === 0) return { value, problems };
  return { value, problems, consequence: consequence(pods !== undefined, understood) };
}

function consequence(selects: boolean, understood: boolean): string {
  if (!selects) return 'the policy isolates every pod of its namespace and allows nothing';
  return understood ? 'the entries named allow nothing' : 'the policy isolates the pods it selects and allows nothing';
}

type PolicyRules = Pick<Policy, 'types' | 'ingress' | 'egress'>;

/** Undefined when something outside the entries is wrong. */
function readRules(spec: Fields, namespace: string, report: Report): PolicyRules | undefined {
  const known = knowsAll(spec, ['podSelector', 'policyTypes', 'ingress', 'egress'], 'spec', report);
  const ingress = readList(spec['ingress'], 'spec.ingress', report);
  const egress = readList(spec['egress'], 'spec.egress', report);
  const types = readTypes(spec['policyTypes'], (egress?.length ?? 0) > 0, report);
  const ingressRules = ingress && readEntries(ingress, 'ingress', namespace, report);
  const egressRules = egress && readEntries(egress, 'egress', namespace, report);
  if (!known || types === undefined || ingressRules === undefined || egressRules === undefined) return undefined;
  // Rules of a direction that is not in policyTypes mean nothing.
  return { types, ingress: types.ingress ? ingressRules : [], egress: types.egress ? egressRules : [] };
}

/** The API server's defaulting: none given means Ingress, and Egress too where there are egress rules. */
function readTypes(value: unknown, hasEgress: boolean, report: Report): Policy['types'] | undefined {
  const list = readList(value, 'spec.policyTypes', report);
  if (list === undefined) return undefined;
  if (list.length === 0) return { ingress: true, egress: hasEgress };
  let valid = list.length <= 2;
  if (!valid) report('spec.policyTypes', 'has more than two entries', 'use Ingress, Egress or both');
  for (const [i, type] of list.entries()) {
    if (type === 'Ingress' || type === 'Egress') continue;
    report(`spec.policyTypes[${i}]`, `${shown(type)} is no direction`, 'use Ingress, Egress or both');
    valid = false;
  }
  return valid ? { ingress: list.includes('Ingress'), egress: list.includes('Egress') } : undefined;
}

function readEntries(list: readonly unknown[], direction: Direction, namespace: string, report: Report): Rule[] {
  return list.flatMap((entry, i) => readEntry(entry, direction, namespace, i, report) ?? []);
}

/** One rule per peer and protocol; undefined when any part of the entry is bad. */
function readEntry(value: unknown, direction: Direction, namespace: string, index: number, report: Report): Rule[] | undefined {
  const field = `spec.${direction}[${index}]`;
  const entry = fieldsOf(value);
  if (entry === undefined) {
    report(field, 'must be an object', isAbsent(value) ? 'write {} to allow everything, or remove the entry' : undefined);
    return undefined;
  }
  const peersField = direction === 'ingress' ? 'from' : 'to';
  const known = knowsAll(entry, [peersField, 'ports'], field, report);
  const peers = readPolicyPeers(entry[peersField], namespace, `${field}.${peersField}`, report);
  const ports = readPolicyPorts(entry['ports'], `${field}.ports`, report);
  if (!known || peers === undefined || ports === undefined) return undefined;
  return peers.flatMap((peer) => {
    const rule = (destination: typeof anyEntity): Omit<Rule, 'protocol'> =>
      direction === 'ingress' ? { action: 'allow', source: peer, destination, index } : { action: 'allow', source: anyEntity, destination, index };
    const end = direction === 'ingress' ? anyEntity : peer;
    if (ports === 'any') return [rule(end)];
    return ports.map((each) => ({ ...rule({ ...end, ports: each.ports }), protocol: each.protocol }));
  });
}
