// The peers of one entry of a NetworkPolicy. In: the wire list (from or to) and the policy's namespace. Out: one match per peer
// (ORed); a single match of everything when the list is absent or empty. Undefined, with every problem reported, where the API
// server would refuse a peer.
//
// Selectors match pods only, and only pods whose namespace is known: a pod's namespace labels come from its Namespace (as
// pcns.*), and while that object is absent NotIn and DoesNotExist would hold for a pod of which nothing is known. So where no
// other term needs a namespace label to be present, has(pcns.projectcalico.org/name), which each Namespace gives, is added; an
// empty namespaceSelector is that term alone.

import { containsCidr, formatCidr, parseCidr } from '../../model/net/cidr.ts';
import type { EntityMatch } from '../../model/rule.ts';
import { anyEntity } from '../../model/rule.ts';
import type { Selector, SelectorNode } from '../../model/selector/ast.ts';
import { selectorOf } from '../../model/selector/canonical.ts';
import type { DecodeContext } from './decode-context.ts';
import { readLabelSelector } from './label-selector.ts';
import type { Report } from './problem.ts';
import { fieldsOf, isAbsent, knowsAll, readList, shown } from './wire.ts';

export const isPod: SelectorNode = Object.freeze({ kind: 'equals', label: 'projectcalico.org/orchestrator', value: 'k8s' });

/** Whose port names count in Kubernetes' own policies where no selector says so: hosts have named ports, too. One for all rules. */
export const anyPod: Selector = selectorOf(isPod);

const namespaceIsKnown: SelectorNode = Object.freeze({ kind: 'has', label: 'pcns.projectcalico.org/name' });

export function inNamespace(namespace: string): SelectorNode {
  return { kind: 'equals', label: 'projectcalico.org/namespace', value: namespace };
}

/** What reading the peers of a policy depends on besides the list. */
export interface PeerScope {
  readonly namespace: string;
  readonly context: DecodeContext;
  readonly report: Report;
}

export function readPolicyPeers(value: unknown, field: string, scope: PeerScope): readonly EntityMatch[] | undefined {
  const list = readList(value, field, scope.report);
  if (list === undefined) return undefined;
  if (list.length === 0) return [anyEntity];
  const peers = list.map((peer, i) => readPeer(peer, `${field}[${i}]`, scope));
  return peers.every((peer) => peer !== undefined) ? peers : undefined;
}

function readPeer(value: unknown, field: string, { namespace, context, report }: PeerScope): EntityMatch | undefined {
  const peer = fieldsOf(value);
  if (peer === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  if (!knowsAll(peer, ['podSelector', 'namespaceSelector', 'ipBlock'], field, report)) return undefined;
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (isAbsent(podSelector) && isAbsent(namespaceSelector)) {
    if (!isAbsent(ipBlock)) return readIpBlock(ipBlock, `${field}.ipBlock`, report);
    report(field, 'names no peer', 'give a podSelector, a namespaceSelector or an ipBlock');
    return undefined;
  }
  if (!isAbsent(ipBlock)) {
    report(`${field}.ipBlock`, 'stands beside a selector', 'make two peers of it');
    return undefined;
  }
  const pods = readLabelSelector(podSelector, '', `${field}.podSelector`, report);
  const namespaces = readNamespaces(namespaceSelector, namespace, `${field}.namespaceSelector`, report);
  if (pods === undefined || namespaces === undefined) return undefined;
  // Nested as Calico nests it: the text is the identity of the kernel's set.
  return context.selection(selectorOf({ kind: 'and', operands: [namespaces, { kind: 'and', operands: [isPod, ...pods.terms] }] }));
}

function readNamespaces(selector: unknown, own: string, field: string, report: Report): SelectorNode | undefined {
  return isAbsent(selector) ? inNamespace(own) : readNamespaceSelector(selector, field, report);
}

/** What pods of the selected namespaces have in common. An absent selector is as an empty one: all that are known. */
export function readNamespaceSelector(selector: unknown, field: string, report: Report): SelectorNode | undefined {
  const namespaces = readLabelSelector(selector, 'pcns.', field, report);
  if (namespaces === undefined) return undefined;
  return { kind: 'and', operands: namespaces.needsLabel ? namespaces.terms : [namespaceIsKnown, ...namespaces.terms] };
}

function readIpBlock(value: unknown, field: string, report: Report): EntityMatch | undefined {
  const block = fieldsOf(value);
  if (block === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const known = knowsAll(block, ['cidr', 'except'], field, report);
  const cidr = readCidr(block['cidr'], `${field}.cidr`, report);
  const list = readList(block['except'], `${field}.except`, report);
  if (!known || cidr === undefined || list === undefined) return undefined;
  const excepts = list.map((entry, i) => {
    const except = readCidr(entry, `${field}.except[${i}]`, report);
    if (except === undefined || (except.prefix > cidr.prefix && containsCidr(cidr, except))) return except;
    report(`${field}.except[${i}]`, `${shown(entry)} is not strictly within ${formatCidr(cidr)}`, 'use a smaller network inside cidr');
    return undefined;
  });
  if (!excepts.every((except) => except !== undefined)) return undefined;
  const { ports, notPorts } = anyEntity;
  return { nets: [formatCidr(cidr)], notNets: excepts.map(formatCidr), ports, notPorts };
}

export function readCidr(value: unknown, field: string, report: Report): ReturnType<typeof parseCidr> {
  // A bare address is a CIDR elsewhere in the model, but not in this API.
  const cidr = typeof value === 'string' && value.includes('/') ? parseCidr(value) : undefined;
  if (cidr === undefined) report(field, `${shown(value)} is no CIDR`, 'write it like 10.0.0.0/24 or fd00::/64, without leading zeros');
  return cidr;
}
