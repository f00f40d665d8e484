// One rule of Calico's policies (NetworkPolicy, GlobalNetworkPolicy): an action, and conditions that must all hold.
//
// In: the wire form. Out: the rule; nothing for Log, which decides nothing. Whatever is wrong with a rule makes it disappear when it
// is an Allow or a Log, and deny everything when it is a Deny or a Pass, or when nobody can tell.

import { entityMatches } from './entity-rule.ts';
import type { EntityRule } from './entity-rule.ts';
import { readEntityRule } from './entity-rule-reader.ts';
import { readHttp } from './http-match.ts';
import type { HttpPlace } from './http-match.ts';
import { icmpMatches, readIcmp } from './icmp.ts';
import type { IcmpMatch } from './icmp.ts';
import { labelKeyProblem } from './names.ts';
import type { Rule, Traffic } from './policy.ts';
import { readProtocol, transportNumbers } from './protocol.ts';
import { fieldsOf, isAbsent, knowsAll, readFields } from './wire.ts';
import type { Fields, Report } from './wire.ts';

/** What the meaning of a rule depends on besides itself. */
export interface RulePlace extends HttpPlace {
  /** Of the policy; "" for a global one. */
  readonly namespace: string;
}

interface Conditions {
  readonly ipVersion?: number;
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source: EntityRule;
  readonly destination: EntityRule;
}

const actions: ReadonlyMap<unknown, Rule['action'] | 'log'> = new Map([
  ['Allow', 'allow'],
  ['Deny', 'deny'],
  ['Pass', 'pass'],
  ['Log', 'log'],
]);
const known = ['action', 'ipVersion', 'protocol', 'notProtocol', 'icmp', 'notICMP', 'source', 'destination', 'http', 'metadata'];

export function readRule(value: unknown, index: number, place: RulePlace, field: string, report: Report): readonly Rule[] {
  const rule = fieldsOf(value);
  if (rule === undefined) {
    report(field, 'must be an object');
    return closedRule(value, index);
  }
  const action = actions.get(rule['action']);
  if (action === undefined) report(`${field}.action`, `must be one of ${[...actions.keys()].join(', ')}`);
  const isKnown = knowsAll(rule, known, field, report) && hasReadableMetadata(rule['metadata'], `${field}.metadata`, report);
  const conditions = readConditions(rule, place, field, report);
  const hasReadableHttp = isAbsent(rule['http']) || readHttp(rule, place, `${field}.http`, report);
  if (action === undefined || !isKnown || conditions === undefined || !hasReadableHttp) return closedRule(value, index);
  if (action === 'log') return [];
  return [{ index, action, matches: (traffic) => areMet(conditions, action, traffic) }];
}

/** What remains of a rule when something about it or its policy is wrong. */
export function closedRule(value: unknown, index: number): readonly Rule[] {
  const action = actions.get(fieldsOf(value)?.['action']);
  return action === 'allow' || action === 'log' ? [] : [{ index, action: 'deny', matches: () => true }];
}

function areMet(conditions: Conditions, use: Rule['action'], { packet, source, destination, cluster }: Traffic): boolean {
  const { ipVersion, protocol, notProtocol, icmp, notIcmp } = conditions;
  return (
    (ipVersion === undefined || ipVersion === packet.family) &&
    (protocol === undefined || protocol === packet.protocol) &&
    (notProtocol === undefined || notProtocol !== packet.protocol) &&
    (icmp === undefined || icmpMatches(icmp, packet)) &&
    (notIcmp === undefined || !icmpMatches(notIcmp, packet)) &&
    entityMatches(conditions.source, { side: 'source', address: source, packet, cluster }, use) &&
    entityMatches(conditions.destination, { side: 'destination', address: destination, packet, cluster }, use)
  );
}

function readConditions(rule: Fields, { namespace, direction }: RulePlace, field: string, report: Report): Conditions | undefined {
  let valid = true;
  const refuse = (at: string, problem: string): void => {
    report(`${field}.${at}`, problem);
    valid = false;
  };
  const optional = <T>(name: string, read: (value: unknown, at: string, report: Report) => T | undefined): T | undefined => {
    if (isAbsent(rule[name])) return undefined;
    const value = read(rule[name], `${field}.${name}`, report);
    if (value === undefined) valid = false;
    return value;
  };
  const ipVersion = optional('ipVersion', readIpVersion);
  const protocol = optional('protocol', readProtocol);
  const notProtocol = optional('notProtocol', readProtocol);
  const icmp = optional('icmp', readIcmp);
  const notIcmp = optional('notICMP', readIcmp);
  const source = readEntityRule(rule['source'], namespace, `${field}.source`, report);
  const destination = readEntityRule(rule['destination'], namespace, `${field}.destination`, report);
  if (source === undefined || destination === undefined) return undefined;

  const isIcmp = protocol === 1 || protocol === 58;
  if (icmp && !isIcmp) refuse('icmp', 'needs the protocol ICMP or ICMPv6');
  if (notIcmp && !isIcmp) refuse('notICMP', 'needs the protocol ICMP or ICMPv6');
  if (notIcmp && notIcmp.type === undefined) refuse('notICMP', 'must have a type');
  // A number is of both versions, unless types are asked for: only a name says the version, too.
  const hasTypes = icmp?.type !== undefined || notIcmp !== undefined;
  const said = [hasTypes ? protocol : nameOf(rule['protocol']), nameOf(rule['notProtocol'])];
  if ((said.includes(1) && ipVersion === 6) || (said.includes(58) && ipVersion === 4)) refuse('ipVersion', 'is not that of the ICMP protocol');
  const hasPorts = [source, destination].some(({ ports, notPorts }) => ports.length + notPorts.length > 0);
  if (hasPorts && !transportNumbers.includes(protocol ?? 0)) refuse('protocol', 'must be TCP, UDP or SCTP where ports are named');
  if (direction === 'egress' && source.service !== undefined) refuse('source.services', 'is for ingress rules only');
  if (direction === 'ingress' && destination.service !== undefined) refuse('destination.services', 'is for egress rules only');
  if (destination.service !== undefined && destination.ports.length + destination.notPorts.length > 0) refuse('destination.ports', 'may not be given together with services');
  if (!valid) return undefined;
  return {
    ...(ipVersion === undefined ? {} : { ipVersion }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(notProtocol === undefined ? {} : { notProtocol }),
    ...(icmp === undefined ? {} : { icmp }),
    ...(notIcmp === undefined ? {} : { notIcmp }),
    source,
    destination,
  };
}

/** The number of a protocol that is given by name. */
function nameOf(protocol: unknown): number | undefined {
  return typeof protocol === 'string' && !/^[0-9]/.test(protocol) ? readProtocol(protocol, '', () => {}) : undefined;
}

function readIpVersion(value: unknown, field: string, report: Report): 4 | 6 | undefined {
  if (value === 4 || value === 6) return value;
  report(field, 'must be 4 or 6');
  return undefined;
}

/** Annotations say nothing about packets, but an object that is none may be a newer API's. */
function hasReadableMetadata(value: unknown, field: string, report: Report): boolean {
  const metadata = readFields(value, field, report);
  if (metadata === undefined || !knowsAll(metadata, ['annotations'], field, report)) return false;
  const annotations = readFields(metadata['annotations'], `${field}.annotations`, report);
  if (annotations === undefined) return false;
  if (Object.entries(annotations).every(([key, text]) => typeof text === 'string' && labelKeyProblem(key.toLowerCase()) === undefined)) return true;
  report(`${field}.annotations`, 'must be strings, under keys that annotations may have');
  return false;
}
