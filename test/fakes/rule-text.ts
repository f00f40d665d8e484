// Prints a parsed rule as iptables-save does: header matches in a fixed order, then extensions in the order of the command, then
// the target; numbers, masks, states and port ranges in their one spelling. Found by experiment with iptables 1.8.9, where both
// backends print the same; test/kernel/fake-kernel.test.ts holds it against the real tools. Two rules are the same rule to
// "-D by value" exactly if this text is the same.

import type { Family } from '../../src/model/packet.ts';
import type { PortRange } from '../../src/model/net/port.ts';
import { prefixText } from '../../src/simulate/address.ts';
import { protocolName } from '../../src/simulate/protocol-names.ts';
import type { Match, Negatable, RuleSpec, Target } from '../../src/simulate/rule.ts';
import { quote } from '../../src/simulate/tokens.ts';

export function ruleText(spec: RuleSpec, family: Family): string {
  return [
    ...header('-s', spec.source, prefixText),
    ...header('-d', spec.destination, prefixText),
    ...header('-i', spec.inInterface, (name) => name),
    ...header('-o', spec.outInterface, (name) => name),
    ...header('-p', spec.protocol, protocolName),
    ...spec.matches.map(matchText),
    ...(spec.target === undefined ? [] : [targetText(spec.target, family)]),
  ].join(' ');
}

function header<T>(option: string, match: Negatable<T> | undefined, text: (value: T) => string): string[] {
  return match === undefined ? [] : [`${match.negated ? '! ' : ''}${option} ${text(match.value)}`];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function rangeText(range: PortRange): string {
  return range.first === range.last ? `${range.first}` : `${range.first}:${range.last}`;
}

function matchText(match: Match): string {
  const not = 'negated' in match && match.negated ? '! ' : '';
  switch (match.kind) {
    case 'comment':
      return `-m comment --comment ${quote(match.text)}`;
    case 'mark':
      return `-m mark ${not}--mark ${hex(match.value)}${match.mask === 0xffffffff ? '' : `/${hex(match.mask)}`}`;
    case 'set':
      return `-m set ${not}--match-set ${match.set} ${match.flags.join(',')}`;
    case 'multiport': {
      const option = { source: '--sports', destination: '--dports', either: '--ports' }[match.end];
      return `-m multiport ${not}${option} ${match.ports.map(rangeText).join(',')}`;
    }
    case 'ports':
      return [`-m ${match.protocol}`, ...portText('--sport', match.source), ...portText('--dport', match.destination)].join(' ');
    case 'conntrack':
      return `-m ${match.module} ${not}--${match.module === 'state' ? 'state' : 'ctstate'} ${match.states.join(',')}`;
    case 'icmp': {
      const type = match.type === undefined ? 'any' : `${match.type}${match.code === undefined ? '' : `/${match.code}`}`;
      return `-m ${match.module} ${not}--${match.module === 'icmp' ? 'icmp-type' : 'icmpv6-type'} ${type}`;
    }
    case 'limit':
      return `-m limit --limit ${match.rate}${match.burst === 5 ? '' : ` --limit-burst ${match.burst}`}`;
    case 'addrtype':
      return ['-m addrtype', ...header('--src-type', match.source, String), ...header('--dst-type', match.destination, String)].join(' ');
    case 'rpfilter':
      return ['-m rpfilter', ...match.options.map((option) => `--${option}`), ...(match.invert ? ['--invert'] : [])].join(' ');
    case 'unknown':
      return match.text;
  }
}

/** A range that says nothing is not printed. */
function portText(option: string, port: Negatable<PortRange> | undefined): string[] {
  if (port === undefined || (!port.negated && port.value.first === 0 && port.value.last === 65_535)) return [];
  return [`${port.negated ? '! ' : ''}${option} ${rangeText(port.value)}`];
}

function targetText(target: Target, family: Family): string {
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return `-j ${target.kind.toUpperCase()}`;
    case 'reject':
      return `-j REJECT --reject-with ${target.with ?? (family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable')}`;
    case 'mark':
      return `-j MARK --set-xmark ${hex(target.value)}/${hex(target.mask)}`;
    case 'log': {
      const prefix = target.prefix === undefined ? [] : [`--log-prefix ${quote(target.prefix)}`];
      const level = target.level === 4 ? [] : [`--log-level ${target.level}`];
      return ['-j LOG', ...prefix, ...level, ...target.flags.map((flag) => `--${flag}`)].join(' ');
    }
    case 'nflog': {
      const prefix = target.prefix === undefined ? [] : [`--nflog-prefix ${quote(target.prefix)}`];
      const group = target.group === 0 ? [] : [`--nflog-group ${target.group}`];
      const size = target.size === undefined ? [] : [`--nflog-size ${target.size}`];
      const threshold = target.threshold === undefined ? [] : [`--nflog-threshold ${target.threshold}`];
      return ['-j NFLOG', ...prefix, ...group, ...size, ...threshold].join(' ');
    }
    case 'jump':
      return `-j ${target.chain}`;
    case 'goto':
      return `-g ${target.chain}`;
    case 'unknown':
      return target.text;
  }
}
