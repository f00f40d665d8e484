// Metadata as Calico stores it. In crd.projectcalico.org/v1 an object may carry its real metadata as JSON in an annotation: its
// labels and annotations then count over the object's own, and a policy's name is the one in there, or the object's own without a
// leading "default." (as older writers prefixed it for policies of that tier). In projectcalico.org/v3 there is no such thing.
//
// Labels that only we may give are dropped, whoever wrote them: a set that claims a namespace would be selected by its policies.

import type { Origin } from '../../model/origin.ts';
import { dnsSubdomainProblem, labelKeyProblem, labelValueProblem } from './names.ts';
import { type ObjectMeta, readMeta, readStringMap } from './object-meta.ts';
import type { Report } from './problem.ts';
import { apiVersionOf, type WireKind } from './resource.ts';
import { fieldsOf, isAbsent, readFields, shown } from './wire.ts';

/** The groups that serve Calico's own kinds. */
export const calicoVersions = Object.freeze({
  apiVersion: 'crd.projectcalico.org/v1',
  otherApiVersions: Object.freeze(['projectcalico.org/v3']),
  isOptional: true,
});

export interface CalicoMeta extends ObjectMeta {
  readonly apiVersion: string;
  /** Without those that nobody may claim. Those that cannot be read are missing (and reported). */
  readonly labels: Readonly<Record<string, string>>;
  /** The name in the annotation, if it has one. */
  readonly storedName: string | undefined;
  readonly hasAnnotation: boolean;
}

const annotation = 'projectcalico.org/metadata';
const field = `metadata.annotations[${annotation}]`;

const ours = new Set(['projectcalico.org/namespace', 'projectcalico.org/orchestrator', 'projectcalico.org/serviceaccount']);

export function originOf(kind: WireKind, { apiVersion, namespace, name, generation }: CalicoMeta): Origin {
  return { kind: kind.kind, apiVersion, namespace, name, generation };
}

/** Undefined (and reported) where the object has no name of its own. */
export function readCalicoMeta(object: unknown, kind: WireKind, report: Report): CalicoMeta | undefined {
  const meta = readMeta(object, kind.namespaced, report);
  if (meta === undefined) return undefined;
  const apiVersion = apiVersionOf(kind, object);
  const own = readStringMap(meta.fields['labels'], 'metadata.labels', report) ?? {};
  const annotations = readStringMap(meta.fields['annotations'], 'metadata.annotations', report);
  const text = apiVersion === calicoVersions.apiVersion ? annotations?.[annotation] : undefined;
  const stored = text === undefined ? {} : readStored(text, report);
  readStringMap(stored?.['annotations'], `${field}: annotations`, report);
  const storedLabels = readLabels(stored?.['labels'], `${field}: labels`, report);
  const storedName = isAbsent(stored?.['name']) || stored['name'] === '' ? undefined : readName(stored['name'], report);
  return { ...meta, apiVersion, labels: believed({ ...own, ...storedLabels }), storedName, hasAnnotation: text !== undefined };
}

/** The name by which Calico knows a policy; its tier is "" where it cannot be read. */
export function policyName({ name, storedName, hasAnnotation }: CalicoMeta, tier: string): string {
  if (storedName !== undefined) return storedName;
  const prefix = 'default.';
  const stripped = hasAnnotation && tier === 'default' && name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return stripped === '' ? name : stripped;
}

function readStored(text: string, report: Report): Readonly<Record<string, unknown>> | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    stored = undefined;
  }
  const fields = fieldsOf(stored);
  if (fields === undefined) report(field, 'is no JSON object', 'remove the annotation, or write the object again with the tool that made it');
  return fields;
}

/** Nobody has checked them. Those that are sound count, whatever the others are. */
function readLabels(value: unknown, at: string, report: Report): Readonly<Record<string, string>> {
  const sound = Object.entries(readFields(value, at, report) ?? {}).filter((entry): entry is [string, string] => {
    const [key, text] = entry;
    const problem = typeof text === 'string' ? (labelKeyProblem(key) ?? labelValueProblem(text)) : 'must be a string';
    if (problem !== undefined) report(`${at}[${key}]`, `${shown(text)} ${problem}`);
    return problem === undefined;
  });
  return Object.fromEntries(sound);
}

function readName(value: unknown, report: Report): string | undefined {
  const problem = typeof value === 'string' ? dnsSubdomainProblem(value) : 'must be a string';
  if (problem === undefined) return value as string;
  report(`${field}: name`, `${shown(value)} ${problem}`);
  return undefined;
}

function believed(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !ours.has(key) && !key.startsWith('pcns.') && !key.startsWith('pcsa.')));
}
