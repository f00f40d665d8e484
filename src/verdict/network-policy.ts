// Kubernetes' NetworkPolicy (networking.k8s.io/v1), written from its API documentation and from the API server's validation.
//
// In: the wire object. Out: a policy of the default tier, order 1000, all of whose rules allow. It is never dropped for being
// broken; what the API server would refuse makes it smaller, and each problem is reported:
//   - something bad anywhere in one entry of spec.ingress or spec.egress: that whole entry disappears (all entries allow), the
//     others stay, and the policy goes on isolating;
//   - spec.podSelector unreadable: it selects its whole namespace, and isolates it in both directions, without rules;
//   - anything else (metadata, unknown fields of spec, policyTypes, a list of rules that is no list): it isolates what it selects in both
//     directions, without rules.
//
// The entries of `from`/`to` are read in network-policy-peer.ts, those of `ports` in network-policy-port.ts.

import type { WireObject } from '../model/verdict.ts';
import { kubernetesRuleMatches } from './kubernetes-rule.ts';
import type { KubernetesRule } from './kubernetes-rule.ts';
import { readPodSelector, selects } from './label-selector.ts';
import type { LabelSelector } from './label-selector.ts';
import { readMetadata } from './metadata.ts';
import { readPeer } from './network-policy-peer.ts';
import { readPort } from './network-policy-port.ts';
import type { Direction, Policy, Rule, Traffic } from './policy.ts';
import { fieldsOf, knowsAll, readAll, readFields, readList } from './wire.ts';
import type { Fields, Report } from './wire.ts';

export function readNetworkPolicy(object: WireObject, report: Report): Policy {
  const { name, namespace = '' } = object.metadata;
  const metadata = readMetadata(object, 'namespaced', report);
  const spec = readFields(object['spec'], 'spec', report);
  const podSelector = readPodSelector(spec?.['podSelector'], 'spec.podSelector', report);
  const isKnown = spec && knowsAll(spec, ['podSelector', 'policyTypes', 'ingress', 'egress'], 'spec', report);
  const directions = spec && readPolicyTypes(spec, report);
  const ingress = spec && readRules(spec, 'ingress', namespace, report);
  const egress = spec && readRules(spec, 'egress', namespace, report);

  const isReadable = isKnown && metadata && podSelector && directions && ingress && egress;
  const rules = isReadable
    ? { ...(directions.has('ingress') ? { ingress } : {}), ...(directions.has('egress') ? { egress } : {}) }
    : { ingress: [], egress: [] };
  const selector: LabelSelector = podSelector ?? [];
  return {
    kind: object.kind,
    namespace,
    name,
    tier: 'default',
    order: 1000,
    tieBreak: `${name}/${namespace}/KubernetesNetworkPolicy`,
    stage: 'normal',
    appliesOnForward: false,
    selects: (endpoint) => endpoint.kind === 'pod' && endpoint.namespace === namespace && selects(selector, endpoint.labels),
    rules,
  };
}

/** Absent or empty: Ingress, and Egress if there is any egress rule. The API server stores it so. */
function readPolicyTypes(spec: Fields, report: Report): ReadonlySet<Direction> | undefined {
  const types = readList(spec['policyTypes'], 'spec.policyTypes', report);
  if (types === undefined) return undefined;
  if (types.length > 2) {
    report('spec.policyTypes', 'may not have more than two entries');
    return undefined;
  }
  if (types.length === 0) {
    const egress = spec['egress'];
    return new Set<Direction>(Array.isArray(egress) && egress.length > 0 ? ['ingress', 'egress'] : ['ingress']);
  }
  const directions = readAll<Direction>(types, 'spec.policyTypes', (type, field) => {
    if (type === 'Ingress') return 'ingress';
    if (type === 'Egress') return 'egress';
    report(field, 'must be Ingress or Egress');
    return undefined;
  });
  return directions && new Set(directions);
}

function readRules(spec: Fields, direction: Direction, namespace: string, report: Report): readonly Rule[] | undefined {
  const entries = readList(spec[direction], `spec.${direction}`, report);
  return entries?.flatMap((value, index) => {
    const entry = readEntry(value, `spec.${direction}[${index}]`, direction === 'ingress' ? 'from' : 'to', report);
    if (entry === undefined) return [];
    return [{ index, action: 'allow' as const, matches: (traffic: Traffic) => kubernetesRuleMatches(entry, namespace, traffic) }];
  });
}

function readEntry(value: unknown, field: string, peersField: 'from' | 'to', report: Report): KubernetesRule | undefined {
  const entry = fieldsOf(value);
  if (entry === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const isKnown = knowsAll(entry, [peersField, 'ports'], field, report);
  const peerList = readList(entry[peersField], `${field}.${peersField}`, report);
  const portList = readList(entry['ports'], `${field}.ports`, report);
  const peers = peerList && readAll(peerList, `${field}.${peersField}`, (peer, at) => readPeer(peer, at, report));
  const ports = portList && readAll(portList, `${field}.ports`, (port, at) => readPort(port, at, report));
  return isKnown && peers && ports ? { peers, ports } : undefined;
}
