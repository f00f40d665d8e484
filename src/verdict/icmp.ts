// `icmp` and `notICMP` of Calico's rules: a type, or a type and a code. In: the wire form. Out: undefined, and reported, for what the
// API refuses; {} means ICMP of whatever type.

import type { Packet } from '../model/packet.ts';
import { fieldsOf, isAbsent, knowsAll } from './wire.ts';
import type { Report } from './wire.ts';

export interface IcmpMatch {
  readonly type?: number;
  readonly code?: number;
}

export function icmpMatches(match: IcmpMatch, { icmp }: Packet): boolean {
  if (icmp === undefined) return false;
  return (match.type === undefined || match.type === icmp.type) && (match.code === undefined || match.code === icmp.code);
}

export function readIcmp(value: unknown, field: string, report: Report): IcmpMatch | undefined {
  const match = fieldsOf(value);
  if (match === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const isKnown = knowsAll(match, ['type', 'code'], field, report);
  const type = readNumber(match['type'], 254, `${field}.type`, report);
  const code = readNumber(match['code'], 255, `${field}.code`, report);
  if (!isKnown || type === undefined || code === undefined) return undefined;
  if (type === 'any' && code !== 'any') {
    report(`${field}.code`, 'may only be given with a type');
    return undefined;
  }
  return { ...(type === 'any' ? {} : { type }), ...(code === 'any' ? {} : { code }) };
}

function readNumber(value: unknown, last: number, field: string, report: Report): number | 'any' | undefined {
  if (isAbsent(value)) return 'any';
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= last) return Number(value);
  report(field, `must be a whole number from 0 to ${last}`);
  return undefined;
}
