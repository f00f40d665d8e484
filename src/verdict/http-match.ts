// `http` of Calico's rules. Packets do not show what it is about, so nobody here can enforce it: either somebody else does, and it is
// left out, or its rule disappears. In: the rule that has one. Out: whether the rule stays in force; if not, it is reported.

import type { Direction } from './policy.ts';
import { readProtocol } from './protocol.ts';
import { fieldsOf, isAbsent, knowsAll, readFields, readList } from './wire.ts';
import type { Fields, Report } from './wire.ts';

export interface HttpPlace {
  readonly direction: Direction;
  /** Ignore: an http match is somebody else's to enforce. Drop: nobody enforces it. */
  readonly httpRules: 'Ignore' | 'Drop';
}

export function readHttp(rule: Fields, { direction, httpRules }: HttpPlace, field: string, report: Report): boolean {
  const http = readFields(rule['http'], field, report);
  if (http === undefined || !knowsAll(http, ['methods', 'paths'], field, report)) return false;
  const methods = readList(http['methods'], `${field}.methods`, report);
  const paths = readList(http['paths'], `${field}.paths`, report);
  if (methods === undefined || paths === undefined) return false;
  const refuse = (at: string, problem: string): false => {
    report(at, problem);
    return false;
  };
  if (!methods.every((method) => typeof method === 'string')) return refuse(`${field}.methods`, 'must be strings');
  if (new Set(methods).size < methods.length) return refuse(`${field}.methods`, 'may not say the same twice');
  if (!paths.every(isPath)) return refuse(`${field}.paths`, 'must each have either exact or prefix, a path without query');
  if (rule['action'] !== 'Allow') return refuse(field, 'is for Allow rules only');
  if (direction === 'egress') return refuse(field, 'is for ingress rules only');
  if (!isAbsent(rule['protocol']) && readProtocol(rule['protocol'], `${field}.protocol`, () => {}) !== 6) return refuse(field, 'needs the protocol TCP, or none');
  return httpRules === 'Ignore' || refuse(field, 'is enforced by nobody here');
}

function isPath(value: unknown): boolean {
  const path = fieldsOf(value);
  if (path === undefined || !knowsAll(path, ['exact', 'prefix'], '', () => {})) return false;
  const [text, ...more] = [path['exact'], path['prefix']].filter((each) => !isAbsent(each) && each !== '');
  return more.length === 0 && typeof text === 'string' && text.startsWith('/') && !/[?# ]/.test(text);
}
