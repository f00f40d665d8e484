// Tiers in the order in which they are asked. In: the Tier objects and the tiers that policies name. Out: all of them, each once.
//
// Five exist without an object; an object of the same name takes its place. A broken Tier is absent. A tier that does not exist is
// asked after all that do, and denies at its end: its policies stay in force.

import type { WireObject } from '../model/verdict.ts';
import { readCalicoMetadata } from './calico-metadata.ts';
import { dnsLabelProblem } from './names.ts';
import type { Tier } from './policy.ts';
import { isAbsent, knowsAll, readFields } from './wire.ts';
import type { Report } from './wire.ts';

const builtIn: readonly Tier[] = [
  { name: 'kube-admin', order: 1000, defaultAction: 'pass' },
  { name: 'adminnetworkpolicy', order: 1000, defaultAction: 'pass' },
  { name: 'default', order: 1_000_000, defaultAction: 'deny' },
  { name: 'kube-baseline', order: 10_000_000, defaultAction: 'pass' },
  { name: 'baselineadminnetworkpolicy', order: 10_000_000, defaultAction: 'pass' },
];
/** Calico's API lets nobody change these: with another default action they would open what is closed. */
const unchangeable: readonly string[] = ['kube-admin', 'default', 'kube-baseline'];

export function tiersInOrder(objects: readonly Tier[], named: readonly string[]): readonly Tier[] {
  const present = new Map([...builtIn, ...objects].map((tier) => [tier.name, tier]));
  const absent = [...new Set(named)].filter((name) => !present.has(name)).sort();
  return [
    ...[...present.values()].sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1)),
    ...absent.map((name): Tier => ({ name, order: Infinity, defaultAction: 'deny' })),
  ];
}

export function readTier(object: WireObject, report: Report): Tier | undefined {
  const metadata = readCalicoMetadata(object, 'cluster', report);
  const spec = readFields(object['spec'], 'spec', report);
  if (!metadata || !spec || !knowsAll(spec, ['order', 'defaultAction'], 'spec', report)) return undefined;
  const order = isAbsent(spec['order']) ? 1_000_000 : spec['order'];
  const action = isAbsent(spec['defaultAction']) ? 'Deny' : spec['defaultAction'];
  const nameProblem = dnsLabelProblem(metadata.name);
  if (nameProblem !== undefined) report('metadata.name', nameProblem);
  if (typeof order !== 'number' || !Number.isFinite(order)) report('spec.order', 'must be a number');
  if (action !== 'Deny' && action !== 'Pass') report('spec.defaultAction', 'must be Deny or Pass');
  if (nameProblem !== undefined || typeof order !== 'number' || !Number.isFinite(order) || (action !== 'Deny' && action !== 'Pass')) return undefined;
  const tier: Tier = { name: metadata.name, order, defaultAction: action === 'Pass' ? 'pass' : 'deny' };
  const fixed = unchangeable.includes(tier.name) ? builtIn.find(({ name }) => name === tier.name) : undefined;
  if (fixed === undefined || (fixed.order === tier.order && fixed.defaultAction === tier.defaultAction)) return tier;
  report('spec', `of tier ${tier.name} cannot be changed: its order is ${fixed.order}, its default action ${fixed.defaultAction === 'pass' ? 'Pass' : 'Deny'}`);
  return undefined;
}
