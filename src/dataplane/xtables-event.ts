// The lines of `xtables-monitor -e`. In: one line. Out: what it says, where it says something that matters here.
//
//    EVENT: -4 -t filter -A cali-fw-x -m comment --comment "cali:…" -j DROP
//    EVENT: # nft: ip filter FORWARD use 1 type filter hook forward …
//    EVENT: nft: NEW table: table filter ip flags 0 use 1 handle 6
//   NEWGEN: GENID=26 PID=5850 NAME=iptables-nft-re

import type { TableName } from './kernel.ts';
import type { TouchedChain } from './doorbell.ts';

export type XtablesEvent =
  | { readonly kind: 'chain'; readonly touched: TouchedChain }
  | { readonly kind: 'generation'; readonly pid: number; readonly name: string }
  /** A change of something that iptables does not use. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'unknown' };

const rule = /^ EVENT: -([46]) -t (\S+) -[A-Z] (\S+)/;
const baseChain = /^ EVENT: # nft: (ip6?|\S+) (\S+) (\S+) use /;
const table = /^ EVENT: nft: (?:NEW|DEL) table: table (\S+) (\S+) /;
const generation = /^NEWGEN: GENID=\d+ PID=(\d+) NAME=(.*)$/;

export function parseXtablesEvent(line: string): XtablesEvent {
  const byRule = rule.exec(line);
  if (byRule !== null) return chain(byRule[1] === '6' ? 'ip6' : 'ip', byRule[2], byRule[3]);
  const byGeneration = generation.exec(line);
  if (byGeneration !== null) return { kind: 'generation', pid: Number(byGeneration[1]), name: byGeneration[2] ?? '' };
  const byBase = baseChain.exec(line);
  if (byBase !== null) return chain(byBase[1], byBase[2], byBase[3]);
  // A table that comes or goes without chains changes no verdict; with them, they have lines of their own.
  if (table.test(line)) return { kind: 'elsewhere' };
  // A rule of another family (inet, arp, bridge): nothing is printed for it.
  if (line.trim() === 'EVENT:') return { kind: 'elsewhere' };
  return { kind: 'unknown' };
}

function chain(family: string | undefined, tableName: string | undefined, name: string | undefined): XtablesEvent {
  if ((family !== 'ip' && family !== 'ip6') || !isTable(tableName) || name === undefined) return { kind: 'elsewhere' };
  return { kind: 'chain', touched: { family: family === 'ip' ? 4 : 6, table: tableName, chain: name } };
}

function isTable(name: string | undefined): name is TableName {
  return name === 'raw' || name === 'mangle' || name === 'nat' || name === 'filter';
}
