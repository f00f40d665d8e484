// One rule of a policy or profile as rules of a chain.
//
// In: an ActiveRule. Out: rules in order, none when the rule cannot match a packet of this family.
// Always holds: the result matches exactly what the rule says (the parts ANDed, the entries of a list ORed), and leaves no mark
// set but accept or pass.
//
// A match that one iptables rule cannot express becomes a block that keeps its result in a scratch mark:
//
//   clear scratch0, scratch1
//   <alternative> -> set scratch0          first list: any of these …
//   <alternative> -> set scratch1          second list: … and any of these
//   scratch1 clear -> clear scratch0
//   <exception>   -> clear scratch0        negated list: … and none of these
//   scratch0 set, other matches -> action

import type { ActiveEntity, ActiveRule } from '../../model/desired.ts';
import { familyOf } from '../../model/net/cidr.ts';
import type { Family } from '../../model/packet.ts';
import { encodeComment } from '../encoding.ts';
import { EncodingRefused } from '../errors.ts';
import { icmp, limit, markClear, markSet, net, ports, portSet, protocol, set } from './match.ts';
import type { End } from './match.ts';
import { denyTarget } from './options.ts';
import type { RenderOptions, SetNames } from './options.ts';
import { assignMark, builtin, clearMark, rule as makeRule, setMark } from './rule.ts';
import type { Match, Rule, Target } from './rule.ts';

const anyNet: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };
/**
 * iptables-restore takes 255 words and 10,239 characters for a rule. Lists of any length must not reach that: of the
 * exceptions of one end so many of each kind are in the rule itself, the others become a block; and comments end.
 */
const inlineExceptions = 2;
const commentCount = 8;
const commentLength = 1_000;
const icmpFamilies: Readonly<Record<number, Family>> = { 1: 4, 58: 6 };

/** `logPrefix` is the expanded prefix of Log rules. Throws EncodingRefused. */
export function policyRule(rule: ActiveRule, options: RenderOptions, setName: SetNames, logPrefix: string): Rule[] {
  const conditions = conditionsOf(rule, options.family, setName);
  if (conditions === undefined) return [];
  const { accept, pass } = options.marks;
  const rules = blocks(conditions, options);
  const matches = [...comments(rule), ...conditions.inline];
  if (rules.length > 0) matches.push(markSet(options.marks.scratch0));
  switch (rule.action) {
    case 'allow':
      return [...rules, makeRule(matches, setMark(accept)), makeRule([markSet(accept)], builtin('RETURN'))];
    case 'pass':
      return [...rules, makeRule(matches, setMark(pass)), makeRule([markSet(pass)], builtin('RETURN'))];
    case 'deny':
      return [...rules, makeRule(matches, denyTarget(options))];
    case 'log':
      if (options.logRateLimit !== '') matches.push(limit(options.logRateLimit, options.logRateLimitBurst));
      return [...rules, makeRule(matches, logTarget(logPrefix))];
  }
}

function logTarget(prefix: string): Target {
  return { text: `-j LOG --log-prefix "${prefix}: " --log-level 5` };
}

/** What its author wrote about the rule, on the rule that decides. */
function comments(rule: ActiveRule): Match[] {
  const matches: Match[] = [];
  let free = commentLength;
  for (const text of (rule.comments ?? []).map(encodeComment)) {
    free -= text.length;
    if (free < 0 || matches.length === commentCount) break;
    if (text !== '') matches.push({ text: `-m comment --comment "${text}"` });
  }
  return matches;
}

/** A rule taken apart. */
interface Conditions {
  /** ANDed, on the final rule. */
  readonly inline: Match[];
  /** Each a list of alternatives, each of which is ANDed matches. */
  readonly anyOf: (readonly (readonly Match[])[])[];
  readonly noneOf: (readonly Match[])[];
}

/** Undefined: no packet of this family can match. */
function conditionsOf(rule: ActiveRule, family: Family, setName: SetNames): Conditions | undefined {
  if (rule.ipVersion !== undefined && rule.ipVersion !== family) return undefined;
  if (rule.protocol !== undefined && rule.protocol === rule.notProtocol) return undefined;
  const conditions: Conditions = { inline: [], anyOf: [], noneOf: [] };
  const { inline } = conditions;
  // iptables takes one -p; a protocol that is given implies that it is no other.
  const protocolMatch = rule.protocol === undefined ? undefined : protocol(rule.protocol);
  if (protocolMatch !== undefined) inline.push(protocolMatch);
  else if (rule.notProtocol !== undefined) inline.push(protocol(rule.notProtocol, true));

  for (const [end, entity] of [['source', rule.source], ['destination', rule.destination]] as const) {
    if (!addNets(conditions, end, entity, family)) return undefined;
    for (const id of entity.sets) inline.push(set(end, setName(id)));
    for (const id of entity.notSets) inline.push(set(end, setName(id), true));
    addPorts(conditions, end, entity, rule.protocol, protocolMatch, setName);
    for (const id of entity.serviceSets) inline.push(portSet(end, setName(id)));
  }

  if (rule.icmp !== undefined || rule.notIcmp !== undefined) {
    const icmpFamily = rule.protocol === undefined ? undefined : icmpFamilies[rule.protocol];
    if (icmpFamily === undefined) throw new EncodingRefused('protocol for ICMP types', String(rule.protocol));
    if (icmpFamily !== family) return undefined;
    if (rule.icmp !== undefined) inline.push(icmp(family, rule.icmp));
    if (rule.notIcmp !== undefined) inline.push(icmp(family, rule.notIcmp, true));
  }
  return conditions;
}

/** False when nothing can match. */
function addNets(conditions: Conditions, end: End, entity: ActiveEntity, family: Family): boolean {
  const nets = entity.nets.filter((cidr) => familyOf(cidr) === family);
  const notNets = entity.notNets.filter((cidr) => familyOf(cidr) === family);
  // A list that held only the other family's networks is not "any", and excluding only those is not "all": such a rule is about the
  // other family.
  if (entity.nets.length > 0 && nets.length === 0) return false;
  if (entity.notNets.length > 0 && notNets.length === 0) return false;
  const any = nets.length === 0 || nets.includes(anyNet[family]);
  if (!any && nets.length === 1) conditions.inline.push(net(end, nets[0] as string));
  if (!any && nets.length > 1) conditions.anyOf.push(nets.map((cidr) => [net(end, cidr)]));

  if (notNets.includes(anyNet[family])) return false;
  // iptables takes one -s and one -d.
  const inlineTaken = !any && nets.length === 1;
  if (notNets.length === 1 && !inlineTaken) conditions.inline.push(net(end, notNets[0] as string, true));
  else for (const cidr of notNets) conditions.noneOf.push([net(end, cidr)]);
  return true;
}

function addPorts(
  conditions: Conditions,
  end: End,
  entity: ActiveEntity,
  protocolNumber: number | undefined,
  protocolMatch: Match | undefined,
  setName: SetNames,
): void {
  // -m multiport needs -p on the same rule.
  const prefix = protocolMatch === undefined ? [] : [protocolMatch];
  const numbers = entity.ports.length === 0 ? [] : ports(end, entity.ports, protocolNumber);
  const names = entity.portSets.map((id) => portSet(end, setName(id)));
  const first = numbers[0] ?? names[0];
  if (first !== undefined && numbers.length + names.length === 1) conditions.inline.push(first);
  else if (first !== undefined) {
    conditions.anyOf.push([...numbers.map((match) => [...prefix, match]), ...names.map((match) => [match])]);
  }
  const notNumbers = (negated: boolean): Match[] => (entity.notPorts.length === 0 ? [] : ports(end, entity.notPorts, protocolNumber, negated));
  const notNames = (negated: boolean): Match[] => entity.notPortSets.map((id) => portSet(end, setName(id), negated));
  for (const exceptions of [notNumbers, notNames]) {
    conditions.inline.push(...exceptions(true).slice(0, inlineExceptions));
    for (const match of exceptions(false).slice(inlineExceptions)) conditions.noneOf.push([...prefix, match]);
  }
}

/** The rules ahead of the final one; none when it can say everything itself. */
function blocks({ anyOf, noneOf }: Conditions, { marks }: RenderOptions): Rule[] {
  if (anyOf.length === 0 && noneOf.length === 0) return [];
  const { scratch0, scratch1 } = marks;
  const both = (scratch0 | scratch1) >>> 0;
  const rules = [makeRule([], anyOf.length === 0 ? assignMark(scratch0, both) : clearMark(both))];
  for (const [i, alternatives] of anyOf.entries()) {
    if (i > 1) rules.push(makeRule([], clearMark(scratch1)));
    for (const matches of alternatives) rules.push(makeRule(matches, setMark(i === 0 ? scratch0 : scratch1)));
    if (i > 0) rules.push(makeRule([markClear(scratch1)], clearMark(scratch0)));
  }
  for (const matches of noneOf) rules.push(makeRule(matches, clearMark(scratch0)));
  return rules;
}
