// What rules of Kubernetes' policies (NetworkPolicy, ClusterNetworkPolicy and its predecessors) have in common: who is meant, and on
// which ports.

import { peerMatches } from './network-policy-peer.ts';
import type { Peer } from './network-policy-peer.ts';
import { portMatches } from './network-policy-port.ts';
import type { RulePort } from './network-policy-port.ts';
import type { Traffic } from './policy.ts';

export interface KubernetesRule {
  /** Empty: any peer. */
  readonly peers: readonly Peer[];
  /** Empty: any protocol and port. */
  readonly ports: readonly RulePort[];
}

/**
 * A named port is looked up on the pods that have the destination address: on ingress that is the protected pod (and whoever
 * shares its address), on egress only those count that the peer means, when it means pods.
 */
export function kubernetesRuleMatches({ peers, ports }: KubernetesRule, namespace: string, traffic: Traffic): boolean {
  const { cluster, direction, source, destination } = traffic;
  const address = direction === 'ingress' ? source : destination;
  const everyone: readonly Peer[] = [{ kind: 'any' }];
  return (peers.length === 0 ? everyone : peers).some((peer) => {
    const match = peerMatches(peer, address, namespace, cluster);
    if (match === undefined) return false;
    const receivers = direction === 'ingress' ? cluster.endpointsAt(destination) : match.endpoints;
    return ports.length === 0 || ports.some((port) => portMatches(port, traffic.packet, receivers));
  });
}
