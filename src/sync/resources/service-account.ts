// v1 ServiceAccount → Profile "ksa.<namespace>.<name>": its labels (as pcsa.<key>), and no rules.
//
// One that cannot be read is absent: its pods then have none of its labels.

import { labelsOf } from '../../model/labels.ts';
import type { Profile } from '../../model/profile.ts';
import type { Rule } from '../../model/rule.ts';
import type { DecodeContext } from './decode-context.ts';
import { type Identity, readMeta, readStringMap } from './object-meta.ts';
import { type Decoded, ProblemList } from './problem.ts';
import { sameProfile } from './profile.ts';
import type { Resource } from './resource.ts';

const noRules: readonly Rule[] = Object.freeze([]);

/** As all keys: joined, which gives a flat string. A concatenated one would keep its parts alive. */
export function serviceAccountProfileName({ namespace, name }: Identity): string {
  return ['ksa', namespace, name].join('.');
}

export const serviceAccounts: Resource<'profile'> = {
  kind: 'ServiceAccount',
  apiVersion: 'v1',
  plural: 'serviceaccounts',
  namespaced: true,
  valueKind: 'profile',
  key: serviceAccountProfileName,
  decode: decodeServiceAccount,
  same: sameProfile,
};

function decodeServiceAccount(object: unknown, context: DecodeContext): Decoded<Profile> {
  const { problems, report } = new ProblemList();
  const meta = readMeta(object, true, report);
  const labels = meta && readStringMap(meta.fields['labels'], 'metadata.labels', report);
  if (meta === undefined || labels === undefined) {
    return { value: undefined, problems, consequence: 'the ServiceAccount counts as absent' };
  }
  const inherited = Object.entries(labels).map(([key, value]) => [`pcsa.${key}`, value] as const);
  const { kind, apiVersion } = serviceAccounts;
  const value: Profile = {
    origin: { kind, apiVersion, namespace: context.text(meta.namespace), name: meta.name, generation: meta.generation },
    name: serviceAccountProfileName(meta),
    labels: context.list(labelsOf([...inherited, ['pcsa.projectcalico.org/name', meta.name]])),
    ingress: noRules,
    egress: noRules,
  };
  return { value, problems };
}
