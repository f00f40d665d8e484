// The cluster-wide policies of Kubernetes' network policy API (policy.networking.k8s.io), written from its types: ClusterNetworkPolicy
// (v1alpha2) and, before it, AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1). They differ in words only; what they
// share is here: a subject of pods, peers that are pods (or networks, on egress), and rules whose order decides.
//
// In: the wire object. Out: a policy; undefined when nobody can tell whom it selects. Fails closed as the API asks for it: a bad
// Accept or Allow disappears, a bad Deny or Pass (or a rule whose action cannot be read) denies everything; when something else
// is bad, so is every rule, and both directions are isolated. A direction without rules is not affected by the policy.

import type { WireObject } from '../model/verdict.ts';
import { readAdminPeer } from './admin-peer.ts';
import { readAdminPorts } from './admin-port.ts';
import { readSubject } from './admin-subject.ts';
import { kubernetesRuleMatches } from './kubernetes-rule.ts';
import type { KubernetesRule } from './kubernetes-rule.ts';
import { readMetadata } from './metadata.ts';
import type { Direction, Policy, Rule } from './policy.ts';
import { fieldsOf, fits, isAbsent, knowsAll, readAll, readFields, readList } from './wire.ts';
import type { Fields, Report } from './wire.ts';

export interface AdminKind {
  /** In Calico's model; part of the order of policies of the same name. */
  readonly calicoKind: string;
  readonly actions: Readonly<Record<string, Rule['action']>>;
  /** Name of the list of ports of a rule, and how its entries are written. */
  readonly ports: 'ports' | 'protocols';
  /** Of the API: rules in a direction, peers and ports of a rule. */
  readonly maxEntries: number;
  readonly specFields: readonly string[];
  /** Tier and order; undefined, and reported, where they cannot be read. */
  place(spec: Fields, report: Report): AdminPlace;
  readonly isSingleton: boolean;
}

/** Of the API, in characters. */
const maxName = 100;

export interface AdminPlace {
  readonly isReadable: boolean;
  readonly tier: string;
  readonly order: number;
}

export function readAdminPolicy(object: WireObject, kind: AdminKind, report: Report): Policy | undefined {
  const { name } = object.metadata;
  const metadata = readMetadata(object, 'cluster', report);
  if (kind.isSingleton && name !== 'default') report('metadata.name', 'must be default: there may be only one');
  const spec = readFields(object['spec'], 'spec', report);
  if (spec === undefined) return undefined;
  const selects = readSubject(spec['subject'], kind.ports === 'protocols', 'spec.subject', report);
  const isKnown = knowsAll(spec, kind.specFields, 'spec', report);
  const { isReadable, tier, order } = kind.place(spec, report);
  const ingress = readRules(spec, 'ingress', kind, report);
  const egress = readRules(spec, 'egress', kind, report);
  if (selects === undefined) return undefined;

  const isFine = metadata && isKnown && isReadable && ingress && egress && !(kind.isSingleton && name !== 'default');
  const rules = isFine
    ? { ...(hasEntries(spec['ingress']) ? { ingress } : {}), ...(hasEntries(spec['egress']) ? { egress } : {}) }
    : { ingress: closedRules(spec['ingress'], kind), egress: closedRules(spec['egress'], kind) };
  return {
    kind: object.kind,
    namespace: '',
    name,
    tier,
    order,
    tieBreak: `${name}//${kind.calicoKind}`,
    stage: 'normal',
    appliesOnForward: false,
    selects: (endpoint) => endpoint.kind === 'pod' && selects(endpoint),
    rules,
  };
}

function readRules(spec: Fields, direction: Direction, kind: AdminKind, report: Report): readonly Rule[] | undefined {
  const list = readList(spec[direction], `spec.${direction}`, report);
  const isShort = fits(list, kind.maxEntries, `spec.${direction}`, report);
  const rules = list?.flatMap((value, index) => {
    const rule = readRule(value, direction, kind, `spec.${direction}[${index}]`, report);
    if (rule === undefined) return closedRule(value, index, kind);
    return [{ index, action: rule.action, matches: (traffic): boolean => kubernetesRuleMatches(rule, '', traffic) } satisfies Rule];
  });
  return isShort ? rules : undefined;
}

function readRule(value: unknown, direction: Direction, kind: AdminKind, field: string, report: Report): (KubernetesRule & Pick<Rule, 'action'>) | undefined {
  const rule = fieldsOf(value);
  if (rule === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const peersField = direction === 'ingress' ? 'from' : 'to';
  const isKnown = knowsAll(rule, ['name', 'action', peersField, kind.ports], field, report);
  const action = actionOf(rule, kind);
  if (action === undefined) report(`${field}.action`, `must be one of ${Object.keys(kind.actions).join(', ')}`);
  const hasName = isAbsent(rule['name']) || (typeof rule['name'] === 'string' && [...rule['name']].length <= maxName);
  if (!hasName) report(`${field}.name`, `must be a string of at most ${maxName} characters`);
  const isShort = [peersField, kind.ports].map((name) => fits(rule[name], kind.maxEntries, `${field}.${name}`, report)).every(Boolean);
  const peers = readSome(rule[peersField], `${field}.${peersField}`, report, (peer, at) => readAdminPeer(peer, direction, kind.ports === 'protocols', at, report));
  // Absent means any port; a list without entries is refused by the API.
  const ports = isAbsent(rule[kind.ports]) ? [] : readSome(rule[kind.ports], `${field}.${kind.ports}`, report, (port, at) => readAdminPorts(port, kind.ports, at, report));
  if (!isKnown || !isShort || action === undefined || !hasName || peers === undefined || ports === undefined) return undefined;
  if (kind.ports === 'protocols' || !ports.flat().some(({ port }) => port !== 'all' && 'name' in port) || !peers.flat().some((peer) => peer.kind === 'block')) {
    return { action, peers: peers.flat(), ports: ports.flat() };
  }
  report(`${field}.ports`, 'may not be named together with networks, which have no names for ports');
  return undefined;
}

function readSome<T>(value: unknown, field: string, report: Report, read: (value: unknown, field: string) => T | undefined): readonly T[] | undefined {
  const list = readList(value, field, report);
  if (list === undefined || list.length > 0) return list && readAll(list, field, read);
  report(field, 'must have an entry');
  return undefined;
}

function actionOf(rule: Fields | undefined, { actions }: AdminKind): Rule['action'] | undefined {
  const action = rule?.['action'];
  return typeof action === 'string' && Object.hasOwn(actions, action) ? actions[action] : undefined;
}

/** Broken ones count. */
function hasEntries(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

function closedRule(value: unknown, index: number, kind: AdminKind): readonly Rule[] {
  return actionOf(fieldsOf(value), kind) === 'allow' ? [] : [{ index, action: 'deny', matches: () => true }];
}

/** A list that is none may have denied something. */
function closedRules(value: unknown, kind: AdminKind): readonly Rule[] {
  if (isAbsent(value)) return [];
  return Array.isArray(value) ? value.flatMap((rule: unknown, index) => closedRule(rule, index, kind)) : closedRule(undefined, 0, kind);
}
