// All that a packet is judged by, read once per world; and the packet itself, with its addresses read.

import type { Packet } from '../model/packet.ts';
import type { Decision, World } from '../model/verdict.ts';
import type { Address } from './cidr.ts';
import type { Cluster } from './cluster.ts';
import type { Policy, Tier } from './policy.ts';

export interface Rulebook {
  readonly options: World['options'];
  readonly cluster: Cluster;
  readonly policies: readonly Policy[];
  /** In order. */
  readonly tiers: readonly Tier[];
}

export interface AddressedPacket {
  readonly packet: Packet;
  readonly source: Address;
  readonly destination: Address;
}

/** A decision, and whether it ends the packet's way: an allowed packet may have further checks before it. */
export interface Step {
  readonly decision: Decision;
  readonly isFinal: boolean;
}

export function final(decision: Decision): Step {
  return { decision, isFinal: true };
}

export function conntrack({ connection }: Packet): 'allow' | 'deny' | undefined {
  if (connection === 'established' || connection === 'related') return 'allow';
  return connection === 'invalid' ? 'deny' : undefined;
}
