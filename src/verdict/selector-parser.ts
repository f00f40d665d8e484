// Reads a selector of Calico's language (the grammar is in selector.ts). In: text. Out: its tree, or the position and the problem.
//
// White space is space and tab, nothing else. Texts stand between single or double quotes and know no escapes. "has(", "all("
// and "global(" are one word with their parenthesis, so that labels may be called has, all and global; the words after a label
// are operators only there, so that labels may be called in or contains, too.

import type { Comparison, Selector } from './selector.ts';

/** Thrown and caught in this file. */
class SyntaxProblem extends Error {}

export function parseSelector(text: string): Selector | { readonly problem: string } {
  try {
    const reader = new Reader(text);
    if (reader.isAtEnd()) return { kind: 'all' };
    const selector = readOr(reader);
    return reader.isAtEnd() ? selector : reader.fail('expected && or || or the end');
  } catch (error) {
    if (error instanceof SyntaxProblem) return { problem: error.message };
    throw error;
  }
}

/** Of parentheses in parentheses. */
const maxDepth = 200;

class Reader {
  readonly #text: string;
  #position = 0;
  /** Of those that are open. */
  depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first group of the pattern (or all of it) if it comes next, white space before it left out; undefined if not. */
  take(pattern: RegExp): string | undefined {
    this.#skipSpace();
    const sticky = new RegExp(pattern.source, 'y');
    sticky.lastIndex = this.#position;
    const found = sticky.exec(this.#text);
    if (found === null) return undefined;
    this.#position = sticky.lastIndex;
    return found[1] ?? found[0];
  }

  isAtEnd(): boolean {
    this.#skipSpace();
    return this.#position === this.#text.length;
  }

  fail(problem: string): never {
    this.#skipSpace();
    throw new SyntaxProblem(`is no selector: ${problem} at position ${this.#position}`);
  }

  #skipSpace(): void {
    while (this.#text[this.#position] === ' ' || this.#text[this.#position] === '\t') this.#position++;
  }
}

const labelPattern = /[A-Za-z0-9_./-]{1,512}/;

function readOr(reader: Reader): Selector {
  return readList(reader, 'or', /\|\|/, readAnd);
}

function readAnd(reader: Reader): Selector {
  return readList(reader, 'and', /&&/, readUnary);
}

function readList(reader: Reader, kind: 'and' | 'or', separator: RegExp, readOperand: (reader: Reader) => Selector): Selector {
  const operands = [readOperand(reader)];
  while (reader.take(separator) !== undefined) operands.push(readOperand(reader));
  const [only] = operands;
  return operands.length === 1 && only !== undefined ? only : { kind, operands };
}

function readUnary(reader: Reader): Selector {
  let isNegated = false;
  while (reader.take(/!/) !== undefined) isNegated = !isNegated;
  const operand = readPrimary(reader);
  return isNegated ? { kind: 'not', operand } : operand;
}

function readPrimary(reader: Reader): Selector {
  if (reader.take(/\(/) !== undefined) {
    reader.depth += 1;
    if (reader.depth > maxDepth) return reader.fail('expected fewer parentheses');
    const inner = readOr(reader);
    reader.depth -= 1;
    return reader.take(/\)/) === undefined ? reader.fail('expected )') : inner;
  }
  if (reader.take(/all\([ \t]*\)/) !== undefined) return { kind: 'all' };
  if (reader.take(/global\([ \t]*\)/) !== undefined) return { kind: 'global' };
  if (reader.take(/has\(/) !== undefined) {
    const label = readLabel(reader);
    return reader.take(/\)/) === undefined ? reader.fail('expected )') : { kind: 'has', label };
  }
  return readComparison(reader, readLabel(reader));
}

function readLabel(reader: Reader): string {
  return reader.take(labelPattern) ?? reader.fail('expected a label');
}

function readComparison(reader: Reader, label: string): Selector {
  const comparisons: readonly (readonly [RegExp, Comparison])[] = [
    [/==/, '=='],
    [/!=/, '!='],
    [/contains/, 'contains'],
    [/starts[ \t]*with/, 'starts with'],
    [/ends[ \t]*with/, 'ends with'],
  ];
  for (const [pattern, kind] of comparisons) {
    if (reader.take(pattern) !== undefined) return { kind, label, value: readText(reader) ?? reader.fail('expected a text in quotes') };
  }
  if (reader.take(/in/) !== undefined) return { kind: 'in', label, values: readSet(reader) };
  if (reader.take(/not[ \t]*in/) !== undefined) return { kind: 'not in', label, values: readSet(reader) };
  return reader.fail('expected an operator');
}

/** `{}` is allowed, and so is a comma after the last text. */
function readSet(reader: Reader): readonly string[] {
  if (reader.take(/\{/) === undefined) return reader.fail('expected {');
  const values: string[] = [];
  for (let text = readText(reader); text !== undefined; text = readText(reader)) {
    values.push(text);
    if (reader.take(/,/) === undefined) break;
  }
  return reader.take(/\}/) === undefined ? reader.fail('expected a text in quotes or }') : values;
}

function readText(reader: Reader): string | undefined {
  return reader.take(/"([^"]*)"/) ?? reader.take(/'([^']*)'/);
}
