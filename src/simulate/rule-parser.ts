// Parses the part of a rule after "-A chain": "-s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT". Reads what iptables-save prints
// and the longer spellings that iptables-restore accepts as well. What is not known becomes a match or target of kind "unknown";
// a problem is returned only for what no tool would accept as a rule at all.

import type { Prefix } from './address.ts';
import { parsePrefix } from './address.ts';
import { matchOptions, optionArity, parseMatch } from './match-parser.ts';
import type { Extension } from './match-parser.ts';
import { protocolName, protocolNumber } from './protocol-names.ts';
import type { Negatable, RuleSpec } from './rule.ts';
import { parseTarget, targetArity, targetOptions } from './target-parser.ts';
import { quote, tokenize } from './tokens.ts';

/** A name that somebody else chose ("constructor") must not find what every object inherits. */
function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const headerOptions: Readonly<Record<string, 'source' | 'destination' | 'in' | 'out' | 'protocol' | 'match' | 'jump' | 'goto'>> = {
  '-s': 'source', '--source': 'source', '--src': 'source',
  '-d': 'destination', '--destination': 'destination', '--dst': 'destination',
  '-i': 'in', '--in-interface': 'in',
  '-o': 'out', '--out-interface': 'out',
  '-p': 'protocol', '--protocol': 'protocol', '--proto': 'protocol',
  '-m': 'match', '--match': 'match',
  '-j': 'jump', '--jump': 'jump',
  '-g': 'goto', '--goto': 'goto',
};

/** Protocols whose own options may be used without naming the module. */
const implicitModules: Readonly<Record<string, string>> = {
  tcp: 'tcp', udp: 'udp', sctp: 'sctp', dccp: 'dccp', icmp: 'icmp', 'ipv6-icmp': 'icmp6',
};

export type ParsedSpec = { readonly spec: RuleSpec } | { readonly problem: string };

/** Most rules of a table stay as they are from one reading to the next, and many chains have the same ones. */
const parsed = new Map<string, ParsedSpec>();
const memoryLimit = 4_000;

/** Undefined when a quote is not closed. */
export function parseRuleText(text: string): ParsedSpec | undefined {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  const spec = parseRuleSpec(tokens);
  if (parsed.size >= memoryLimit) parsed.clear();
  parsed.set(text, spec);
  return spec;
}

function parseRuleSpec(tokens: readonly string[]): ParsedSpec {
  const parser = new SpecParser(tokens);
  const problem = parser.parse();
  return problem === undefined ? { spec: parser.spec() } : { problem };
}

class SpecParser {
  readonly #tokens: readonly string[];
  #position = 0;
  readonly #header: Mutable<Omit<RuleSpec, 'matches' | 'target'>> = {};
  readonly #matches: Extension[] = [];
  #target: Extension | undefined;
  #goto: string | undefined;
  /** Where options that no module claims belong. */
  #current: Extension | undefined;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  parse(): string | undefined {
    while (this.#position < this.#tokens.length) {
      let negated = false;
      if (this.#peek() === '!') {
        negated = true;
        this.#position += 1;
      }
      const token = this.#next();
      if (token === undefined || token === '!') return '"!" without an option';
      const header = own(headerOptions, token);
      const problem = header === undefined ? this.#extensionOption(token, negated) : this.#headerOption(header, negated);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  spec(): RuleSpec {
    const matches = this.#matches.map(parseMatch);
    const target = this.#goto === undefined ? this.#target && parseTarget(this.#target) : ({ kind: 'goto', chain: this.#goto } as const);
    return { ...this.#header, matches, ...(target !== undefined && { target }) };
  }

  #peek(): string | undefined {
    return this.#tokens[this.#position];
  }

  #next(): string | undefined {
    const token = this.#tokens[this.#position];
    this.#position += 1;
    return token;
  }

  #headerOption(option: (typeof headerOptions)[string], negated: boolean): string | undefined {
    const argument = this.#next();
    if (argument === undefined || argument === '!') return 'an option lacks its argument';
    switch (option) {
      case 'source':
      case 'destination':
        return this.#address(option, argument, negated);
      case 'in':
      case 'out':
        return this.#interface(option, argument, negated);
      case 'protocol':
        return this.#protocol(argument, negated);
      case 'match':
        if (negated) return '"!" before -m';
        this.#begin({ module: argument, options: [], text: ['-m', argument], foreign: false });
        return undefined;
      case 'jump':
      case 'goto':
        if (negated || this.#target !== undefined || this.#goto !== undefined) return 'more than one target, or "!" before it';
        if (option === 'goto') this.#goto = argument;
        else this.#current = this.#target = { module: argument, options: [], text: ['-j', argument], foreign: false };
        return undefined;
    }
  }

  #begin(extension: Extension): Extension {
    this.#matches.push(extension);
    this.#current = extension;
    return extension;
  }

  #address(end: 'source' | 'destination', text: string, negated: boolean): string | undefined {
    if (this.#header[end] !== undefined) return `more than one ${end}`;
    const value = parsePrefix(text);
    if (value === undefined) {
      // A discontiguous mask, or nonsense: kept apart so that the rule never matches by accident.
      this.#matches.push({ module: end, options: [], text: [`${negated ? '! ' : ''}--${end}`, text], foreign: true });
      return undefined;
    }
    if (value.length > 0 || negated) this.#header[end] = { negated, value } satisfies Negatable<Prefix>;
    return undefined;
  }

  #interface(direction: 'in' | 'out', name: string, negated: boolean): string | undefined {
    const field = direction === 'in' ? 'inInterface' : 'outInterface';
    if (this.#header[field] !== undefined || name === '' || name.length > 15) return `more than one ${field}, or "${name}" is no interface name`;
    if (name !== '+' || negated) this.#header[field] = { negated, value: name };
    return undefined;
  }

  #protocol(text: string, negated: boolean): string | undefined {
    const value = protocolNumber(text);
    if (this.#header.protocol !== undefined || value === undefined) return `more than one protocol, or "${text}" is none`;
    if (value === 0 && negated) return 'a negated "all" never matches';
    if (value !== 0) this.#header.protocol = { negated, value };
    return undefined;
  }

  #extensionOption(token: string, negated: boolean): string | undefined {
    if (!token.startsWith('--')) {
      // "-f", an argument of an unknown module, or nonsense.
      return this.#foreign([...(negated ? ['!'] : []), token]);
    }
    const spelling = token.slice(2);
    const [extension, name] = this.#owner(spelling) ?? [];
    if (extension === undefined || name === undefined) return this.#foreign([...(negated ? ['!'] : []), token]);
    const arity = optionArity[name] ?? targetArity[name] ?? 1;
    const args: string[] = [];
    for (let i = 0; i < arity; i += 1) {
      const argument = this.#next();
      if (argument === undefined) return `--${spelling} lacks an argument`;
      args.push(argument);
    }
    extension.options.push({ name, negated, args });
    extension.text.push(...(negated ? ['!'] : []), token, ...args.map(quote));
    return undefined;
  }

  /**
   * Which extension an option belongs to: the one that is being written, else the latest that knows it, else the protocol's own
   * module. Whatever follows a module that is not known here is that module's.
   */
  #owner(spelling: string): readonly [Extension, string] | undefined {
    const current = this.#current;
    if (current !== undefined && this.#optionsOf(current) === undefined) return undefined;
    const candidates = [current, ...this.#matches.toReversed(), this.#target];
    for (const extension of candidates) {
      const name = extension && own(this.#optionsOf(extension), spelling);
      if (extension !== undefined && name !== undefined) return [extension, name];
    }
    const { protocol } = this.#header;
    const module = protocol === undefined || protocol.negated ? undefined : own(implicitModules, protocolName(protocol.value));
    const name = module === undefined ? undefined : own(matchOptions[module], spelling);
    if (module === undefined || name === undefined || this.#matches.some((match) => match.module === module)) return undefined;
    const extension: Extension = { module, options: [], text: ['-m', module], foreign: false };
    this.#matches.push(extension);
    return [extension, name];
  }

  #optionsOf(extension: Extension): Readonly<Record<string, string>> | undefined {
    return own(extension === this.#target ? targetOptions : matchOptions, extension.module);
  }

  /** Text of an extension that is not known here; taken up to the next thing that is. */
  #foreign(tokens: readonly string[]): string | undefined {
    const extension = this.#current;
    if (extension === undefined) {
      if (!(tokens.at(-1) as string).startsWith('-')) return `stray argument "${tokens.join(' ')}"`;
      this.#matches.push({ module: tokens.at(-1) as string, options: [], text: [...tokens], foreign: true });
      return undefined;
    }
    extension.foreign = true;
    extension.text.push(...tokens.map((token) => (/^[^\s"\\]+$/.test(token) ? token : quote(token))));
    return undefined;
  }
}
