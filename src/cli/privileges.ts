// Whether this process may change iptables and ipset. Asked before anything starts, so that the answer is one line and not the
// first refused transaction.

import { readFileSync } from 'node:fs';

/** Bit of CAP_NET_ADMIN, capabilities(7). */
const NET_ADMIN = 1n << 12n;

export function mayProgramKernel(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) & NET_ADMIN) !== 0n;
}
