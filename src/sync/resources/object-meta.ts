// The metadata of an object, as far as it is used. In: anything. Out: its identity and fields, or undefined when it is no object
// of the kind's shape; then nothing can be said about it, not even which object it is.

import { dnsLabelProblem, dnsSubdomainProblem } from './names.ts';
import type { Report } from './problem.ts';
import { type Fields, fieldsOf, isAbsent, readFields, shown } from './wire.ts';

export interface Identity {
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

export interface ObjectMeta extends Identity {
  readonly generation: number;
  readonly fields: Fields;
}

/**
 * The identity that the object claims, well-formed or not; the namespace of a cluster-scoped object is left out. Undefined for
 * what has no name at all.
 */
export function identityOf(object: unknown, namespaced: boolean): Identity | undefined {
  const fields = fieldsOf(fieldsOf(object)?.['metadata']);
  const name = fields?.['name'];
  const namespace = namespaced ? fields?.['namespace'] : '';
  if (typeof name !== 'string' || name === '' || typeof namespace !== 'string') return undefined;
  return { namespace, name };
}

/** "default/web", or "default" for a cluster-scoped object. */
export function identityText(identity: Identity): string {
  return identity.namespace === '' ? identity.name : `${identity.namespace}/${identity.name}`;
}

/** The metadata; undefined (and reported) where a name is missing or is none that the API server could have accepted. */
export function readMeta(object: unknown, namespaced: boolean, report: Report): ObjectMeta | undefined {
  const fields = fieldsOf(fieldsOf(object)?.['metadata']);
  const identity = identityOf(object, namespaced);
  if (fields === undefined || identity === undefined) {
    report(namespaced ? 'metadata.name, metadata.namespace' : 'metadata.name', 'is missing');
    return undefined;
  }
  const nameProblem = dnsSubdomainProblem(identity.name);
  if (nameProblem !== undefined) report('metadata.name', `${shown(identity.name)} ${nameProblem}`);
  const namespaceProblem = namespaced ? dnsLabelProblem(identity.namespace) : undefined;
  if (namespaceProblem !== undefined) report('metadata.namespace', `${shown(identity.namespace)} ${namespaceProblem}`);
  if (nameProblem !== undefined || namespaceProblem !== undefined) return undefined;
  const generation = fields['generation'];
  return { ...identity, generation: typeof generation === 'number' ? generation : 0, fields };
}

/** Labels or annotations; undefined (and reported) unless it is a map of strings. Syntax is left to the API server. */
export function readStringMap(value: unknown, field: string, report: Report): Readonly<Record<string, string>> | undefined {
  if (isAbsent(value)) return {};
  const fields = readFields(value, field, report);
  if (fields === undefined) return undefined;
  let valid = true;
  for (const [key, text] of Object.entries(fields)) {
    if (typeof text === 'string') continue;
    report(`${field}[${key}]`, `${shown(text)} must be a string`, 'put the value in quotes');
    valid = false;
  }
  return valid ? (fields as Readonly<Record<string, string>>) : undefined;
}
