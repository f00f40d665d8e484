// Turns "-j name" and its options into a Target. A name that is no target known here is a jump where a chain of that name
// exists, which only the caller can know; without one it stays "unknown".

import { parseMasked } from './match-parser.ts';
import type { Extension, Option } from './match-parser.ts';
import type { Target } from './rule.ts';

export const targetOptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ACCEPT: {},
  DROP: {},
  RETURN: {},
  REJECT: { 'reject-with': 'reject-with' },
  MARK: {
    'set-xmark': 'set-xmark',
    'set-mark': 'set-mark',
    'or-mark': 'or-mark',
    'and-mark': 'and-mark',
    'xor-mark': 'xor-mark',
  },
  LOG: {
    'log-prefix': 'log-prefix',
    'log-level': 'log-level',
    'log-tcp-sequence': 'log-tcp-sequence',
    'log-tcp-options': 'log-tcp-options',
    'log-ip-options': 'log-ip-options',
    'log-uid': 'log-uid',
    'log-macdecode': 'log-macdecode',
  },
  NFLOG: {
    'nflog-prefix': 'nflog-prefix',
    'nflog-group': 'nflog-group',
    'nflog-size': 'nflog-size',
    'nflog-threshold': 'nflog-threshold',
  },
};

/** Flags of LOG in the order in which iptables prints them. */
const logFlags = ['log-tcp-sequence', 'log-tcp-options', 'log-ip-options', 'log-uid', 'log-macdecode'];
export const targetArity: Readonly<Record<string, number>> = Object.fromEntries(logFlags.map((flag) => [flag, 0]));

const logLevels: Readonly<Record<string, number>> = {
  emerg: 0, panic: 0, alert: 1, crit: 2, err: 3, error: 3, warning: 4, warn: 4, notice: 5, info: 6, debug: 7,
};

export function parseTarget(extension: Extension): Target {
  const target = extension.foreign || extension.options.some((option) => option.negated) ? undefined : interpret(extension);
  if (target !== undefined) return target;
  const problem = Object.hasOwn(targetOptions, extension.module) ? 'has options that are not known' : 'is not known';
  return { kind: 'unknown', name: extension.module, text: extension.text.join(' '), problem: `target "${extension.module}" ${problem}` };
}

function interpret(extension: Extension): Target | undefined {
  const options = new Map(extension.options.map((option) => [option.name, option]));
  if (options.size !== extension.options.length) return undefined;
  switch (extension.module) {
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
    case 'REJECT': {
      const reason = options.get('reject-with')?.args[0];
      return reason === undefined ? { kind: 'reject' } : { kind: 'reject', with: reason };
    }
    case 'MARK':
      return options.size === 1 ? markTarget(extension.options[0] as Option) : undefined;
    case 'LOG': {
      const level = options.get('log-level')?.args[0] ?? 'warning';
      const number = /^[0-7]$/.test(level) ? Number(level) : Object.hasOwn(logLevels, level) ? logLevels[level] : undefined;
      const prefix = options.get('log-prefix')?.args[0];
      if (number === undefined) return undefined;
      return { kind: 'log', level: number, flags: logFlags.filter((flag) => options.has(flag)), ...(prefix !== undefined && { prefix }) };
    }
    case 'NFLOG': {
      const prefix = options.get('nflog-prefix')?.args[0];
      const group = count(options.get('nflog-group'));
      const size = count(options.get('nflog-size'));
      const threshold = count(options.get('nflog-threshold'));
      if ([group, size, threshold].some(Number.isNaN)) return undefined;
      return {
        kind: 'nflog',
        group: group ?? 0,
        ...(prefix !== undefined && { prefix }),
        ...(size !== undefined && { size }),
        ...(threshold !== undefined && { threshold }),
      };
    }
    default:
      return undefined;
  }
}

function count(option: Option | undefined): number | undefined {
  if (option === undefined) return undefined;
  return /^\d{1,5}$/.test(option.args[0] ?? '') ? Number(option.args[0]) : Number.NaN;
}

/** All spellings come down to (mark & ~mask) ^ value, which is how the kernel keeps and iptables prints them. */
function markTarget(option: Option): Target | undefined {
  const masked = parseMasked(option.args[0] ?? '');
  if (masked === undefined) return undefined;
  const [value, mask] = masked;
  switch (option.name) {
    case 'set-xmark':
      return { kind: 'mark', value, mask: mask ?? 0xffffffff };
    case 'set-mark':
      return { kind: 'mark', value, mask: mask === undefined ? 0xffffffff : (value | mask) >>> 0 };
    case 'or-mark':
      return mask === undefined ? { kind: 'mark', value, mask: value } : undefined;
    case 'and-mark':
      return mask === undefined ? { kind: 'mark', value: 0, mask: ~value >>> 0 } : undefined;
    default:
      return mask === undefined ? { kind: 'mark', value, mask: 0 } : undefined;
  }
}
