// Compiles what a rule looks at into one function of a packet's facts, with the semantics of the kernel's own match code. What
// cannot be judged compiles into a function that throws, so that foreign rules do no harm until a packet reaches them.

import type { PortRange } from '../model/net/port.ts';
import type { Family } from '../model/packet.ts';
import type { Prefix } from './address.ts';
import { mask4, mask6 } from './address.ts';
import { SimulationError } from './errors.ts';
import type { KernelSet } from './kernel-set.ts';
import { stateBits } from './packet-facts.ts';
import type { PacketFacts } from './packet-facts.ts';
import { protocols } from './protocol-names.ts';
import type { Match, Negatable, Rule } from './rule.ts';

export type Condition = (facts: PacketFacts) => boolean;

const portProtocols: readonly number[] = [protocols.tcp, protocols.udp, protocols.udplite, protocols.sctp, protocols.dccp];

export interface Scope {
  readonly family: Family;
  readonly sets: ReadonlyMap<string, KernelSet>;
}

/** Why a rule cannot be judged, or undefined. */
export function problemOf(rule: Rule, scope: Scope): string | undefined {
  for (const match of rule.matches) {
    const problem = problemOfMatch(match, rule, scope);
    if (problem !== undefined) return problem;
  }
  return [rule.source, rule.destination].some((prefix) => prefix !== undefined && prefix.value.family !== scope.family)
    ? 'an address of the other family'
    : undefined;
}

function problemOfMatch(match: Match, rule: Rule, scope: Scope): string | undefined {
  const protocol = rule.protocol === undefined || rule.protocol.negated ? undefined : rule.protocol.value;
  switch (match.kind) {
    case 'unknown':
      return match.problem;
    case 'multiport':
      return protocol !== undefined && portProtocols.includes(protocol) ? undefined : 'multiport without a protocol that has ports';
    case 'ports':
      return protocol === protocols[match.protocol] ? undefined : `-m ${match.protocol} without -p ${match.protocol}`;
    case 'icmp':
      return protocol === (match.module === 'icmp' ? protocols.icmp : protocols.icmpv6) ? undefined : `-m ${match.module} without its protocol`;
    case 'set': {
      const set = scope.sets.get(match.set);
      return set === undefined ? `set ${match.set} does not exist` : set.problem;
    }
    default:
      return undefined;
  }
}

/** The conjunction of all matches of a rule; `undefined` when it matches every packet. */
export function compileCondition(rule: Rule, scope: Scope): Condition | undefined {
  const problem = problemOf(rule, scope);
  if (problem !== undefined) {
    return () => {
      throw new SimulationError(problem, rule.text);
    };
  }
  const conditions: Condition[] = [];
  if (rule.inInterface) conditions.push(interfaceCondition(rule.inInterface, (facts) => facts.inInterface));
  if (rule.outInterface) conditions.push(interfaceCondition(rule.outInterface, (facts) => facts.outInterface));
  if (rule.protocol) {
    const { negated, value } = rule.protocol;
    conditions.push((facts) => (facts.protocol === value) !== negated);
  }
  if (rule.source) conditions.push(prefixCondition(rule.source, (facts) => facts.source));
  if (rule.destination) conditions.push(prefixCondition(rule.destination, (facts) => facts.destination));
  for (const match of rule.matches) {
    const condition = matchCondition(match, rule, scope);
    if (condition !== undefined) conditions.push(condition);
  }
  return conjunction(conditions);
}

function conjunction(conditions: readonly Condition[]): Condition | undefined {
  const [first, second, third] = conditions;
  if (first === undefined) return undefined;
  if (second === undefined) return first;
  if (third === undefined) return (facts) => first(facts) && second(facts);
  return (facts) => {
    for (const condition of conditions) if (!condition(facts)) return false;
    return true;
  };
}

/** A packet without the interface in question has the empty name. */
function interfaceCondition({ negated, value }: Negatable<string>, nameOf: (facts: PacketFacts) => string): Condition {
  if (!value.endsWith('+')) return (facts) => (nameOf(facts) === value) !== negated;
  const prefix = value.slice(0, -1);
  return (facts) => nameOf(facts).startsWith(prefix) !== negated;
}

function prefixCondition({ negated, value: prefix }: Negatable<Prefix>, addressOf: (facts: PacketFacts) => number | bigint): Condition {
  if (prefix.family === 4) {
    const mask = mask4(prefix.length);
    const wanted = prefix.value | 0;
    return (facts) => (((addressOf(facts) as number) & mask) === wanted) !== negated;
  }
  const mask = mask6(prefix.length);
  const wanted = prefix.value;
  return (facts) => (((addressOf(facts) as bigint) & mask) === wanted) !== negated;
}

function matchCondition(match: Match, rule: Rule, scope: Scope): Condition | undefined {
  switch (match.kind) {
    case 'comment':
      return undefined;
    case 'mark': {
      const { value, mask, negated } = match;
      return (facts) => ((facts.mark & mask) >>> 0 === value) !== negated;
    }
    case 'set':
      return setCondition(match, scope.sets.get(match.set) as KernelSet);
    case 'multiport': {
      const { ports, negated, end } = match;
      return (facts) => {
        const [source, destination] = portsOf(facts, rule);
        const hit = (end !== 'destination' && anyRange(ports, source)) || (end !== 'source' && anyRange(ports, destination));
        return hit !== negated;
      };
    }
    case 'ports': {
      const { source, destination } = match;
      if (source === undefined && destination === undefined) return undefined;
      return (facts) => {
        const [from, to] = portsOf(facts, rule);
        return portMatches(source, from) && portMatches(destination, to);
      };
    }
    case 'conntrack': {
      const { negated } = match;
      const bits = match.states.reduce((sum, state) => sum | stateBits[state], 0);
      return (facts) => ((facts.states & bits) !== 0) !== negated;
    }
    case 'icmp':
      return icmpCondition(match, rule);
    case 'limit':
      return (facts) => facts.circumstances.limitsPermit ?? true;
    case 'addrtype':
      return addressTypeCondition(match, rule);
    case 'rpfilter': {
      const { invert } = match;
      return (facts) => {
        const { reversePathValid } = facts.circumstances;
        if (reversePathValid === undefined) throw new SimulationError('the reverse path of the packet is not known', rule.text);
        return reversePathValid !== invert;
      };
    }
    case 'unknown':
      throw new SimulationError(match.problem, rule.text);
  }
}

/** A set is asked on the dimensions it has; a match that names fewer directions than that is never in it (ip_set_test()). */
function setCondition({ negated, flags }: Extract<Match, { kind: 'set' }>, set: KernelSet): Condition {
  const bySource = flags[0] === 'src';
  const portBySource = flags[1] === 'src';
  if (flags.length < set.dimensions) return () => negated;
  return (facts) =>
    (facts.packet.family === set.family &&
      set.has(
        bySource ? facts.source : facts.destination,
        facts.protocol,
        portBySource ? facts.sourceSetPort : facts.destinationSetPort,
      )) !== negated;
}

function portsOf(facts: PacketFacts, rule: Rule): readonly [number, number] {
  if (facts.sourcePort < 0 || facts.destinationPort < 0) throw new SimulationError('the packet lacks the ports that a rule looks at', rule.text);
  return [facts.sourcePort, facts.destinationPort];
}

function anyRange(ranges: readonly PortRange[], port: number): boolean {
  for (const range of ranges) if (port >= range.first && port <= range.last) return true;
  return false;
}

function portMatches(wanted: Negatable<PortRange> | undefined, port: number): boolean {
  return wanted === undefined || (port >= wanted.value.first && port <= wanted.value.last) !== wanted.negated;
}

function icmpCondition({ negated, type, code }: Extract<Match, { kind: 'icmp' }>, rule: Rule): Condition {
  return (facts) => {
    if (facts.icmpType < 0) throw new SimulationError('the packet lacks the ICMP type that a rule looks at', rule.text);
    const hit = type === undefined || (facts.icmpType === type && (code === undefined || facts.icmpCode === code));
    return hit !== negated;
  };
}

function addressTypeCondition({ source, destination }: Extract<Match, { kind: 'addrtype' }>, rule: Rule): Condition {
  return (facts) => {
    const { localAddresses } = facts.circumstances;
    if (localAddresses === undefined) throw new SimulationError("the node's own addresses are not known", rule.text);
    return (
      (source === undefined || localAddresses.has(facts.packet.source) !== source.negated) &&
      (destination === undefined || localAddresses.has(facts.packet.destination) !== destination.negated)
    );
  };
}
