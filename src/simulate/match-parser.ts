// Turns one "-m module" of a rule and its options into a Match. In: the options by their long names, with arguments. Out: the
// match, or kind "unknown" with the problem: a module or an option that is not known here, or an argument that no tool prints.

import type { PortRange } from '../model/net/port.ts';
import type { ConnectionState, Match, Negatable, SetFlag } from './rule.ts';
import { connectionStates } from './rule.ts';
import { parseLimit } from './limit-rate.ts';

export interface Option {
  readonly name: string;
  readonly negated: boolean;
  readonly args: readonly string[];
}

/** One "-m module" (or "-j target") and what follows it. */
export interface Extension {
  readonly module: string;
  readonly options: Option[];
  /** Everything that followed, as written, for the text of what stays unknown. */
  readonly text: string[];
  /** Set where something followed that is not an option known here. */
  foreign: boolean;
}

/** Options by module: the spelling on the line → long name. */
const ports = { sport: 'source-port', 'source-port': 'source-port', dport: 'destination-port', 'destination-port': 'destination-port' };
export const matchOptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  comment: { comment: 'comment' },
  mark: { mark: 'mark' },
  set: { 'match-set': 'match-set' },
  multiport: {
    sports: 'source-ports',
    'source-ports': 'source-ports',
    dports: 'destination-ports',
    'destination-ports': 'destination-ports',
    ports: 'ports',
  },
  tcp: ports,
  udp: ports,
  sctp: ports,
  dccp: ports,
  conntrack: { ctstate: 'ctstate' },
  state: { state: 'state' },
  icmp: { 'icmp-type': 'icmp-type' },
  icmp6: { 'icmpv6-type': 'icmpv6-type' },
  limit: { limit: 'limit', 'limit-burst': 'limit-burst' },
  addrtype: { 'src-type': 'src-type', 'dst-type': 'dst-type' },
  rpfilter: { invert: 'invert', validmark: 'validmark', loose: 'loose', 'accept-local': 'accept-local' },
};

/** Arguments of an option that are not exactly one. */
export const optionArity: Readonly<Record<string, number>> = { 'match-set': 2, invert: 0, validmark: 0, loose: 0, 'accept-local': 0 };

/** A problem with an extension; becomes the kind "unknown". */
class Problem extends Error {}

export function parseMatch(extension: Extension): Match {
  try {
    if (!Object.hasOwn(matchOptions, extension.module)) throw new Problem(`match "${extension.module}" is not known`);
    if (extension.foreign) throw new Problem(`an option of match "${extension.module}" is not known`);
    return interpret(extension);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { kind: 'unknown', module: extension.module, text: extension.text.join(' '), problem: problem.message };
  }
}

function interpret(extension: Extension): Match {
  const { module } = extension;
  switch (module) {
    case 'comment':
      return { kind: 'comment', text: argument(only(extension)) };
    case 'mark': {
      const option = only(extension);
      const [value, mask] = maskedNumber(argument(option));
      return { kind: 'mark', negated: option.negated, value, mask: mask ?? 0xffffffff };
    }
    case 'set': {
      const option = only(extension);
      return { kind: 'set', negated: option.negated, set: argument(option), flags: setFlags(option.args[1] ?? '') };
    }
    case 'multiport': {
      const option = only(extension);
      const end = option.name === 'ports' ? 'either' : option.name === 'source-ports' ? 'source' : 'destination';
      return { kind: 'multiport', negated: option.negated, end, ports: portList(argument(option)) };
    }
    case 'tcp':
    case 'udp':
    case 'sctp':
    case 'dccp': {
      const source = portOf(extension, 'source-port');
      const destination = portOf(extension, 'destination-port');
      return { kind: 'ports', protocol: module, ...(source && { source }), ...(destination && { destination }) };
    }
    case 'conntrack':
    case 'state': {
      const option = only(extension);
      return { kind: 'conntrack', module, negated: option.negated, states: stateList(argument(option), module) };
    }
    case 'icmp':
    case 'icmp6':
      return icmp(module, only(extension));
    case 'limit':
      return limit(extension);
    case 'addrtype': {
      const source = localType(extension, 'src-type');
      const destination = localType(extension, 'dst-type');
      if (!source && !destination) throw new Problem('addrtype without a type');
      return { kind: 'addrtype', ...(source && { source }), ...(destination && { destination }) };
    }
    case 'rpfilter': {
      refuseNegation(extension);
      const names = new Set(extension.options.map((option) => option.name));
      const options = ['loose', 'validmark', 'accept-local'].filter((name) => names.has(name));
      return { kind: 'rpfilter', invert: names.has('invert'), options };
    }
    default:
      throw new Problem(`match "${module}" is not known`);
  }
}

function only(extension: Extension): Option {
  const [option, second] = extension.options;
  if (option === undefined || second !== undefined) throw new Problem(`match "${extension.module}" needs exactly one option`);
  if (option.negated && extension.module === 'comment') throw new Problem('a comment cannot be negated');
  return option;
}

function optional(extension: Extension, name: string): Option | undefined {
  const [option, second] = extension.options.filter((candidate) => candidate.name === name);
  if (second !== undefined) throw new Problem(`--${name} twice`);
  return option;
}

function argument(option: Option): string {
  const [text] = option.args;
  if (text === undefined) throw new Problem(`--${option.name} without an argument`);
  return text;
}

function refuseNegation(extension: Extension): void {
  if (extension.options.some((option) => option.negated)) throw new Problem(`match "${extension.module}" cannot be negated`);
}

/** Decimal, 0x hexadecimal or 0 octal, as strtoul reads them; unsigned 32 bits. */
export function parseNumber(text: string): number | undefined {
  if (!/^(0x[0-9a-fA-F]{1,8}|0[0-7]*|[1-9]\d{0,9})$/.test(text)) return undefined;
  const value = /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text);
  return value <= 0xffffffff ? value : undefined;
}

/** "value" or "value/mask". */
export function parseMasked(text: string): readonly [number, number | undefined] | undefined {
  const [value, mask, rest] = text.split('/');
  const parsed = parseNumber(value ?? '');
  const parsedMask = mask === undefined ? undefined : parseNumber(mask);
  if (parsed === undefined || rest !== undefined || (mask !== undefined && parsedMask === undefined)) return undefined;
  return [parsed, parsedMask];
}

function maskedNumber(text: string): readonly [number, number | undefined] {
  const masked = parseMasked(text);
  if (masked === undefined) throw new Problem(`"${text}" is no mark`);
  return masked;
}

function setFlags(text: string): SetFlag[] {
  const flags = text.split(',');
  if (flags.length > 6 || !flags.every((flag) => flag === 'src' || flag === 'dst')) throw new Problem(`"${text}" are no set flags`);
  return flags;
}

function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Problem(`"${text}" is no port number`);
  return Number(text);
}

/** "80", "80:90", ":90", "80:". */
function portRange(text: string): PortRange {
  const [first, last, rest] = text.split(':');
  if (rest !== undefined) throw new Problem(`"${text}" is no port range`);
  if (last === undefined) return { first: portNumber(text), last: portNumber(text) };
  const range = { first: first === '' ? 0 : portNumber(first as string), last: last === '' ? 65_535 : portNumber(last) };
  if (range.first > range.last) throw new Problem(`port range "${text}" is empty`);
  return range;
}

/** At most fifteen slots, a range taking two. */
function portList(text: string): PortRange[] {
  const ranges = text.split(',').map((word) => {
    const [first, last] = word.split(':');
    if (first === '' || last === '') throw new Problem(`"${word}" is open-ended`);
    return portRange(word);
  });
  const slots = text.split(/[,:]/).length;
  if (slots > 15) throw new Problem(`${slots} port slots: the kernel has fifteen`);
  return ranges;
}

function portOf(extension: Extension, name: string): Negatable<PortRange> | undefined {
  const option = optional(extension, name);
  return option && { negated: option.negated, value: portRange(argument(option)) };
}

function stateList(text: string, module: 'conntrack' | 'state'): ConnectionState[] {
  const words = new Set(text.split(','));
  const known = connectionStates.filter((state) => words.has(state) && (module === 'conntrack' || !state.endsWith('NAT')));
  if (known.length !== words.size) throw new Problem(`"${text}" are no connection states`);
  return known;
}

function icmp(module: 'icmp' | 'icmp6', option: Option): Match {
  const text = argument(option);
  const base = { kind: 'icmp', module, negated: option.negated } as const;
  // 255 is how IPv4's match writes "any", whatever the code.
  if (module === 'icmp' && /^(any|255(\/\d+)?)$/.test(text)) return base;
  const [, type, code] = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (type === undefined || Number(type) > 255 || Number(code ?? 0) > 255) throw new Problem(`"${text}" is no ICMP type`);
  return { ...base, type: Number(type), ...(code !== undefined && { code: Number(code) }) };
}

function limit(extension: Extension): Match {
  refuseNegation(extension);
  const rate = parseLimit(optional(extension, 'limit')?.args[0] ?? '3/hour');
  const burst = optional(extension, 'limit-burst')?.args[0] ?? '5';
  if (rate === undefined || !/^[1-9]\d{0,4}$/.test(burst)) throw new Problem('no rate or burst of a limit');
  return { kind: 'limit', rate, burst: Number(burst) };
}

function localType(extension: Extension, name: string): Negatable<'LOCAL'> | undefined {
  const option = optional(extension, name);
  if (option === undefined) return undefined;
  if (argument(option) !== 'LOCAL') throw new Problem(`address type "${argument(option)}" is not known`);
  return { negated: option.negated, value: 'LOCAL' };
}
