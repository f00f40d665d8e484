// Names and labels of the objects of Calico's API. Clients of crd.projectcalico.org/v1 keep what Calico itself calls the object's
// metadata as JSON in an annotation: its labels and annotations go over the object's own, and its name is the policy's real one
// (the object's may have the tier before it). Objects of projectcalico.org/v3 are plain.

import type { WireObject } from '../model/verdict.ts';
import { readLabels, readMetadata, readStrings } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import { dnsSubdomainProblem, labelKeyProblem, labelValueProblem } from './names.ts';
import { fieldsOf, isAbsent } from './wire.ts';
import type { Fields, Report } from './wire.ts';

const key = 'projectcalico.org/metadata';

export function isCalico(object: WireObject): boolean {
  return object.apiVersion === 'crd.projectcalico.org/v1' || object.apiVersion === 'projectcalico.org/v3';
}

export interface CalicoMetadata extends Metadata {
  /** The name that the annotation gives; undefined without one. */
  readonly realName: string | undefined;
  readonly isAnnotated: boolean;
}

export function readCalicoMetadata(object: WireObject, scope: 'cluster' | 'namespaced', report: Report): CalicoMetadata | undefined {
  const metadata = readMetadata(object, scope, report);
  if (metadata === undefined) return undefined;
  const text = metadata.annotations.get(key);
  if (text === undefined || object.apiVersion !== 'crd.projectcalico.org/v1') return { ...metadata, realName: undefined, isAnnotated: false };
  const field = `metadata.annotations[${key}]`;
  const inner = fieldsIn(text);
  if (inner === undefined) {
    report(field, 'is no JSON object');
    return undefined;
  }
  const labels = readLabels(inner['labels'], `${field}.labels`, report);
  const annotations = readStrings(inner['annotations'], `${field}.annotations`, report);
  const name = isAbsent(inner['name']) ? '' : inner['name'];
  const nameProblem = typeof name !== 'string' ? 'must be a string' : name === '' ? undefined : dnsSubdomainProblem(name);
  if (nameProblem !== undefined) report(`${field}.name`, nameProblem);
  if (labels === undefined || annotations === undefined || typeof name !== 'string' || nameProblem !== undefined) return undefined;
  return {
    ...metadata,
    labels: new Map([...metadata.labels, ...labels]),
    annotations: new Map([...metadata.annotations, ...annotations]),
    realName: name === '' ? undefined : name,
    isAnnotated: true,
  };
}

/**
 * What a policy is called where names decide about the order. An annotation without a name is of old writers, who put the tier
 * "default" before the names of its policies.
 */
export function policyName({ name, realName, isAnnotated }: CalicoMetadata, tier: string): string {
  if (realName !== undefined) return realName;
  return isAnnotated && tier === 'default' ? name.replace(/^default\./, '') : name;
}

/** Of an object whose metadata is bad somewhere: each label that is sound, the annotation's over the object's own. */
export function readableLabels(object: WireObject): ReadonlyMap<string, string> {
  const { labels, annotations } = object.metadata as { readonly labels?: unknown; readonly annotations?: unknown };
  const text = fieldsOf(annotations)?.[key];
  const stored = typeof text === 'string' && object.apiVersion === 'crd.projectcalico.org/v1' ? fieldsIn(text)?.['labels'] : undefined;
  return new Map([labels, stored].flatMap((map) => Object.entries(fieldsOf(map) ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && isLabel(entry[0], entry[1]))));
}

function isLabel(name: string, value: string): boolean {
  return labelKeyProblem(name) === undefined && labelValueProblem(value) === undefined;
}

function fieldsIn(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}
