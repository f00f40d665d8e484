// One rule of a Calico policy → a rule of the model. What a bad rule becomes is said in closed-rules.ts.

import type { Rule, RuleAction } from '../../model/rule.ts';
import type { ReadRule } from './closed-rules.ts';
import type { DecodeContext } from './decode-context.ts';
import { labelKeyProblem } from './names.ts';
import { readStringMap } from './object-meta.ts';
import { PartReport, type Report } from './problem.ts';
import { readEntity } from './rule-entity.ts';
import { checkHttp } from './rule-http.ts';
import { hasPorts, icmpFamily, isName, readIcmp, readProtocol } from './rule-protocol.ts';
import { type Fields, fieldsOf, isAbsent, knowsAll, readFields, shown } from './wire.ts';

export interface RulePlace {
  readonly direction: 'ingress' | 'egress';
  /** Of the policy; empty for a global one. */
  readonly namespace: string;
}

const known = ['action', 'ipVersion', 'protocol', 'notProtocol', 'icmp', 'notICMP', 'source', 'destination', 'http', 'metadata'];
const actions: ReadonlyMap<unknown, RuleAction> = new Map([['Allow', 'allow'], ['Deny', 'deny'], ['Pass', 'pass'], ['Log', 'log']]);

export function readCalicoRule(value: unknown, index: number, place: RulePlace, context: DecodeContext, outer: Report): ReadRule {
  const part = new PartReport(outer);
  const { report } = part;
  const field = `spec.${place.direction}[${index}]`;
  const fields = fieldsOf(value);
  if (fields === undefined) {
    report(field, 'must be an object');
    return { index, action: undefined, rules: undefined };
  }
  const action = actions.get(fields['action']);
  if (action === undefined) report(`${field}.action`, `${shown(fields['action'])} is no action`, `use one of ${[...actions.keys()].join(', ')}`);
  knowsAll(fields, known, field, report);
  const match = readMatch(fields, field, place, report);
  const comments = readComments(fields['metadata'], `${field}.metadata`, report);
  const isHttp = !isAbsent(fields['http']);
  if (isHttp) readHttp(fields, action, match.protocol, place, field, report);
  if (!part.isSound || action === undefined) return { index, action, rules: undefined };
  if (isHttp && !context.httpIsEnforcedElsewhere) {
    outer(`${field}.http`, 'cannot be enforced here', 'where something else enforces it, set FELIX_POLICYSYNCPATHPREFIX or CARACAL_HTTPRULES=Ignore', true);
    return { index, action, rules: [] };
  }
  return { index, action, rules: [{ action, ...match, index, ...(comments.length === 0 ? {} : { comments }) }] };
}

type Match = Omit<Rule, 'action' | 'index' | 'comments'>;

function readMatch(rule: Fields, field: string, { direction, namespace }: RulePlace, report: Report): Match {
  const protocol = readProtocol(rule['protocol'], `${field}.protocol`, report);
  const notProtocol = readProtocol(rule['notProtocol'], `${field}.notProtocol`, report);
  const ipVersion = readIpVersion(rule['ipVersion'], `${field}.ipVersion`, report);
  const icmp = readIcmp(rule['icmp'], `${field}.icmp`, report);
  const notIcmp = readIcmp(rule['notICMP'], `${field}.notICMP`, report);
  const source = readEntity(rule['source'], { field: `${field}.source`, namespace, takesServices: direction === 'ingress', isDestination: false }, report);
  const destination = readEntity(rule['destination'], { field: `${field}.destination`, namespace, takesServices: direction === 'egress', isDestination: true }, report);

  // Types have numbers of their own in each family.
  const family = icmpFamily(protocol);
  const hasTypes = icmp !== undefined || notIcmp !== undefined;
  // The name of a protocol names its family, too. The number is one that both families have.
  const named = [isName(rule['protocol']) || hasTypes ? family : undefined, isName(rule['notProtocol']) ? icmpFamily(notProtocol) : undefined];
  for (const other of named) {
    if (other !== undefined && ipVersion !== undefined && ipVersion !== other) report(`${field}.ipVersion`, `does not go with the ICMP of IPv${other}`);
  }
  for (const name of ['icmp', 'notICMP']) {
    if (!isAbsent(rule[name]) && family === undefined) report(`${field}.${name}`, 'needs protocol ICMP or ICMPv6');
  }
  // What is not any type at all would be nothing; it is sooner a type that somebody forgot.
  if (!isAbsent(rule['notICMP']) && notIcmp === undefined) report(`${field}.notICMP`, 'names no type', 'give a type, or remove it');
  for (const [name, { ports, notPorts }] of [['source', source], ['destination', destination]] as const) {
    if (ports.length + notPorts.length > 0 && !hasPorts(protocol)) report(`${field}.${name}`, 'has ports, but the rule no protocol that has any', 'set protocol to TCP, UDP or SCTP');
  }
  const onlyFamily = hasTypes ? family : ipVersion;
  return {
    ...(onlyFamily === undefined ? {} : { ipVersion: onlyFamily }),
    ...(protocol === undefined ? {} : { protocol }),
    ...(notProtocol === undefined ? {} : { notProtocol }),
    ...(icmp === undefined ? {} : { icmp }),
    ...(notIcmp === undefined ? {} : { notIcmp }),
    source,
    destination,
  };
}

function readIpVersion(value: unknown, field: string, report: Report): 4 | 6 | undefined {
  if (isAbsent(value) || value === 4 || value === 6) return value ?? undefined;
  report(field, `${shown(value)} is no IP version`, 'use 4 or 6');
  return undefined;
}

function readHttp(rule: Fields, action: RuleAction | undefined, protocol: number | undefined, { direction }: RulePlace, field: string, report: Report): void {
  checkHttp(rule['http'], `${field}.http`, report);
  if (action !== 'allow') report(`${field}.http`, 'may only stand in a rule that allows');
  if (direction !== 'ingress') report(`${field}.http`, 'may only stand in an ingress rule');
  if (!isAbsent(rule['protocol']) && protocol !== 6) report(`${field}.http`, 'needs protocol TCP, or none');
}

/** "key=value" of the rule's annotations, by key. */
function readComments(value: unknown, field: string, report: Report): readonly string[] {
  const metadata = readFields(value, field, report) ?? {};
  knowsAll(metadata, ['annotations'], field, report);
  const annotations = readStringMap(metadata['annotations'], `${field}.annotations`, report) ?? {};
  return Object.keys(annotations).sort().map((key) => {
    if (labelKeyProblem(key.toLowerCase()) !== undefined) report(`${field}.annotations[${key}]`, 'is no annotation key');
    return `${key}=${annotations[key] ?? ''}`;
  });
}
