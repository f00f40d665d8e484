// What can be a member of sets: workload endpoints, host endpoints and network sets, as one shape. In: the values of sync. Out: labels,
// and addresses and networks as sets hold them, each once.

import type { SetUse } from '../model/desired.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { HostEndpoint } from '../model/host-endpoint.ts';
import type { EndpointPort } from '../model/net/port.ts';
import { protocolText } from '../model/net/protocol.ts';
import type { NetworkSet } from '../model/network-set.ts';
import type { Labelled } from './index/labelled-items.ts';
import type { NamedPort } from './set-definition.ts';

export interface Contributor extends Labelled {
  /** Addresses and CIDRs, distinct, as members are written: "10.0.0.1" and never "10.0.0.1/32", nothing wider than /1. */
  readonly addresses: readonly string[];
  readonly ports: readonly EndpointPort[];
  /** Counts where more members can only close: sets of use "deny". */
  readonly isBroken?: true;
}

/** A hash:net set cannot hold a network of length 0. */
const halves4: readonly string[] = ['0.0.0.0/1', '128.0.0.0/1'];
const halves6: readonly string[] = ['::/1', '8000::/1'];

const noPorts: readonly EndpointPort[] = [];

/** As members. */
export const everyAddress: readonly string[] = [...halves4, ...halves6];

/** The endpoint itself, nearly always: there are very many. */
export function workloadContributor(endpoint: WorkloadEndpoint): Contributor {
  const addresses = distinct(endpoint.addresses);
  return addresses === endpoint.addresses ? endpoint : { ...endpoint, addresses };
}

/** Addresses that are only found on the interface do not count. */
export function hostContributor({ labels, profiles, expectedAddresses, ports, isBroken }: HostEndpoint): Contributor {
  if (isBroken === true) return { labels, profiles, addresses: everyAddress, ports: noPorts, isBroken };
  return { labels, profiles, addresses: distinct(expectedAddresses), ports };
}

export function networkSetContributor({ labels, profiles, nets, isBroken }: NetworkSet): Contributor {
  if (isBroken === true) return { labels, profiles, addresses: everyAddress, ports: noPorts, isBroken };
  return { labels, profiles, addresses: distinct(nets.flatMap(asMembers)), ports: noPorts };
}

/** The members that one address of an item gives to a set of this use that the item matches. */
export function contributions(use: SetUse, port: NamedPort | undefined, item: Contributor, address: string): readonly string[] {
  if (item.isBroken === true && use !== 'deny') return [];
  if (port === undefined) return [address];
  const members = item.ports.filter((offered) => isNamed(offered, port)).map(({ protocol, port: number }) => `${address},${protocolText(protocol)}:${number}`);
  return members.length < 2 ? members : [...new Set(members)];
}

/**
 * Whether the address of the item gives this member, one of the address's, to such a set. Asked for each member of a change: a pod may
 * have tens of thousands of ports, so none of the others is written out.
 */
export function contributes(use: SetUse, port: NamedPort | undefined, item: Contributor, member: string): boolean {
  if (item.isBroken === true && use !== 'deny') return false;
  if (port === undefined) return true;
  const colon = member.lastIndexOf(':');
  const number = Number(member.slice(colon + 1));
  const protocol = member.slice(member.lastIndexOf(',') + 1, colon);
  return item.ports.some((offered) => offered.port === number && isNamed(offered, port) && protocolText(offered.protocol) === protocol);
}

function isNamed(offered: EndpointPort, { name, protocol }: NamedPort): boolean {
  return offered.name === name && (protocol === undefined || protocol === offered.protocol);
}

/** The address or network that gave a member. */
export function addressOf(member: string): string {
  const comma = member.indexOf(',');
  return comma < 0 ? member : member.slice(0, comma);
}

function asMembers(net: string): string | readonly string[] {
  const isIpv6 = net.includes(':');
  if (net.endsWith('/0')) return isIpv6 ? halves6 : halves4;
  const full = isIpv6 ? '/128' : '/32';
  return net.endsWith(full) ? net.slice(0, -full.length) : net;
}

/** The list itself where it repeats nothing. */
function distinct(list: readonly string[]): readonly string[] {
  if (list.length < 2) return list;
  const once = new Set(list);
  return once.size === list.length ? list : [...once];
}
