// One end (`source` or `destination`) of a rule of Calico's policies. Its parts are all wanted; the entries of a list are alternatives.
//
//   nets, notNets                 the address; a list in which the packet's family does not occur is about the other family only,
//                                 and so is its rule
//   namespaceSelector, serviceAccounts, selector
//                                 together one selector; some pod, host endpoint or network set at the address must meet it
//   notSelector                   beside one of those: that same item must not meet it; alone: no item at the address may
//   ports, notPorts               numbers, or names that the pods and host endpoints at the address offer: those that meet the selector
//                                 themselves; that a network set covers them does not count
//   services                      the addresses behind a Service; as a destination with their own ports and protocols
//
// The wire form is read in entity-rule-reader.ts.

import type { Packet } from '../model/packet.ts';
import { contains, isSameAddress } from './cidr.ts';
import type { Address, Cidr } from './cidr.ts';
import type { Cluster, Labelled } from './cluster.ts';
import type { IpPort } from './ip-port.ts';
import { evaluate } from './selector.ts';
import type { Selector } from './selector.ts';

export interface EntityRule {
  readonly nets: readonly Cidr[];
  readonly notNets: readonly Cidr[];
  readonly selector: Selector | 'none';
  readonly notSelector: Selector | 'none';
  readonly ports: readonly IpPort[];
  readonly notPorts: readonly IpPort[];
  /** "namespace/name". */
  readonly service: string | undefined;
}

/** One end of a packet. */
export interface End {
  readonly side: 'source' | 'destination';
  readonly address: Address;
  readonly packet: Packet;
  readonly cluster: Cluster;
}

/** `use`: what the rule does to the traffic it matches. What is broken counts where it can only close: see network-set.ts. */
export function entityMatches(entity: EntityRule, end: End, use: 'allow' | 'deny' | 'pass'): boolean {
  return netsMatch(entity, end.address) && labelsMatch(entity, end, use) && portsMatch(entity, end) && serviceMatches(entity, end, use);
}

function netsMatch({ nets, notNets }: EntityRule, address: Address): boolean {
  for (const list of [nets, notNets]) if (list.length > 0 && !list.some(({ family }) => family === address.family)) return false;
  return (nets.length === 0 || nets.some((net) => contains(net, address))) && !notNets.some((net) => contains(net, address));
}

function labelsMatch({ selector, notSelector }: EntityRule, { address, cluster }: End, use: 'allow' | 'deny' | 'pass'): boolean {
  if (selector !== 'none') return cluster.labelledAt(address, use === 'deny').some((item) => isMeant(item, selector, notSelector));
  if (notSelector === 'none') return true;
  return !cluster.labelledAt(address, use === 'allow').some((item) => evaluate(notSelector, item.labels));
}

function isMeant({ labels }: Labelled, selector: Selector | 'none', notSelector: Selector | 'none'): boolean {
  return selector === 'none' || (evaluate(selector, labels) && (notSelector === 'none' || !evaluate(notSelector, labels)));
}

function portsMatch({ selector, notSelector, ports, notPorts }: EntityRule, { side, address, packet, cluster }: End): boolean {
  const number = side === 'source' ? packet.sourcePort : packet.destinationPort;
  const isPort = (port: IpPort): boolean => {
    if (number === undefined) return false;
    if ('first' in port) return port.first <= number && number <= port.last;
    const offering = cluster.labelledAt(address, false).filter((item) => isMeant(item, selector, notSelector));
    return offering.some((item) => item.ports.some((offered) => offered.name === port.name && offered.protocol === packet.protocol && offered.port === number));
  };
  return (ports.length === 0 || ports.some(isPort)) && !notPorts.some(isPort);
}

function serviceMatches({ service }: EntityRule, { side, address, packet, cluster }: End, use: 'allow' | 'deny' | 'pass'): boolean {
  if (service === undefined) return true;
  return cluster.slicesOf(service).some((slice) => {
    if (slice.addresses === 'broken') return use === 'deny';
    if (!slice.addresses.some((each) => isSameAddress(each, address))) return false;
    return side === 'source' || slice.ports.some(({ protocol, port }) => protocol === packet.protocol && port === packet.destinationPort);
  });
}
