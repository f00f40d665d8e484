// The canonical text of a selector, which is what names of kernel sets are hashed from: the same bytes as Calico writes, so that
// sets left by Felix are adopted. In: any tree. Out: a Selector whose text parses back to a tree that selects the same.
//
// The form: label == "v" (single quotes when v holds a double quote), in/not in with values sorted and unique, (a && b), (a || b),
// "!" glued to its operand. Nested operators stay nested: ((a && b) && c) and (a && b && c) are two texts, as in Calico.

import { SelectorError } from '../errors.ts';
import type { Selector, SelectorNode } from './ast.ts';

const labelPattern = /^[A-Za-z0-9_./-]{1,512}$/;

/** @throws SelectorError when a label or value cannot be written in the language. */
export function selectorOf(root: SelectorNode): Selector {
  const normal = normalize(root);
  return { text: textOf(normal), root: normal };
}

/** Sorts values, and unwraps operators of one operand (of none: and is all(), or is nothing). */
function normalize(node: SelectorNode): SelectorNode {
  switch (node.kind) {
    case 'in':
    case 'not-in':
      return { ...node, values: [...new Set(node.values)].sort(compareCodePoints) };
    case 'not':
      return { kind: 'not', operand: normalize(node.operand) };
    case 'and':
    case 'or': {
      const [first, ...others] = node.operands;
      if (first === undefined) return node.kind === 'and' ? { kind: 'all' } : { kind: 'not', operand: { kind: 'all' } };
      return others.length === 0 ? normalize(first) : { kind: node.kind, operands: node.operands.map(normalize) };
    }
    default:
      return node;
  }
}

function textOf(node: SelectorNode): string {
  switch (node.kind) {
    case 'all':
      return 'all()';
    case 'global':
      return 'global()';
    case 'has':
      return `has(${label(node.label)})`;
    case 'equals':
      return `${label(node.label)} == ${quote(node.value)}`;
    case 'not-equals':
      return `${label(node.label)} != ${quote(node.value)}`;
    case 'contains':
      return `${label(node.label)} contains ${quote(node.value)}`;
    case 'starts-with':
      return `${label(node.label)} starts with ${quote(node.value)}`;
    case 'ends-with':
      return `${label(node.label)} ends with ${quote(node.value)}`;
    case 'in':
      return `${label(node.label)} in {${node.values.map(quote).join(', ')}}`;
    case 'not-in':
      return `${label(node.label)} not in {${node.values.map(quote).join(', ')}}`;
    case 'not':
      return `!${textOf(node.operand)}`;
    case 'and':
      return `(${node.operands.map(textOf).join(' && ')})`;
    case 'or':
      return `(${node.operands.map(textOf).join(' || ')})`;
  }
}

// The text is an identity: a label or value that could be read as syntax must not get in.
function label(name: string): string {
  if (!labelPattern.test(name)) throw new SelectorError(name, 0, 'a label name of A-Z a-z 0-9 _ . / - (at most 512)');
  return name;
}

function quote(value: string): string {
  if (!value.includes('"')) return `"${value}"`;
  const single = value.indexOf("'");
  if (single >= 0) throw new SelectorError(value, single, 'a value without both kinds of quotes');
  return `'${value}'`;
}

/** Calico sorts by bytes of UTF-8, which is the order of code points; JavaScript's own order differs above U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i += 1) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
