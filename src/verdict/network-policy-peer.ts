// One entry of `from` or `to` of a NetworkPolicy. In: the wire form. Out: who is meant; undefined, with every problem reported,
// where the API server would refuse it.

import { contains, isStrictlyWithin, parseCidr } from './cidr.ts';
import type { Address, Cidr } from './cidr.ts';
import type { Cluster, Endpoint } from './cluster.ts';
import { readLabelSelector, readPodSelector, selects } from './label-selector.ts';
import type { LabelSelector } from './label-selector.ts';
import { fieldsOf, isAbsent, knowsAll, readAll, readList } from './wire.ts';
import type { Report } from './wire.ts';

export type Peer =
  | { readonly kind: 'any' }
  | { readonly kind: 'block'; readonly cidr: Cidr; readonly except: readonly Cidr[] }
  | PodPeer;

/** Without a namespace selector: pods of the policy's own namespace. */
export interface PodPeer {
  readonly kind: 'pods';
  readonly podSelector: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
}

/** Undefined when the peer does not mean the address; otherwise the endpoints there that it means. */
export function peerMatches(
  peer: Peer,
  address: Address,
  policyNamespace: string,
  cluster: Cluster,
): { readonly endpoints: readonly Endpoint[] } | undefined {
  const there = cluster.endpointsAt(address);
  switch (peer.kind) {
    case 'any':
      return { endpoints: there };
    case 'block': {
      const isMeant = contains(peer.cidr, address) && !peer.except.some((hole) => contains(hole, address));
      return isMeant ? { endpoints: there } : undefined;
    }
    case 'pods': {
      const endpoints = there.filter((endpoint) => peerSelects(peer, endpoint, policyNamespace));
      return endpoints.length > 0 ? { endpoints } : undefined;
    }
  }
}

export function peerSelects({ podSelector, namespaceSelector }: PodPeer, endpoint: Endpoint, policyNamespace: string): boolean {
  return isInNamespace(endpoint, namespaceSelector, policyNamespace) && selects(podSelector, endpoint.labels);
}

/**
 * A namespace selector, even the empty one, never matches a pod whose Namespace is absent: its labels are not known, and
 * NotIn or DoesNotExist would otherwise open what they may be meant to keep out. The policy's own namespace goes by name.
 */
function isInNamespace(endpoint: Endpoint, selector: LabelSelector | undefined, policyNamespace: string): boolean {
  if (selector === undefined) return endpoint.namespace === policyNamespace;
  return endpoint.namespaceLabels !== undefined && selects(selector, endpoint.namespaceLabels);
}

export function readPeer(value: unknown, field: string, report: Report): Peer | undefined {
  const peer = fieldsOf(value);
  if (peer === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  if (!knowsAll(peer, ['podSelector', 'namespaceSelector', 'ipBlock'], field, report)) return undefined;
  const { podSelector, namespaceSelector, ipBlock } = peer;
  const hasSelector = !isAbsent(podSelector) || !isAbsent(namespaceSelector);
  if (isAbsent(ipBlock) && !hasSelector) {
    report(field, 'must have a podSelector, a namespaceSelector or an ipBlock');
    return undefined;
  }
  if (!isAbsent(ipBlock)) {
    const block = readBlock(ipBlock, `${field}.ipBlock`, report);
    if (!hasSelector) return block;
    report(field, 'may not have an ipBlock together with selectors');
    return undefined;
  }
  const pods = readPodSelector(podSelector, `${field}.podSelector`, report);
  if (isAbsent(namespaceSelector)) return pods && { kind: 'pods', podSelector: pods };
  const namespaces = readLabelSelector(namespaceSelector, `${field}.namespaceSelector`, report);
  return pods && namespaces && { kind: 'pods', podSelector: pods, namespaceSelector: namespaces };
}

function readBlock(value: unknown, field: string, report: Report): Peer | undefined {
  const block = fieldsOf(value);
  if (block === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const isKnown = knowsAll(block, ['cidr', 'except'], field, report);
  const cidr = readCidr(block['cidr'], `${field}.cidr`, report);
  const holes = readList(block['except'], `${field}.except`, report);
  const except =
    holes &&
    readAll(holes, `${field}.except`, (hole, at) => {
      const inner = readCidr(hole, at, report);
      if (inner === undefined || cidr === undefined || isStrictlyWithin(inner, cidr)) return inner;
      report(at, `${String(hole)} must be a strict part of ${String(block['cidr'])}`);
      return undefined;
    });
  return isKnown && cidr && except ? { kind: 'block', cidr, except } : undefined;
}

function readCidr(value: unknown, field: string, report: Report): Cidr | undefined {
  const cidr = typeof value === 'string' ? parseCidr(value) : undefined;
  if (cidr === undefined) report(field, `${JSON.stringify(value)} is no CIDR`);
  return cidr;
}
