// The subject of a policy of the network policy API: pods, chosen by their namespaces, or by those and their own labels. In: the wire
// form. Out: whom it selects; undefined, and reported, where it cannot be read.

import { readPods } from './admin-peer.ts';
import type { Endpoint } from './cluster.ts';
import { peerSelects } from './network-policy-peer.ts';
import type { Report } from './wire.ts';

export function readSubject(value: unknown, mayOmitNamespaces: boolean, field: string, report: Report): ((endpoint: Endpoint) => boolean) | undefined {
  const pods = readPods(value, ['namespaces', 'pods'], mayOmitNamespaces, field, report);
  if (pods === undefined || pods === 'other') return undefined;
  return (endpoint) => peerSelects(pods, endpoint, '');
}
