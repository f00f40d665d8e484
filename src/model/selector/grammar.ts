// The grammar of the Calico selector language. In: text. Out: its tree, or SelectorError with the offset. An empty text is all().
// Facts: libcalico-go/lib/selector (tokenizer.go, parser.go).
//
//   or      := and { "||" and }
//   and     := unary { "&&" unary }
//   unary   := { "!" } primary                                  several "!" collapse by parity
//   primary := "(" or ")" | "has(" label ")" | "all(" ")" | "global(" ")" | label operator
//   operator:= ("==" | "!=" | "contains" | "starts with" | "ends with") string | ("in" | "not in") set
//   set     := "{" [ string { "," string } [ "," ] ] "}"
//   string  := "'" any but ' "'" | '"' any but " '"'            no escapes
//   label   := [A-Za-z0-9_./-]{1,512}
//
// White space is space and tab. "notin", "startswith" and "endswith" are read too. "has(", "all(" and "global(" have no space
// before the parenthesis; without it they are labels. An operator is only looked for behind a label, so a label may be named "in".

import { SelectorError } from '../errors.ts';
import type { SelectorNode } from './ast.ts';

const space = /[ \t]*/y;
const labelName = /[A-Za-z0-9_./-]+/y;
const maxLabel = 512;

/** Behind a label; the longer spelling first where one begins another. */
const operators: readonly { readonly pattern: RegExp; readonly kind: ValueOperator | SetOperator }[] = [
  { pattern: /==/y, kind: 'equals' },
  { pattern: /!=/y, kind: 'not-equals' },
  { pattern: /contains/y, kind: 'contains' },
  { pattern: /starts[ \t]*with/y, kind: 'starts-with' },
  { pattern: /ends[ \t]*with/y, kind: 'ends-with' },
  { pattern: /not[ \t]*in/y, kind: 'not-in' },
  { pattern: /in/y, kind: 'in' },
];

type ValueOperator = 'equals' | 'not-equals' | 'contains' | 'starts-with' | 'ends-with';
type SetOperator = 'in' | 'not-in';

/**
 * `maxDepth` limits nested parentheses: the parser, as all that walks a tree, is recursive.
 * @throws SelectorError
 */
export function parseTree(text: string, maxDepth: number): SelectorNode {
  const cursor = new Cursor(text);
  if (cursor.atEnd()) return { kind: 'all' };
  const root = parseOr(cursor, maxDepth);
  if (!cursor.atEnd()) throw cursor.error('"&&", "||" or the end');
  return root;
}

/** `depth`: how many parentheses may still open. */
function parseOr(cursor: Cursor, depth: number): SelectorNode {
  const first = parseAnd(cursor, depth);
  if (!cursor.take('||')) return first;
  const operands = [first];
  do operands.push(parseAnd(cursor, depth));
  while (cursor.take('||'));
  return { kind: 'or', operands };
}

function parseAnd(cursor: Cursor, depth: number): SelectorNode {
  const first = parseUnary(cursor, depth);
  if (!cursor.take('&&')) return first;
  const operands = [first];
  do operands.push(parseUnary(cursor, depth));
  while (cursor.take('&&'));
  return { kind: 'and', operands };
}

function parseUnary(cursor: Cursor, depth: number): SelectorNode {
  let negated = false;
  // "!=" is one token, so "!=x" is no negation.
  while (!cursor.sees('!=') && cursor.take('!')) negated = !negated;
  const operand = parsePrimary(cursor, depth);
  return negated ? { kind: 'not', operand } : operand;
}

function parsePrimary(cursor: Cursor, depth: number): SelectorNode {
  if (depth === 0 && cursor.sees('(')) throw cursor.error('fewer nested parentheses');
  if (cursor.take('(')) {
    const inner = parseOr(cursor, depth - 1);
    cursor.expect(')');
    return inner;
  }
  if (cursor.take('has(')) {
    const label = cursor.label('a label name');
    cursor.expect(')');
    return { kind: 'has', label };
  }
  if (cursor.take('all(')) {
    cursor.expect(')');
    return { kind: 'all' };
  }
  if (cursor.take('global(')) {
    cursor.expect(')');
    return { kind: 'global' };
  }
  const label = cursor.label('"(", "!", has(), all(), global() or a label name');
  const operator = operators.find(({ pattern }) => cursor.match(pattern) !== undefined)?.kind;
  if (operator === undefined) throw cursor.error('==, !=, in, not in, contains, starts with or ends with');
  if (operator === 'in' || operator === 'not-in') return { kind: operator, label, values: parseSet(cursor) };
  return { kind: operator, label, value: cursor.string() ?? cursor.fail('a quoted string') };
}

function parseSet(cursor: Cursor): readonly string[] {
  cursor.expect('{');
  const values: string[] = [];
  for (let value = cursor.string(); value !== undefined; value = cursor.string()) {
    values.push(value);
    if (!cursor.take(',')) break;
  }
  cursor.expect('}');
  return values;
}

/** Reads tokens from left to right; each method skips the space before its token and moves only if the token is there. */
class Cursor {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    this.#skipSpace();
    return this.#position === this.#text.length;
  }

  sees(token: string): boolean {
    this.#skipSpace();
    return this.#text.startsWith(token, this.#position);
  }

  take(token: string): boolean {
    if (!this.sees(token)) return false;
    this.#position += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.error(`"${token}"`);
  }

  match(pattern: RegExp): string | undefined {
    this.#skipSpace();
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#position += found.length;
    return found;
  }

  label(expected: string): string {
    const start = this.#position;
    const name = this.match(labelName) ?? this.fail(expected);
    if (name.length > maxLabel) {
      this.#position = start;
      throw this.error(`a label name of at most ${maxLabel} characters`);
    }
    return name;
  }

  string(): string | undefined {
    this.#skipSpace();
    const quote = this.#text[this.#position];
    if (quote !== '"' && quote !== "'") return undefined;
    const end = this.#text.indexOf(quote, this.#position + 1);
    if (end < 0) throw this.error(`a string that ends with ${quote}`);
    const value = this.#text.slice(this.#position + 1, end);
    this.#position = end + 1;
    return value;
  }

  error(expected: string): SelectorError {
    this.#skipSpace();
    return new SelectorError(this.#text, this.#position, expected);
  }

  fail(expected: string): never {
    throw this.error(expected);
  }

  #skipSpace(): void {
    space.lastIndex = this.#position;
    this.#position += space.exec(this.#text)?.[0].length ?? 0;
  }
}
