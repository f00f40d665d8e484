// What the policies of administrators have in common: ClusterNetworkPolicy, and AdminNetworkPolicy and BaselineAdminNetworkPolicy
// before it. In: anything. Out: a policy in a tier of its own that passes on what it does not decide. What of it cannot be understood
// fails closed, as the API's own specification asks:
//
//   a bad rule → see closed-rules.ts; the others stand
//   bad elsewhere → both directions, and each rule as if it were bad
//   a subject that cannot be read → nothing. An error, and not ready

import type { Policy, PolicyKind } from '../../model/policy.ts';
import { anyEntity, type EntityMatch, type Rule, type RuleAction } from '../../model/rule.ts';
import { readAdminPeers, readSubject, type PeerLimits } from './admin-peers.ts';
import type { AdminPorts, ReadAdminPorts } from './admin-ports.ts';
import { firstOfAll } from './calico-policy.ts';
import { badPolicy, badRules, type ReadRule, readRules, rulesInForce } from './closed-rules.ts';
import { readMeta } from './object-meta.ts';
import { anyPod } from './policy-peers.ts';
import { hasNames } from './policy-ports.ts';
import { type Decoded, PartReport, ProblemList, type Report } from './problem.ts';
import type { WireKind } from './resource.ts';
import { type Fields, fieldsOf, isAbsent, knowsAll, readFields, shown } from './wire.ts';

type Direction = 'ingress' | 'egress';

export interface AdminPolicyForm extends PeerLimits {
  readonly policyKind: PolicyKind;
  readonly actions: ReadonlyMap<unknown, RuleAction>;
  /** In each direction. */
  readonly rules: number;
  /** Of the spec, besides subject, ingress and egress. */
  readonly fields: readonly string[];
  /** Name of the list of ports in a rule. */
  readonly portsField: string;
  readonly readPorts: ReadAdminPorts;
  /** Whether an egress rule may name ports of networks. */
  readonly takesNamesOfNetworks: boolean;
  placeOf(spec: Fields, name: string, report: Report): Pick<Policy, 'tier' | 'order'>;
}

/** Characters. */
const maxName = 100;

export function decodeAdminPolicy(object: unknown, kind: WireKind, form: AdminPolicyForm): Decoded<Policy> {
  const { problems, report } = new ProblemList();
  const meta = readMeta(object, false, report);
  const spec = meta && readFields(fieldsOf(object)?.['spec'], 'spec', report);
  const selector = spec && readSubject(spec['subject'], form, report);
  if (meta === undefined || spec === undefined || selector === undefined) {
    return { value: undefined, problems, consequence: 'the policy is not in force', leavesGap: true };
  }
  const outside = new PartReport(report);
  knowsAll(spec, [...form.fields, 'subject', 'ingress', 'egress'], 'spec', outside.report);
  const place = form.placeOf(spec, meta.name, outside.report);
  const rulesOf = (direction: Direction): readonly ReadRule[] | undefined => {
    const rules = readRules(spec[direction], `spec.${direction}`, outside.report, (rule, i) => readRule(rule, i, direction, form, report));
    if (rules !== undefined && rules.length > form.rules) outside.report(`spec.${direction}`, `has more than ${form.rules} rules`, 'make two policies of it');
    return rules;
  };
  const ingress = rulesOf('ingress');
  const egress = rulesOf('egress');
  const { isSound } = outside;
  const value: Policy = {
    origin: { kind: kind.kind, apiVersion: kind.apiVersion, namespace: '', name: meta.name, generation: meta.generation },
    kind: form.policyKind,
    ...place,
    selector,
    // A direction without rules is none that the policy is about.
    types: isSound ? { ingress: ingress?.length !== 0, egress: egress?.length !== 0 } : { ingress: true, egress: true },
    ingress: rulesInForce(ingress, isSound),
    egress: rulesInForce(egress, isSound),
  };
  return problems.length === 0 ? { value, problems } : { value, problems, consequence: isSound ? badRules : badPolicy };
}

/** 0 to 1000, ascending; where it cannot be read the policy comes first, so that it is behind none that allows what it denies. */
export function readPriority(value: unknown, report: Report): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1000) return value;
  report('spec.priority', `${shown(value)} is no priority`, 'use a number from 0 to 1000');
  return firstOfAll;
}

function readRule(value: unknown, index: number, direction: Direction, form: AdminPolicyForm, outer: Report): ReadRule {
  const part = new PartReport(outer);
  const { report } = part;
  const field = `spec.${direction}[${index}]`;
  const rule = fieldsOf(value);
  if (rule === undefined) {
    report(field, 'must be an object');
    return { index, action: undefined, rules: undefined };
  }
  const action = form.actions.get(rule['action']);
  if (action === undefined) report(`${field}.action`, `${shown(rule['action'])} is no action`, `use one of ${[...form.actions.keys()].join(', ')}`);
  const peersField = direction === 'ingress' ? 'from' : 'to';
  knowsAll(rule, ['name', 'action', peersField, form.portsField], field, report);
  const name = readName(rule['name'], `${field}.name`, report);
  const peers = readAdminPeers(rule[peersField], direction, form, `${field}.${peersField}`, report);
  const ports = form.readPorts(rule[form.portsField], `${field}.${form.portsField}`, report);
  if (!form.takesNamesOfNetworks && peers?.some(({ nets }) => nets.length > 0) === true && hasName(ports)) {
    report(`${field}.${form.portsField}`, 'names a port, which networks do not have', 'make two rules of it');
  }
  if (!part.isSound || action === undefined || peers === undefined || ports === undefined) return { index, action, rules: undefined };
  const common = { action, index, ...(name === '' ? {} : { comments: [`name=${name}`] }) };
  return { index, action, rules: peers.flatMap((peer) => (ports === 'any' ? [{}] : ports).map((some) => ruleOf(common, direction, peer, some))) };
}

function readName(value: unknown, field: string, report: Report): string {
  if (isAbsent(value)) return '';
  if (typeof value === 'string' && [...value].length <= maxName) return value;
  report(field, `must be a string of at most ${maxName} characters`);
  return '';
}

function hasName(ports: ReturnType<ReadAdminPorts>): boolean {
  return Array.isArray(ports) && ports.some((each: AdminPorts) => hasNames(each.ports));
}

function ruleOf(common: Pick<Rule, 'action' | 'index' | 'comments'>, direction: Direction, peer: EntityMatch, { protocol, ports = [] }: Partial<AdminPorts>): Rule {
  const target = direction === 'ingress' ? anyEntity : peer;
  return {
    ...common,
    ...(protocol === undefined ? {} : { protocol }),
    source: direction === 'ingress' ? peer : anyEntity,
    destination: ports.length === 0 ? target : { ...target, ports, ...(hasNames(ports) && target.selector === undefined ? { portNamesOf: anyPod } : {}) },
  };
}
