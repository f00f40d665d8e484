// The types of parameters: how the text of an environment variable or flag becomes a value, and back.
//
// In: text without surrounding white space, never empty; "none" is dealt with by the caller.
// Out: a value, or a ValueProblem that says what would have been accepted. The grammars are those of Calico's
// Felix configuration reference, so that a value that Felix accepts means the same here.

/** The text is not of the type; the message says what is accepted. */
export class ValueProblem extends Error {
  readonly code = 'VALUE_PROBLEM';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ValueProblem';
  }
}

export interface ParameterType<T> {
  /** Shown in the documentation: "true or false", "seconds". */
  readonly grammar: string;
  /** What "none" stands for; absent where the type has no "off". */
  readonly zero?: T;
  parse(text: string): T;
  /** The text that would give this value; '' for what is off or unset. */
  format(value: T): string;
}

const TRUE = new Set(['true', '1', 'yes', 'y', 't']);
const FALSE = new Set(['false', '0', 'no', 'n', 'f']);

export const boolean: ParameterType<boolean> = Object.freeze({
  grammar: 'true or false',
  zero: false,
  parse(text: string): boolean {
    const word = text.toLowerCase();
    if (TRUE.has(word)) return true;
    if (FALSE.has(word)) return false;
    throw new ValueProblem('expected true, 1, yes, y, t or false, 0, no, n, f');
  },
  format: (value: boolean) => String(value),
});

/** Go's base-0 integers, as Felix reads them: 10, -1, 0x1f, 0o17, 017, 0b101, with _ between digits. */
function parseInteger(text: string): number | undefined {
  const match = /^([+-]?)(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|0[0-7_]*|[1-9][0-9_]*)$/.exec(text);
  if (!match) return undefined;
  const [, sign, digits = ''] = match;
  if (/__|_$/.test(digits)) return undefined;
  const plain = digits.replaceAll('_', '');
  const value = Number(/^0[0-7]+$/.test(plain) ? `0o${plain.slice(1)}` : plain);
  if (!Number.isSafeInteger(value)) return undefined;
  return sign === '-' && value !== 0 ? -value : value;
}

export function integer(min: number, max: number): ParameterType<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `an integer from ${min}` : `an integer from ${min} to ${max}`;
  return Object.freeze({
    grammar: range,
    zero: 0,
    parse(text: string): number {
      const value = parseInteger(text);
      if (value === undefined || value < min || value > max) throw new ValueProblem(`expected ${range}`);
      return value;
    },
    format: (value: number) => String(value),
  });
}

function duration(unit: string): ParameterType<number> {
  return Object.freeze({
    grammar: unit,
    zero: 0,
    parse(text: string): number {
      if (!/^\d+(\.\d*)?$|^\.\d+$/.test(text)) throw new ValueProblem(`expected a number of ${unit}, without a unit`);
      const value = Number(text);
      // A year is beyond every sensible interval, and within what a timer can be asked for in steps.
      if (value > 31_536_000_000) throw new ValueProblem(`expected a number of ${unit} below a year`);
      return value;
    },
    format: (value: number) => String(value),
  });
}

export const seconds: ParameterType<number> = duration('seconds');
export const milliseconds: ParameterType<number> = duration('milliseconds');

/** One word of a list, in any case; the value is the word as the list spells it. */
export function oneOf<const W extends string>(words: readonly W[], none?: NoInfer<W>): ParameterType<W> {
  return Object.freeze({
    grammar: words.join(', '),
    ...(none === undefined ? {} : { zero: none }),
    parse(text: string): W {
      const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
      if (found === undefined) throw new ValueProblem(`expected one of ${words.join(', ')}`);
      return found;
    },
    format: (value: W) => value,
  });
}

/** Mark bits of our own: accept, pass, drop and two for scratch. */
const MARK_BITS = 5;

export const markMask: ParameterType<number> = Object.freeze({
  grammar: `a 32-bit mask with at least ${MARK_BITS} bits set`,
  parse(text: string): number {
    const value = parseInteger(text);
    if (value === undefined || value < 0 || value > 0xffff_ffff) throw new ValueProblem('expected a 32-bit mask such as 0xffff0000');
    const bits = value.toString(2).replaceAll('0', '').length;
    if (bits < MARK_BITS) throw new ValueProblem(`expected at least ${MARK_BITS} bits set, there are ${bits}`);
    return value;
  },
  format: (value: number) => `0x${value.toString(16).padStart(8, '0')}`,
});

function pattern(grammar: string, expression: RegExp): ParameterType<string> {
  return Object.freeze({
    grammar,
    zero: '',
    parse(text: string): string {
      if (!expression.test(text)) throw new ValueProblem(`expected ${grammar}`);
      return text;
    },
    format: (value: string) => value,
  });
}

/** Interface name prefixes: "cali,tap". */
export const interfaceList: ParameterType<readonly string[]> = Object.freeze({
  grammar: 'interface prefixes of 1 to 15 letters, digits, _ or -, separated by commas',
  zero: Object.freeze([]),
  parse(text: string): readonly string[] {
    if (!/^[a-zA-Z0-9_-]{1,15}(,[a-zA-Z0-9_-]{1,15})*$/.test(text)) throw new ValueProblem(`expected ${interfaceList.grammar}`);
    return Object.freeze([...new Set(text.split(','))]);
  },
  format: (value: readonly string[]) => value.join(','),
});

export const hostAddress: ParameterType<string> = pattern('an address or host name', /^[a-zA-Z0-9:._+-]{1,64}$/);

export const hostname: ParameterType<string> = pattern('letters, digits, _, . and -', /^[a-zA-Z0-9_.-]+$/);

export const path: ParameterType<string> = pattern('a path', /^[^\0\n]+$/);

/** Goes into a rule between quotes; the kernel keeps 29 characters of it. */
export const logPrefix: ParameterType<string> = pattern('printable ASCII without quotes and backslashes', /^[\x20\x21\x23-\x26\x28-\x5b\x5d-\x7e]+$/);

export const logRate: ParameterType<string> = pattern(
  'a rate such as 10/minute (second, minute, hour or day)',
  /^[1-9]\d{0,3}\/(second|minute|hour|day)$/,
);

export const text: ParameterType<string> = pattern('text', /^[^\0]+$/);

/** A credential: anything that can stand in an HTTP header. */
export const secret: ParameterType<string> = pattern('a token without white space', /^[\x21-\x7e]+$/);

export const serverUrl: ParameterType<string> = Object.freeze({
  grammar: 'an http or https URL',
  zero: '',
  parse(text: string): string {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol)) throw new ValueProblem('expected an http or https URL');
    // A URL is printed by `caracal config` and in logs; a password in it would be too.
    if (url.username !== '' || url.password !== '') throw new ValueProblem('expected a URL without user and password; use K8S_TOKEN');
    return text;
  },
  format: (value: string) => value,
});
