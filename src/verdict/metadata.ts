// Names, labels and annotations of a wire object, checked as the API server checks them. Undefined, with every problem
// reported, where it would refuse them.

import type { WireObject } from '../model/verdict.ts';
import { dnsLabelProblem, dnsSubdomainProblem, labelKeyProblem, labelValueProblem } from './names.ts';
import { readFields } from './wire.ts';
import type { Report } from './wire.ts';

export interface Metadata {
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
}

export function readMetadata(object: WireObject, scope: 'cluster' | 'namespaced', report: Report): Metadata | undefined {
  // The type promises texts; a manifest file does not.
  const name: unknown = object.metadata.name;
  const namespace: unknown = object.metadata.namespace ?? '';
  if (typeof name !== 'string' || typeof namespace !== 'string') {
    report('metadata', 'name and namespace must be strings');
    return undefined;
  }
  let valid = true;
  const check = (field: string, problem: string | undefined): void => {
    if (problem === undefined) return;
    report(field, problem);
    valid = false;
  };
  check('metadata.name', object.kind === 'Namespace' ? dnsLabelProblem(name) : dnsSubdomainProblem(name));
  if (scope === 'namespaced') check('metadata.namespace', dnsLabelProblem(namespace));

  const labels = readLabels(object.metadata.labels, 'metadata.labels', report);
  const annotations = readStrings(object.metadata.annotations, 'metadata.annotations', report);
  return valid && labels && annotations ? { namespace, name, labels, annotations } : undefined;
}

export function readLabels(value: unknown, field: string, report: Report): ReadonlyMap<string, string> | undefined {
  const labels = readStrings(value, field, report);
  if (labels === undefined) return undefined;
  let valid = true;
  for (const [key, text] of labels) {
    const problem = labelKeyProblem(key) ?? labelValueProblem(text);
    if (problem === undefined) continue;
    report(`${field}[${key}]`, problem);
    valid = false;
  }
  return valid ? labels : undefined;
}

export function readStrings(value: unknown, field: string, report: Report): ReadonlyMap<string, string> | undefined {
  const fields = readFields(value, field, report);
  if (fields === undefined) return undefined;
  const strings = new Map<string, string>();
  for (const [key, text] of Object.entries(fields)) {
    if (typeof text !== 'string') {
      report(`${field}[${key}]`, 'must be a string');
      return undefined;
    }
    strings.set(key, text);
  }
  return strings;
}
