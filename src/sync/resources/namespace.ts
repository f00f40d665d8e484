// v1 Namespace → Profile "kns.<namespace>": its labels (as pcns.<key>), and allow all, which holds where no policy applies.
//
// A Namespace that cannot be read is absent: its pods then match no namespaceSelector and are denied where no policy applies.

import { labelsOf } from '../../model/labels.ts';
import type { Profile } from '../../model/profile.ts';
import type { Rule } from '../../model/rule.ts';
import { anyEntity } from '../../model/rule.ts';
import type { DecodeContext } from './decode-context.ts';
import { dnsLabelProblem } from './names.ts';
import { readMeta, readStringMap } from './object-meta.ts';
import { type Decoded, ProblemList } from './problem.ts';
import { sameProfile } from './profile.ts';
import type { Resource } from './resource.ts';
import { shown } from './wire.ts';

const allowAll: readonly Rule[] = Object.freeze([{ action: 'allow', source: anyEntity, destination: anyEntity, index: 0 }]);

export function namespaceProfileName(namespace: string): string {
  return ['kns', namespace].join('.');
}

export const namespaces: Resource<'profile'> = {
  kind: 'Namespace',
  apiVersion: 'v1',
  plural: 'namespaces',
  namespaced: false,
  valueKind: 'profile',
  key: ({ name }) => namespaceProfileName(name),
  decode: decodeNamespace,
  same: sameProfile,
};

function decodeNamespace(object: unknown, context: DecodeContext): Decoded<Profile> {
  const { problems, report } = new ProblemList();
  const meta = readMeta(object, false, report);
  const labels = meta && readStringMap(meta.fields['labels'], 'metadata.labels', report);
  const nameProblem = meta && dnsLabelProblem(meta.name);
  if (nameProblem !== undefined) report('metadata.name', `${shown(meta?.name)} ${nameProblem}`);
  if (meta === undefined || labels === undefined || nameProblem !== undefined) {
    return { value: undefined, problems, consequence: 'the Namespace counts as absent: its pods match no namespaceSelector' };
  }
  const name = context.text(meta.name);
  const inherited = Object.entries(labels).map(([key, value]) => [`pcns.${key}`, value] as const);
  const value: Profile = {
    origin: { kind: namespaces.kind, apiVersion: namespaces.apiVersion, namespace: '', name, generation: meta.generation },
    name: namespaceProfileName(name),
    labels: context.list(labelsOf([...inherited, ['pcns.projectcalico.org/name', name]])),
    ingress: allowAll,
    egress: allowAll,
  };
  return { value, problems };
}
