// Reads the text of iptables-save or ip6tables-save, of one table or several, of either backend. Every line must be understood
// as a line; what a rule means may stay unknown (rule.ts). Text without its COMMIT is refused: it is an answer cut short.

import { UnreadableState } from './errors.ts';
import type { Rule, RuleSpec } from './rule.ts';
import { parseRuleText } from './rule-parser.ts';
import type { ParsedSpec } from './rule-parser.ts';

export interface Chain {
  readonly name: string;
  /** Of built-in chains. */
  readonly policy?: 'ACCEPT' | 'DROP';
  readonly rules: readonly Rule[];
}

export interface Table {
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** Counters (-c), the whole rule, its chain, the rest. */
const ruleLine = /^(?:\[(\d+):(\d+)\] )?(-A (\S+)(?: (.*))?)$/;

/** Throws UnreadableState. */
export function parseRules(text: string): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>();
  let table: { name: string; chains: Map<string, Chain & { readonly rules: Rule[] }> } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fail = (problem: string): never => {
      throw new UnreadableState(`${problem}: ${line}`, index + 1);
    };
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('*')) {
      if (table !== undefined || tables.has(line.slice(1))) fail('a table begins twice, or inside another');
      table = { name: line.slice(1), chains: new Map() };
    } else if (table === undefined) {
      fail('text outside a table');
    } else if (line === 'COMMIT') {
      tables.set(table.name, table);
      table = undefined;
    } else if (line.startsWith(':')) {
      const [, name, policy] = /^:(\S+) (ACCEPT|DROP|-)(?: \[\d+:\d+\])?$/.exec(line) ?? fail('no chain declaration');
      if (table.chains.has(name as string)) fail('a chain is declared twice');
      table.chains.set(name as string, {
        name: name as string,
        rules: [],
        ...(policy !== '-' && { policy: policy as 'ACCEPT' | 'DROP' }),
      });
    } else {
      const [, packets, bytes, body = '', name = '', rest = ''] = ruleLine.exec(line) ?? fail('not understood');
      const chain = table.chains.get(name) ?? fail('a rule of a chain that is not declared');
      const parsed = parseRuleText(rest) ?? fail('a quote is not closed');
      const spec = specOf(parsed, body);
      chain.rules.push({
        ...spec,
        ...(spec.target && { target: resolveTarget(spec.target, table.chains) }),
        chain: chain.name,
        number: chain.rules.length + 1,
        text: body,
        ...(packets !== undefined && { counters: { packets: Number(packets), bytes: Number(bytes) } }),
      });
    }
  }
  if (table !== undefined) throw new UnreadableState(`table ${table.name} ends without COMMIT`, text.split('\n').length);
  return tables;
}

/** A rule that is not even understood as one is kept as a match that nobody knows. */
function specOf(parsed: ParsedSpec, text: string): RuleSpec {
  return 'spec' in parsed ? parsed.spec : { matches: [{ kind: 'unknown', module: '', text, problem: parsed.problem }] };
}

/** Chains are declared before all rules, so a name that is one of them is known here. */
function resolveTarget(target: NonNullable<Rule['target']>, chains: ReadonlyMap<string, unknown>): NonNullable<Rule['target']> {
  return target.kind === 'unknown' && target.text === `-j ${target.name}` && chains.has(target.name)
    ? { kind: 'jump', chain: target.name }
    : target;
}
