// The http match of the rule of a Calico policy. Nothing in the kernel's tables can look at a request: either something else does
// (Calico's application layer policy), and we let the connection pass, or the rule cannot be in force.

import type { Report } from './problem.ts';
import { fieldsOf, isAbsent, knowsAll, readFields, readList, shown } from './wire.ts';

/** Reports whatever the API would refuse. */
export function checkHttp(value: unknown, field: string, report: Report): void {
  const match = readFields(value, field, report);
  if (match === undefined) return;
  knowsAll(match, ['methods', 'paths'], field, report);
  const methods = readList(match['methods'], `${field}.methods`, report) ?? [];
  const paths = readList(match['paths'], `${field}.paths`, report) ?? [];
  if (new Set(methods).size < methods.length) report(`${field}.methods`, 'names a method twice', 'remove one of them');
  for (const [i, method] of methods.entries()) if (typeof method !== 'string') report(`${field}.methods[${i}]`, `${shown(method)} must be a string`);
  for (const [i, path] of paths.entries()) checkPath(path, `${field}.paths[${i}]`, report);
}

function checkPath(value: unknown, field: string, report: Report): void {
  const path = fieldsOf(value);
  if (path === undefined) {
    report(field, 'must be an object');
    return;
  }
  knowsAll(path, ['exact', 'prefix'], field, report);
  const given = [path['exact'], path['prefix']].filter((text) => !isAbsent(text) && text !== '');
  const [text] = given;
  if (given.length !== 1) report(field, 'needs either exact or prefix');
  else if (typeof text !== 'string' || !/^\/[^?# ]*$/.test(text)) {
    report(field, `${shown(text)} is no path`, 'begin it with "/", and use no "?", "#" or space');
  }
}
