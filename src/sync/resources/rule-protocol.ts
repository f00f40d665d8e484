// What the rule of a Calico policy says about protocols and ICMP.

import { protocolNumbers } from '../../model/net/protocol.ts';
import type { IcmpMatch } from '../../model/rule.ts';
import type { Report } from './problem.ts';
import { fieldsOf, isAbsent, knowsAll, shown } from './wire.ts';

const byLowerCase = new Map(Object.entries(protocolNumbers).map(([name, number]) => [name.toLowerCase(), number]));
const names = Object.keys(protocolNumbers).join(', ');

/** A name in any case, or a number from 1 to 255, also in quotes. Undefined where it is absent, or bad (and reported). */
export function readProtocol(value: unknown, field: string, report: Report): number | undefined {
  if (isAbsent(value)) return undefined;
  const text = typeof value === 'string' ? value : '';
  const number = byLowerCase.get(text.toLowerCase()) ?? (/^\d+$/.test(text) ? Number(text) : value);
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= 255) return number;
  report(field, `${shown(value)} is no protocol`, `use one of ${names}, or a number from 1 to 255`);
  return undefined;
}

/** Whether the protocol is given by its name. */
export function isName(value: unknown): boolean {
  return typeof value === 'string' && !/^\d+$/.test(value);
}

/** Whether rules of the protocol may have ports. */
export function hasPorts(protocol: number | undefined): boolean {
  return protocol === protocolNumbers['TCP'] || protocol === protocolNumbers['UDP'] || protocol === protocolNumbers['SCTP'];
}

/** The family whose ICMP the protocol is. */
export function icmpFamily(protocol: number | undefined): 4 | 6 | undefined {
  if (protocol === protocolNumbers['ICMP']) return 4;
  return protocol === protocolNumbers['ICMPv6'] ? 6 : undefined;
}

/** Undefined where it is absent, names no type (which is all of them), or is bad (and reported). */
export function readIcmp(value: unknown, field: string, report: Report): IcmpMatch | undefined {
  if (isAbsent(value)) return undefined;
  const match = fieldsOf(value);
  if (match === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  knowsAll(match, ['type', 'code'], field, report);
  const type = readNumber(match['type'], 254, `${field}.type`, report);
  const code = readNumber(match['code'], 255, `${field}.code`, report);
  if (code !== undefined && isAbsent(match['type'])) report(`${field}.code`, 'needs a type beside it', 'give the type, too');
  if (type === undefined) return undefined;
  return code === undefined ? { type } : { type, code };
}

function readNumber(value: unknown, limit: number, field: string, report: Report): number | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= limit) return value;
  report(field, `${shown(value)} is out of range`, `use a number from 0 to ${limit}`);
  return undefined;
}
