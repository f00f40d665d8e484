// The API server's rules for metadata, which objects from the API have passed already and objects from files have not. Names and
// everything that a kind's decoder looks at are checked there, for both.

import { labelKeyProblem, labelValueProblem } from '../resources/names.ts';
import { readStringMap } from '../resources/object-meta.ts';
import type { Report } from '../resources/problem.ts';
import type { AnyResource } from '../resources/resource.ts';
import { type Fields, fieldsOf, isAbsent, shown } from '../resources/wire.ts';

export function validateMetadata(resource: AnyResource, object: Fields, report: Report): void {
  const metadata = fieldsOf(object['metadata']) ?? {};
  if (!resource.namespaced && !isAbsent(metadata['namespace']) && metadata['namespace'] !== '') {
    report('metadata.namespace', `is not allowed: a ${resource.kind} belongs to no namespace`, 'remove it');
  }
  for (const [key, value] of Object.entries(readStringMap(metadata['labels'], 'metadata.labels', report) ?? {})) {
    const problem = labelKeyProblem(key);
    if (problem !== undefined) report(`metadata.labels[${key}]`, `${shown(key)} ${problem}`);
    const valueProblem = labelValueProblem(value);
    if (valueProblem !== undefined) report(`metadata.labels[${key}]`, `${shown(value)} ${valueProblem}`);
  }
  for (const key of Object.keys(readStringMap(metadata['annotations'], 'metadata.annotations', report) ?? {})) {
    const problem = labelKeyProblem(key.toLowerCase());
    if (problem !== undefined) report(`metadata.annotations[${key}]`, `${shown(key)} ${problem}`);
  }
}
