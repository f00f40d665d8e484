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
import type { EntityMatch, Rule } from '../../model/rule.ts';
import { anyEntity } from '../../model/rule.ts';
import { selectorOf } from '../../model/selector/canonical.ts';
import { defaultTierName } from '../../model/tier.ts';
import type { DecodeContext } from './decode-context.ts';
import { readLabelSelector } from './label-selector.ts';
import { readMeta } from './object-meta.ts';
import { anyPod, inNamespace, isPod, type PeerScope, readPolicyPeers } from './policy-peers.ts';
import { hasNames, type ProtocolPorts, readPolicyPorts } from './policy-ports.ts';
import { maxKernelRules, maxPortSets, PolicySize } from './policy-size.ts';
import { type Decoded, ProblemList, type Report } from './problem.ts';
import type { Resource } from './resource.ts';
import { type Fields, fieldsOf, isAbsent, knowsAll, readFields, readList, shown } from './wire.ts';

type Direction = 'ingress' | 'egress';

// Shared: a cluster may have a hundred thousand policies.
const noRules: readonly Rule[] = Object.freeze([]);
const directions = {
  none: Object.freeze({ ingress: false, egress: false }),
  ingress: Object.freeze({ ingress: true, egress: false }),
  egress: Object.freeze({ ingress: false, egress: true }),
  both: Object.freeze({ ingress: true, egress: true }),
};

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

function decodeNetworkPolicy(object: unknown, context: DecodeContext): Decoded<Policy> {
  const { problems, report } = new ProblemList();
  const meta = readMeta(object, true, report);
  if (meta === undefined) return { value: undefined, problems, consequence: 'the policy is ignored' };
  const spec = readFields(fieldsOf(object)?.['spec'], 'spec', report);
  const pods = spec && readLabelSelector(spec['podSelector'], '', 'spec.podSelector', report);
  const rest = spec && readRules(spec, { namespace: meta.namespace, context, report });
  const understood = pods !== undefined && rest !== undefined;
  const { apiVersion, kind } = networkPolicies;
  const value: Policy = {
    origin: { kind, apiVersion, namespace: context.text(meta.namespace), name: context.text(meta.name), generation: meta.generation },
    kind: 'knp',
    tier: defaultTierName,
    order,
    selector: selectorOf({ kind: 'and', operands: [{ kind: 'and', operands: [isPod, ...(pods?.terms ?? [])] }, inNamespace(meta.namespace)] }),
    types: understood ? rest.types : directions.both,
    ingress: understood ? rest.ingress : noRules,
    egress: understood ? rest.egress : noRules,
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
function readRules(spec: Fields, scope: PeerScope): PolicyRules | undefined {
  const { report } = scope;
  const known = knowsAll(spec, ['podSelector', 'policyTypes', 'ingress', 'egress'], 'spec', report);
  const ingress = readList(spec['ingress'], 'spec.ingress', report);
  const egress = readList(spec['egress'], 'spec.egress', report);
  const types = readTypes(spec['policyTypes'], (egress?.length ?? 0) > 0, report);
  const size = new PolicySize();
  const ingressRules = ingress && readEntries(ingress, 'ingress', scope, size);
  const egressRules = egress && readEntries(egress, 'egress', scope, size);
  if (!known || types === undefined || ingressRules === undefined || egressRules === undefined) return undefined;
  // Rules of a direction that is not in policyTypes mean nothing.
  return { types, ingress: types.ingress ? ingressRules : noRules, egress: types.egress ? egressRules : noRules };
}

/** The API server's defaulting: none given means Ingress, and Egress too where there are egress rules. */
function readTypes(value: unknown, hasEgress: boolean, report: Report): Policy['types'] | undefined {
  const list = readList(value, 'spec.policyTypes', report);
  if (list === undefined) return undefined;
  if (list.length === 0) return typesOf(true, hasEgress);
  let valid = list.length <= 2;
  if (!valid) report('spec.policyTypes', 'has more than two entries', 'use Ingress, Egress or both');
  for (const [i, type] of list.entries()) {
    if (type === 'Ingress' || type === 'Egress') continue;
    report(`spec.policyTypes[${i}]`, `${shown(type)} is no direction`, 'use Ingress, Egress or both');
    valid = false;
  }
  return valid ? typesOf(list.includes('Ingress'), list.includes('Egress')) : undefined;
}

function typesOf(ingress: boolean, egress: boolean): Policy['types'] {
  if (ingress) return egress ? directions.both : directions.ingress;
  return egress ? directions.egress : directions.none;
}

function readEntries(list: readonly unknown[], direction: Direction, scope: PeerScope, size: PolicySize): readonly Rule[] {
  const rules = list.flatMap((entry, i) => readEntry(entry, direction, i, scope, size) ?? []);
  // The copy has no spare capacity.
  return rules.length === 0 ? noRules : rules.slice();
}

/** One rule per peer and protocol; undefined when any part of the entry is bad, or it is too large. */
function readEntry(value: unknown, direction: Direction, index: number, scope: PeerScope, size: PolicySize): readonly Rule[] | undefined {
  const { context, report } = scope;
  const field = `spec.${direction}[${index}]`;
  const entry = fieldsOf(value);
  if (entry === undefined) {
    report(field, 'must be an object', isAbsent(value) ? 'write {} to allow everything, or remove the entry' : undefined);
    return undefined;
  }
  const peersField = direction === 'ingress' ? 'from' : 'to';
  const known = knowsAll(entry, [peersField, 'ports'], field, report);
  const peers = readPolicyPeers(entry[peersField], `${field}.${peersField}`, scope);
  const ports = readPolicyPorts(entry['ports'], `${field}.ports`, report);
  if (!known || peers === undefined || ports === undefined) return undefined;
  if (!size.hasRoomFor(peers, ports, direction === 'egress')) {
    const limits = `${maxKernelRules} rules and ${maxPortSets} sets of the kernel`;
    report(field, `takes the policy beyond ${limits}: its peers multiply with its ports`, 'use ranges of ports, selectors that select more, or several policies', true);
    return undefined;
  }
  return peers.flatMap((peer) => {
    const [source, destination] = direction === 'ingress' ? [peer, anyEntity] : [anyEntity, peer];
    if (ports === 'any') return [context.rule({ action: 'allow', source, destination, index })];
    return ports.map((each) => context.rule({ action: 'allow', protocol: each.protocol, source, destination: withPorts(destination, each), index }));
  });
}

/** Written out: an object that is copied field by field takes more memory. */
function withPorts({ nets, notNets, selector, notPorts }: EntityMatch, { ports }: ProtocolPorts): EntityMatch {
  if (selector !== undefined) return { nets, notNets, selector, ports, notPorts };
  return hasNames(ports) ? { nets, notNets, ports, notPorts, portNamesOf: anyPod } : { nets, notNets, ports, notPorts };
}
