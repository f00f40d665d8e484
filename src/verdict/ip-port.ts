// One entry of `ports` or `notPorts` of Calico's rules: a number, a range "first:last" or a name. In: the wire form. Out: undefined,
// and reported, for what is none of these. 0 is a number like any other: a range may begin there. Names are those that ports of pods may
// have.

import { portNameProblem } from './names.ts';
import type { Report } from './wire.ts';

export type IpPort = { readonly first: number; readonly last: number } | { readonly name: string };

export function readIpPort(value: unknown, field: string, report: Report): IpPort | undefined {
  const [, first, last] = (typeof value === 'number' || typeof value === 'string' ? /^([0-9]+)(?::([0-9]+))?$/.exec(String(value)) : null) ?? [];
  if (first !== undefined) {
    const range = { first: Number(first), last: Number(last ?? first) };
    if (range.first <= range.last && range.last <= 65535) return range;
  } else if (typeof value === 'string' && portNameProblem(value) === undefined) {
    return { name: value };
  }
  report(field, `${JSON.stringify(value)} is no port, range of ports or name`);
  return undefined;
}
