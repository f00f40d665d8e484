// What a desired state says of a packet, by the words of model/desired.ts alone: the calculation's answer before anything renders it.
// New connections that a node forwards, between interfaces of workloads and of the host, and those of the host itself.

import { BlockList } from 'node:net';
import type { ActiveEndpoint, ActiveEntity, ActiveHostEndpoint, ActiveRule, EndpointTier } from '../../src/model/desired.ts';
import type { Packet } from '../../src/model/packet.ts';
import type { World } from '../../src/model/verdict.ts';
import type { DesiredState } from './desired-state.ts';

type Direction = 'ingress' | 'egress';
type Answer = 'allow' | 'deny' | 'none';

const protocolNames: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

export class DesiredVerdict {
  readonly #state: DesiredState;
  readonly #options: World['options'];
  readonly #byInterface: ReadonlyMap<string, ActiveEndpoint>;
  readonly #nets = new Map<string, BlockList>();

  /** `options` as the dataplane finds them: which interfaces are workloads', and the addresses of those of the host. */
  constructor(state: DesiredState, options: World['options']) {
    this.#state = state;
    this.#options = options;
    this.#byInterface = new Map([...state.endpoints.values()].map((endpoint) => [endpoint.interfaceName, endpoint]));
  }

  /** Everybody whom the packet meets must allow it; an interface of a workload that is no endpoint denies. */
  isAllowed(packet: Packet): boolean {
    const { inInterface = '', outInterface = '' } = packet;
    const [first, last] = [this.#hostAt(inInterface), this.#hostAt(outInterface)];
    // Untracked policies know interfaces of the host by name only.
    const isNamed = first !== undefined && first.interfaceName !== '*';
    const early = isNamed ? this.#tiers(first.untracked, 'ingress', packet, 'none') : 'none';
    const beforeDnat = first === undefined || early !== 'none' ? early : this.#tiers(first.preDnat, 'ingress', packet, 'none');
    const inward = first === undefined || beforeDnat !== 'none' ? beforeDnat : this.#tiers(first.forward, 'ingress', packet);
    const outward = last === undefined ? 'none' : this.#tiers(last.forward, 'egress', packet);
    return inward !== 'deny' && this.#allowsWorkload(inInterface, 'egress', packet) && this.#allowsWorkload(outInterface, 'ingress', packet) && outward !== 'deny';
  }

  /** Of the host itself, by an interface that is no workload's: without a host endpoint nobody polices it. */
  isOwnAllowed(packet: Packet): boolean {
    const { inInterface, outInterface = '' } = packet;
    const direction = inInterface === undefined ? 'egress' : 'ingress';
    const host = this.#hostAt(inInterface ?? outInterface);
    if (host === undefined) return true;
    const untracked = host.interfaceName === '*' ? 'none' : this.#tiers(host.untracked, direction, packet, 'none');
    const early = untracked === 'none' && direction === 'ingress' ? this.#tiers(host.preDnat, direction, packet, 'none') : untracked;
    const answer = early === 'none' ? this.#tiers(host.normal, direction, packet) : early;
    return answer === 'none' ? this.#profilesAllow(host.profiles, direction, packet) : answer === 'allow';
  }

  /** Of several that name the interface, or have an address of it and name none, the first one counts. */
  #hostAt(interfaceName: string): ActiveHostEndpoint | undefined {
    const hosts = [...this.#state.hostEndpoints.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    const there = this.#options.hostInterfaces?.[interfaceName] ?? [];
    const isIt = ({ interfaceName: name, expectedAddresses }: ActiveHostEndpoint): boolean => (name === '' ? expectedAddresses.some((address) => there.includes(address)) : name === interfaceName);
    return hosts.find(isIt) ?? hosts.find((host) => host.interfaceName === '*');
  }

  #isWorkload(interfaceName: string): boolean {
    return this.#options.interfacePrefixes.some((prefix) => interfaceName.startsWith(prefix));
  }

  #allowsWorkload(interfaceName: string, direction: Direction, packet: Packet): boolean {
    if (!this.#isWorkload(interfaceName)) return true;
    const endpoint = this.#byInterface.get(interfaceName);
    if (endpoint === undefined || (direction === 'egress' && !endpoint.addresses.includes(packet.source))) return false;
    const answer = this.#tiers(endpoint.tiers, direction, packet);
    return answer === 'none' ? this.#profilesAllow(endpoint.profiles, direction, packet) : answer === 'allow';
  }

  #profilesAllow(names: readonly string[], direction: Direction, packet: Packet): boolean {
    const rules = names.flatMap((name) => this.#state.profiles.get(name)?.[direction] ?? []);
    return this.#firstMatch(rules, packet)?.action === 'allow';
  }

  #tiers(tiers: readonly EndpointTier[], direction: Direction, packet: Packet, atTheEnd?: 'none'): Answer {
    for (const tier of tiers) {
      const action = this.#tierAction(tier, direction, packet);
      if (action === 'allow' || action === 'deny') return action;
      if (action === 'end' && tier.defaultAction === 'deny' && atTheEnd === undefined) return 'deny';
    }
    return 'none';
  }

  /** end: policies were asked, and none of their rules matched. */
  #tierAction(tier: EndpointTier, direction: Direction, packet: Packet): 'allow' | 'deny' | 'pass' | 'end' {
    if (tier[direction].length === 0) return 'pass';
    const rules = tier[direction].flatMap((key) => this.#state.policies.get(key)?.[direction] ?? []);
    const action = this.#firstMatch(rules, packet)?.action;
    return action === undefined || action === 'log' ? 'end' : action;
  }

  #firstMatch(rules: readonly ActiveRule[], packet: Packet): ActiveRule | undefined {
    return rules.find((rule) => rule.action !== 'log' && this.#matches(rule, packet));
  }

  #matches(rule: ActiveRule, packet: Packet): boolean {
    const { ipVersion, protocol, notProtocol, icmp, notIcmp } = rule;
    const isIcmp = ({ type, code }: { readonly type: number; readonly code?: number }): boolean =>
      packet.icmp?.type === type && (code === undefined || packet.icmp.code === code);
    return (
      (ipVersion === undefined || ipVersion === packet.family) &&
      (protocol === undefined || protocol === packet.protocol) &&
      (notProtocol === undefined || notProtocol !== packet.protocol) &&
      (icmp === undefined || isIcmp(icmp)) &&
      (notIcmp === undefined || !isIcmp(notIcmp)) &&
      this.#isEnd(rule.source, packet, packet.source, packet.sourcePort) &&
      this.#isEnd(rule.destination, packet, packet.destination, packet.destinationPort)
    );
  }

  #isEnd(end: ActiveEntity, { family, protocol }: Packet, address: string, port: number | undefined): boolean {
    const ofFamily = (list: readonly string[]): boolean => list.length === 0 || list.some((net) => net.includes(':') === (family === 6));
    const covers = (nets: readonly string[]): boolean => this.#list(nets, family).check(address, family === 6 ? 'ipv6' : 'ipv4');
    const isIn = (id: string): boolean => covers([...this.#members(id)]);
    const offers = (id: string): boolean => this.#members(id).has(`${address},${protocolNames[protocol] ?? ''}:${port ?? ''}`);
    const isOf = (ranges: ActiveEntity['ports'], sets: readonly string[]): boolean =>
      port !== undefined && (ranges.some(({ first, last }) => first <= port && port <= last) || sets.some(offers));
    return (
      ofFamily(end.nets) &&
      ofFamily(end.notNets) &&
      (end.nets.length === 0 || covers(end.nets)) &&
      !covers(end.notNets) &&
      end.sets.every(isIn) &&
      !end.notSets.some(isIn) &&
      (end.ports.length + end.portSets.length === 0 || isOf(end.ports, end.portSets)) &&
      !isOf(end.notPorts, end.notPortSets) &&
      end.serviceSets.every(offers)
    );
  }

  #members(id: string): ReadonlySet<string> {
    const set = this.#state.sets.get(id);
    if (set === undefined) throw new Error(`no set ${id}`);
    return set.members;
  }

  /** Those of one family: a BlockList takes an IPv4 address for the IPv6 one that stands for it. */
  #list(nets: readonly string[], family: 4 | 6): BlockList {
    const key = `${family} ${nets.join()}`;
    const known = this.#nets.get(key);
    if (known !== undefined) return known;
    const list = new BlockList();
    for (const net of nets.filter((each) => each.includes(':') === (family === 6))) {
      const [address = '', prefix = family === 6 ? '128' : '32'] = net.split('/');
      list.addSubnet(address, Number(prefix), family === 6 ? 'ipv6' : 'ipv4');
    }
    this.#nets.set(key, list);
    return list;
  }
}
