// What host endpoints say about a packet: traffic that begins or ends at the node, and what the node forwards, as it passes an
// interface that a HostEndpoint is about. Written from Calico's documentation of host endpoints and from the order of its chains.
//
//   received ─▶ untracked policies ─▶ pre-DNAT policies ─┬▶ to the host: conntrack ─▶ failsafe ports ─▶ policies ─▶ profiles
//     (allow: all is allowed, untracked)  (allow: likewise) └▶ forwarded: conntrack ─▶ policies with applyOnForward, if there are any
//   sent ─▶ untracked policies ─▶ conntrack ─▶ failsafe ports ─▶ policies ─▶ profiles
//
// A host endpoint named "*" is about all interfaces that have no other one; of what is forwarded that includes workloads' own.
// Untracked policies do not know it. Packets are judged as if they had not been through DNAT.

import type { Decision } from '../model/verdict.ts';
import { endpointVerdict, tierVerdict } from './endpoint-verdict.ts';
import { isFailsafe, isUntrackedFailsafe } from './failsafe.ts';
import type { HostEndpoint } from './host-endpoint.ts';
import type { Direction, Policy, Traffic } from './policy.ts';
import { conntrack, final } from './rulebook.ts';
import type { AddressedPacket, Rulebook, Step } from './rulebook.ts';

/** The host endpoint that an interface is, or the one for all of them. */
function hostEndpointOf({ cluster }: Rulebook, interfaceName: string): HostEndpoint | undefined {
  return cluster.hostEndpointAt(interfaceName) ?? cluster.hostEndpointAt('*');
}

/** Asked before conntrack; undefined when nothing was said. */
export function untrackedVerdict(rulebook: Rulebook, addressed: AddressedPacket, direction: Direction, interfaceName: string): Decision | undefined {
  const endpoint = rulebook.cluster.hostEndpointAt(interfaceName);
  if (endpoint === undefined || endpoint.interfaceName === '*') return undefined;
  const traffic = trafficAt(rulebook, addressed, direction, endpoint);
  return isUntrackedFailsafe(traffic, rulebook.options) ? undefined : tierVerdict(traffic, rulebook.tiers, staged(rulebook, 'untracked'), 'continue');
}

/** Asked about what comes in, before it is known where to; undefined when nothing was said. */
export function preDnatVerdict(rulebook: Rulebook, addressed: AddressedPacket, interfaceName: string): Decision | undefined {
  const endpoint = hostEndpointOf(rulebook, interfaceName);
  if (endpoint === undefined) return undefined;
  const traffic = trafficAt(rulebook, addressed, 'ingress', endpoint);
  const policies = staged(rulebook, 'pre-dnat').filter((policy) => policy.selects(endpoint) && policy.rules.ingress !== undefined);
  const known = conntrack(addressed.packet);
  if (policies.length === 0 || known === 'allow') return undefined;
  if (known === 'deny') return { direction: 'ingress', endpoint: endpoint.key, action: 'deny', reason: 'conntrack' };
  return isFailsafe(traffic, rulebook.options) ? undefined : tierVerdict(traffic, rulebook.tiers, policies, 'continue');
}

/** Of traffic that ends (ingress) or begins (egress) at the host; nothing where the interface is no host endpoint. */
export function ownTraffic(rulebook: Rulebook, addressed: AddressedPacket, direction: Direction, interfaceName: string): readonly Step[] {
  const endpoint = hostEndpointOf(rulebook, interfaceName);
  if (endpoint === undefined) return [];
  const traffic = trafficAt(rulebook, addressed, direction, endpoint);
  const about = { direction, endpoint: endpoint.key };
  const known = conntrack(addressed.packet);
  if (known !== undefined) return [final({ ...about, action: known, reason: 'conntrack' })];
  if (isFailsafe(traffic, rulebook.options)) return [final({ ...about, action: 'allow', reason: 'failsafe' })];
  return [final(endpointVerdict(traffic, rulebook.tiers, rulebook.policies))];
}

/** Of traffic that the host forwards; nothing when no policy was made for that. */
export function forwarded(rulebook: Rulebook, addressed: AddressedPacket, direction: Direction, interfaceName: string): readonly Step[] {
  const endpoint = hostEndpointOf(rulebook, interfaceName);
  if (endpoint === undefined) return [];
  const known = conntrack(addressed.packet);
  if (known !== undefined) return [final({ direction, endpoint: endpoint.key, action: known, reason: 'conntrack' })];
  const policies = staged(rulebook, 'normal').filter(({ appliesOnForward }) => appliesOnForward);
  const decision = tierVerdict(trafficAt(rulebook, addressed, direction, endpoint), rulebook.tiers, policies, 'deny');
  return decision === undefined ? [] : [{ decision, isFinal: false }];
}

function staged({ policies }: Rulebook, stage: Policy['stage']): readonly Policy[] {
  return policies.filter((policy) => policy.stage === stage);
}

function trafficAt({ cluster }: Rulebook, addressed: AddressedPacket, direction: Direction, endpoint: HostEndpoint): Traffic {
  return { direction, endpoint, cluster, ...addressed };
}
