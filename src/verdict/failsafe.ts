// Ports that stay open on every host endpoint, so that a policy cannot lock everybody out. In: the node's own lists. Out: whether a
// packet is one of these.

import type { World } from '../model/verdict.ts';
import { contains, parseCidr } from './cidr.ts';
import type { Direction, Traffic } from './policy.ts';

/** What a normal or pre-DNAT policy cannot deny: connections to these ports. */
export function isFailsafe({ direction, packet, source, destination }: Omit<Traffic, 'endpoint'>, options: World['options']): boolean {
  const peer = direction === 'ingress' ? source : destination;
  return listOf(direction, options).some(
    ({ protocol, port, net }) => protocol === packet.protocol && port === packet.destinationPort && isIn(net, peer),
  );
}

/** Untracked policies see replies, too: those of connections to the other direction's ports pass as well. */
export function isUntrackedFailsafe(traffic: Omit<Traffic, 'endpoint'>, options: World['options']): boolean {
  const { direction, packet, source, destination } = traffic;
  const peer = direction === 'ingress' ? source : destination;
  const isReply = listOf(direction === 'ingress' ? 'egress' : 'ingress', options).some(
    ({ protocol, port, net }) => protocol === packet.protocol && port === packet.sourcePort && isIn(net, peer),
  );
  return isReply || isFailsafe(traffic, options);
}

function listOf(direction: Direction, options: World['options']): NonNullable<World['options']['failsafeInbound']> {
  return (direction === 'ingress' ? options.failsafeInbound : options.failsafeOutbound) ?? [];
}

function isIn(net: string | undefined, address: Parameters<typeof contains>[1]): boolean {
  if (net === undefined) return true;
  const cidr = parseCidr(net);
  return cidr !== undefined && contains(cidr, address);
}
