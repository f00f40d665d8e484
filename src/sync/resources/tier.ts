// Tier → Tier. One that breaks a rule of the API is absent: its policies then come after all tiers, and end in deny.

import { deepEqual } from '../../lib/deep-equal.ts';
import { defaultTierOrder, type Tier } from '../../model/tier.ts';
import { calicoVersions, originOf, readCalicoMeta } from './calico-metadata.ts';
import { dnsLabelProblem } from './names.ts';
import { type Decoded, ProblemList } from './problem.ts';
import type { Resource } from './resource.ts';
import { fieldsOf, isAbsent, knowsAll, readFields, shown } from './wire.ts';

/** What the API insists on. */
const builtIn: ReadonlyMap<string, { readonly order: number; readonly defaultAction: 'Deny' | 'Pass' }> = new Map([
  ['default', { order: defaultTierOrder, defaultAction: 'Deny' }],
  ['kube-admin', { order: 1000, defaultAction: 'Pass' }],
  ['kube-baseline', { order: 10_000_000, defaultAction: 'Pass' }],
]);

export const tiers: Resource<'tier'> = {
  kind: 'Tier',
  ...calicoVersions,
  plural: 'tiers',
  namespaced: false,
  valueKind: 'tier',
  key: ({ name }) => name,
  decode: decodeTier,
  same: (a, b) => deepEqual({ ...a, origin: undefined }, { ...b, origin: undefined }),
};

function decodeTier(object: unknown): Decoded<Tier> {
  const { problems, report } = new ProblemList();
  const meta = readCalicoMeta(object, tiers, report);
  const nameProblem = meta && dnsLabelProblem(meta.name);
  if (nameProblem !== undefined) report('metadata.name', `${shown(meta?.name)} ${nameProblem}`);
  const spec = readFields(fieldsOf(object)?.['spec'], 'spec', report) ?? {};
  knowsAll(spec, ['order', 'defaultAction'], 'spec', report);
  const order = isAbsent(spec['order']) ? undefined : spec['order'];
  if (order !== undefined && !(typeof order === 'number' && Number.isFinite(order))) report('spec.order', `${shown(order)} must be a number`);
  const defaultAction = isAbsent(spec['defaultAction']) ? 'Deny' : spec['defaultAction'];
  if (defaultAction !== 'Deny' && defaultAction !== 'Pass') report('spec.defaultAction', `${shown(defaultAction)} is no default action`, 'use Deny or Pass');
  const fixed = builtIn.get(meta?.name ?? '');
  if (fixed !== undefined && (order ?? defaultTierOrder) !== fixed.order) report('spec.order', `must be ${fixed.order} for the tier ${meta?.name ?? ''}`);
  if (fixed !== undefined && defaultAction !== fixed.defaultAction) report('spec.defaultAction', `must be ${fixed.defaultAction} for the tier ${meta?.name ?? ''}`);
  if (meta === undefined || problems.length > 0) {
    return { value: undefined, problems, consequence: 'the tier counts as absent: its policies come after those of all tiers, and what they do not allow is denied' };
  }
  const value: Tier = {
    origin: originOf(tiers, meta),
    name: meta.name,
    order: (order as number | undefined) ?? defaultTierOrder,
    defaultAction: defaultAction === 'Pass' ? 'pass' : 'deny',
  };
  return { value, problems };
}
