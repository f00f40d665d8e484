// Whom policies of administrators are about: the subject, and the peers of a rule. In: the wire form. Out: selectors of pods, or
// networks; undefined, with every problem reported, where the API server would refuse it.
//
// They mean pods, and pods only: no network set and no host endpoint, whose missing labels a NotIn or DoesNotExist would match.

import { formatCidr } from '../../model/net/cidr.ts';
import { anyEntity, type EntityMatch } from '../../model/rule.ts';
import type { Selector } from '../../model/selector/ast.ts';
import { selectorOf } from '../../model/selector/canonical.ts';
import { readLabelSelector } from './label-selector.ts';
import { isPod, readCidr, readNamespaceSelector } from './policy-peers.ts';
import type { Report } from './problem.ts';
import { fieldsOf, isAbsent, knowsAll, readList } from './wire.ts';

export interface PeerLimits {
  /** Peers of a rule. */
  readonly peers: number;
  /** Whether `pods` must say its namespaces; else none given are all. */
  readonly needsNamespaceSelector: boolean;
}

const maxNetworks = 25;

export function readSubject(value: unknown, limits: PeerLimits, report: Report): Selector | undefined {
  return readPods(value, ['namespaces', 'pods'], limits, 'spec.subject', report);
}

export function readAdminPeers(value: unknown, direction: 'ingress' | 'egress', limits: PeerLimits, field: string, report: Report): readonly EntityMatch[] | undefined {
  const list = readList(value, field, report);
  if (list === undefined) return undefined;
  const fits = list.length > 0 && list.length <= limits.peers;
  if (!fits) report(field, `must have 1 to ${limits.peers} entries`);
  const peers = list.map((peer, i) => readPeer(peer, direction, limits, `${field}[${i}]`, report));
  return fits && peers.every((peer) => peer !== undefined) ? peers : undefined;
}

function readPeer(value: unknown, direction: 'ingress' | 'egress', limits: PeerLimits, field: string, report: Report): EntityMatch | undefined {
  const networks = direction === 'egress' ? fieldsOf(value)?.['networks'] : undefined;
  if (isAbsent(networks)) {
    const selector = readPods(value, direction === 'egress' ? ['namespaces', 'pods', 'networks'] : ['namespaces', 'pods'], limits, field, report);
    return selector && { ...anyEntity, selector };
  }
  const known = knowsAll(fieldsOf(value) ?? {}, ['networks'], field, report);
  const list = readList(networks, `${field}.networks`, report) ?? [];
  const fits = list.length > 0 && list.length <= maxNetworks;
  if (!fits) report(`${field}.networks`, `must have 1 to ${maxNetworks} entries`);
  const nets = list.map((entry, i) => readCidr(entry, `${field}.networks[${i}]`, report));
  return known && fits && nets.every((net) => net !== undefined) ? { ...anyEntity, nets: [...new Set(nets.map(formatCidr))] } : undefined;
}

/** Of `namespaces` and `pods` exactly one. */
function readPods(value: unknown, names: readonly string[], limits: PeerLimits, field: string, report: Report): Selector | undefined {
  const choice = fieldsOf(value);
  if (choice === undefined || !knowsAll(choice, names, field, report)) {
    if (choice === undefined) report(field, 'must be an object');
    return undefined;
  }
  const { namespaces, pods } = choice;
  if (isAbsent(namespaces) === isAbsent(pods)) {
    report(field, isAbsent(pods) ? 'names nobody' : 'names namespaces and pods', `give one of ${names.join(', ')}`);
    return undefined;
  }
  if (isAbsent(pods)) {
    const all = readNamespaceSelector(namespaces, `${field}.namespaces`, report);
    return all && selectorOf({ kind: 'and', operands: [all, isPod] });
  }
  const both = fieldsOf(pods);
  if (both === undefined) {
    report(`${field}.pods`, 'must be an object');
    return undefined;
  }
  const known = knowsAll(both, ['namespaceSelector', 'podSelector'], `${field}.pods`, report);
  for (const name of limits.needsNamespaceSelector ? ['namespaceSelector', 'podSelector'] : ['podSelector']) {
    if (isAbsent(both[name])) report(`${field}.pods.${name}`, 'is missing', 'write {} to select all');
  }
  const selected = readLabelSelector(both['podSelector'], '', `${field}.pods.podSelector`, report);
  const within = readNamespaceSelector(both['namespaceSelector'], `${field}.pods.namespaceSelector`, report);
  const complete = !isAbsent(both['podSelector']) && !(limits.needsNamespaceSelector && isAbsent(both['namespaceSelector']));
  if (!known || !complete || selected === undefined || within === undefined) return undefined;
  return selectorOf({ kind: 'and', operands: [within, { kind: 'and', operands: [isPod, ...selected.terms] }] });
}
