// Problems of objects, collected into the judge's list of invalid objects.

import type { InvalidObject, WireObject } from '../model/verdict.ts';
import type { Report } from './wire.ts';

/** A report whose problems are all about one object. */
export function reportOn(object: WireObject, invalid: InvalidObject[]): Report {
  const { name, namespace } = object.metadata;
  return (field, problem) => {
    invalid.push({ kind: object.kind, ...(namespace === undefined ? {} : { namespace }), name, field, problem });
  };
}
