// What iptables and the kernel's extensions check of one rule before they take it. Returns the problem, or undefined.

import type { TableName } from '../../src/dataplane/kernel.ts';
import { protocols } from '../../src/simulate/protocol-names.ts';
import type { Match, RuleSpec, Target } from '../../src/simulate/rule.ts';
import type { Surroundings } from './rule-tables.ts';

export interface Place extends Surroundings {
  readonly table: TableName;
  readonly chain: string;
}

const portProtocols: readonly number[] = [protocols.tcp, protocols.udp, protocols.udplite, protocols.sctp, protocols.dccp];

const rejections: Readonly<Record<4 | 6, readonly string[]>> = {
  4: [
    'icmp-net-unreachable',
    'icmp-host-unreachable',
    'icmp-proto-unreachable',
    'icmp-port-unreachable',
    'icmp-net-prohibited',
    'icmp-host-prohibited',
    'icmp-admin-prohibited',
  ],
  6: ['icmp6-no-route', 'icmp6-adm-prohibited', 'icmp6-addr-unreachable', 'icmp6-port-unreachable'],
};

export function checkRule(spec: RuleSpec, place: Place): string | undefined {
  for (const prefix of [spec.source?.value, spec.destination?.value]) {
    if (prefix !== undefined && prefix.family !== place.family) return 'host/network not found: an address of the other family';
  }
  if (spec.outInterface !== undefined && (place.chain === 'INPUT' || place.chain === 'PREROUTING')) return `Can't use -o with ${place.chain}`;
  if (spec.inInterface !== undefined && (place.chain === 'OUTPUT' || place.chain === 'POSTROUTING')) return `Can't use -i with ${place.chain}`;
  for (const name of [spec.inInterface?.value, spec.outInterface?.value]) {
    // Only a warning of the tools; no interface can have such a name.
    if (name !== undefined && /[\s/]/.test(name)) return `weird character in interface \`${name}'`;
  }
  for (const match of spec.matches) {
    const problem = checkMatch(match, spec, place);
    if (problem !== undefined) return problem;
  }
  return spec.target && checkTarget(spec.target, spec, place);
}

function checkMatch(match: Match, spec: RuleSpec, place: Place): string | undefined {
  const protocol = spec.protocol === undefined || spec.protocol.negated ? undefined : spec.protocol.value;
  switch (match.kind) {
    case 'unknown':
      return match.problem;
    case 'comment':
      return Buffer.byteLength(match.text) > 255 ? 'comment longer than 255 bytes' : undefined;
    case 'multiport':
      return protocol !== undefined && portProtocols.includes(protocol) ? undefined : 'multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP';
    case 'ports':
      return protocol === protocols[match.protocol] ? undefined : `${match.protocol} match requires '-p ${match.protocol}'`;
    case 'icmp':
      if (match.module !== (place.family === 4 ? 'icmp' : 'icmp6')) return `Couldn't load match \`${match.module}' for this family`;
      return protocol === (place.family === 4 ? protocols.icmp : protocols.icmpv6) ? undefined : `${match.module} match requires its protocol`;
    case 'set': {
      const family = place.setFamily(match.set);
      if (family === undefined) return `Set ${match.set} doesn't exist.`;
      if (family !== '' && family !== (place.family === 4 ? 'inet' : 'inet6')) return `The protocol family of set ${match.set} is not applicable.`;
      return undefined;
    }
    case 'rpfilter':
      return place.table === 'raw' || place.table === 'mangle' ? undefined : 'rpfilter is for raw and mangle only';
    default:
      return undefined;
  }
}

function checkTarget(target: Target, spec: RuleSpec, place: Place): string | undefined {
  switch (target.kind) {
    case 'unknown':
      return target.problem;
    case 'reject':
      if (place.table !== 'filter') return 'REJECT is for the filter table only';
      if (target.with === 'tcp-reset') {
        const isTcp = spec.protocol?.negated === false && spec.protocol.value === protocols.tcp;
        return isTcp ? undefined : 'tcp-reset requires -p tcp';
      }
      return target.with === undefined || rejections[place.family].includes(target.with) ? undefined : `unknown reject type "${target.with}"`;
    case 'log':
      // The tools cut longer prefixes without a word.
      return target.prefix === '' || Buffer.byteLength(target.prefix ?? '') > 29 ? 'log prefix must have 1 to 29 bytes' : undefined;
    case 'nflog':
      return target.prefix === '' || Buffer.byteLength(target.prefix ?? '') > 63 ? 'nflog prefix must have 1 to 63 bytes' : undefined;
    default:
      return undefined;
  }
}
