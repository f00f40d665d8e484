// The canonical text of a selector, which is what names of kernel sets are hashed from: the same bytes as Calico writes, so that
// sets left by Felix are adopted. In: any tree. Out: a Selector whose text parses back to a tree that selects the same.
//
// The form: label == "v" (single quotes when v holds a double quote), in/not in with values sorted and unique, (a && b), (a || b),
// "!" glued to its operand. Nested operators stay nested: ((a && b) && c) and (a && b && c) are two texts, as in Calico.
//
// A selector keeps its text alone and parses it when its tree is asked for. A cluster has tens of thousands of policies that select
// nothing on this node: of their rules' trees, some 250 bytes for each peer, none is ever looked at.

import { SelectorError } from '../errors.ts';
import type { Selector, SelectorNode } from './ast.ts';
import { parseTree } from './grammar.ts';

const labelPattern = /^[A-Za-z0-9_./-]{1,512}$/;

class CanonicalSelector implements Selector {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get root(): SelectorNode {
    // The text is our own: how deep it nests was decided when it was made.
    return parseTree(this.text, Infinity);
  }
}

/** @throws SelectorError when a label or value cannot be written in the language. */
export function selectorOf(root: SelectorNode): Selector {
  const fragments: string[] = [];
  write(normalize(root), fragments);
  // One join gives one flat string; concatenation would keep a tree of parts alive for as long as the policy lives.
  return new CanonicalSelector(fragments.join(''));
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

/** The operator between a label and a value or a list of values. */
const operatorTexts = {
  equals: ' == ',
  'not-equals': ' != ',
  contains: ' contains ',
  'starts-with': ' starts with ',
  'ends-with': ' ends with ',
  in: ' in {',
  'not-in': ' not in {',
} as const;

function write(node: SelectorNode, into: string[]): void {
  switch (node.kind) {
    case 'all':
      into.push('all()');
      return;
    case 'global':
      into.push('global()');
      return;
    case 'has':
      into.push('has(', label(node.label), ')');
      return;
    case 'not':
      into.push('!');
      write(node.operand, into);
      return;
    case 'and':
    case 'or':
      for (const [i, operand] of node.operands.entries()) {
        into.push(i === 0 ? '(' : node.kind === 'and' ? ' && ' : ' || ');
        write(operand, into);
      }
      into.push(')');
      return;
    case 'in':
    case 'not-in':
      into.push(label(node.label), operatorTexts[node.kind], node.values.map(quote).join(', '), '}');
      return;
    default:
      into.push(label(node.label), operatorTexts[node.kind], quote(node.value));
  }
}

// The text is an identity: a label or value that could be read as syntax must not get in.
function label(name: string): string {
  if (!labelPattern.test(name)) throw new SelectorError(name, 0, 'a label name of A-Z a-z 0-9 _ . / - (at most 512)');
  return name;
}

function quote(value: string): string {
  // Half of a surrogate pair has no bytes in UTF-8: the names of two texts' sets would be one.
  if (!value.isWellFormed()) throw new SelectorError(value, 0, 'a value of whole characters');
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
