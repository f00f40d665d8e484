// One entry of `from` or `to` of the network policy API: pods, chosen by their namespaces or by those and their own labels; on
// egress also networks. Pods only: neither network sets nor hosts are meant. In: the wire form. Out: who is meant, as peers of
// which any may match; undefined, and reported, for anything else, such as the experimental nodes and domainNames.

import { parseCidr } from './cidr.ts';
import { readLabelSelector, readPodSelector } from './label-selector.ts';
import type { Peer, PodPeer } from './network-policy-peer.ts';
import type { Direction } from './policy.ts';
import { fieldsOf, fits, isAbsent, knowsAll, readAll, readList } from './wire.ts';
import type { Report } from './wire.ts';

/** Of the API. */
const maxNetworks = 25;

export function readAdminPeer(value: unknown, direction: Direction, mayOmitNamespaces: boolean, field: string, report: Report): readonly Peer[] | undefined {
  const pods = readPods(value, direction === 'ingress' ? ['namespaces', 'pods'] : ['namespaces', 'pods', 'networks'], mayOmitNamespaces, field, report);
  if (pods !== 'other') return pods && [pods];
  const list = readList(fieldsOf(value)?.['networks'], `${field}.networks`, report);
  if (list?.length === 0) report(`${field}.networks`, 'must have an entry');
  const isShort = fits(list, maxNetworks, `${field}.networks`, report);
  if (list === undefined || list.length === 0 || !isShort) return undefined;
  return readAll(list, `${field}.networks`, (text, at) => {
    const cidr = typeof text === 'string' ? parseCidr(text) : undefined;
    if (cidr === undefined) report(at, `${JSON.stringify(text)} is no CIDR`);
    return cidr && { kind: 'block', cidr, except: [] };
  });
}

/** An object of exactly one of these fields; "other" when it is neither namespaces nor pods. */
export function readPods(value: unknown, fields: readonly string[], mayOmitNamespaces: boolean, field: string, report: Report): PodPeer | 'other' | undefined {
  const choice = fieldsOf(value) ?? {};
  if (!knowsAll(choice, fields, field, report)) return undefined;
  const given = fields.filter((name) => !isAbsent(choice[name]));
  if (given.length !== 1) {
    report(field, `must have exactly one of ${fields.join(', ')}`);
    return undefined;
  }
  if (given[0] === 'networks') return 'other';
  if (given[0] === 'namespaces') {
    const namespaceSelector = readLabelSelector(choice['namespaces'], `${field}.namespaces`, report);
    return namespaceSelector && { kind: 'pods', podSelector: [], namespaceSelector };
  }
  const pods = fieldsOf(choice['pods']);
  if (pods === undefined) {
    report(`${field}.pods`, 'must be an object');
    return undefined;
  }
  const isKnown = knowsAll(pods, ['namespaceSelector', 'podSelector'], `${field}.pods`, report);
  const required = mayOmitNamespaces ? ['podSelector'] : ['podSelector', 'namespaceSelector'];
  const missing = required.filter((name) => isAbsent(pods[name]));
  for (const name of missing) report(`${field}.pods.${name}`, 'must be given');
  const podSelector = readPodSelector(pods['podSelector'], `${field}.pods.podSelector`, report);
  const namespaceSelector = readLabelSelector(pods['namespaceSelector'], `${field}.pods.namespaceSelector`, report);
  if (!isKnown || missing.length > 0 || !podSelector || !namespaceSelector) return undefined;
  return { kind: 'pods', podSelector, namespaceSelector };
}
