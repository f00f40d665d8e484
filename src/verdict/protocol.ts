// IP protocols as Calico's rules and host endpoints name them. In: a name or a number. Out: the IANA number, or undefined and a report.

import type { Report } from './wire.ts';

const names: ReadonlyMap<string, number> = new Map([
  ['tcp', 6],
  ['udp', 17],
  ['icmp', 1],
  ['icmpv6', 58],
  ['sctp', 132],
  ['udplite', 136],
]);

/** Those whose ports a rule may name. */
export const transportNumbers: readonly number[] = [6, 17, 132];

/** The names in whatever case (Calico's clients make them TCP, UDPLite, …); numbers 1-255, as text too. */
export function readProtocol(value: unknown, field: string, report: Report): number | undefined {
  const number = typeof value === 'string' ? (names.get(value.toLowerCase()) ?? (/^[0-9]+$/.test(value) ? Number(value) : undefined)) : value;
  if (Number.isInteger(number) && Number(number) >= 1 && Number(number) <= 255) return Number(number);
  report(field, `must be TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 to 255, not ${JSON.stringify(value)}`);
  return undefined;
}
