// Compiles a selector into a predicate over labels. A missing label makes ==, in, contains, starts with and ends with false, and
// != and not in true; has() asks for presence, and a present label may be "".

import type { SelectorNode } from './ast.ts';

/** The value of a label, or undefined when it is absent. */
export type Lookup = (label: string) => string | undefined;

export type Matcher = (lookup: Lookup) => boolean;

/** global() is true: it only has a meaning where the sync edge rewrites it. */
export function compile(node: SelectorNode): Matcher {
  switch (node.kind) {
    case 'all':
    case 'global':
      return () => true;
    case 'has':
      return (lookup) => lookup(node.label) !== undefined;
    case 'equals':
      return (lookup) => lookup(node.label) === node.value;
    case 'not-equals':
      return (lookup) => lookup(node.label) !== node.value;
    case 'contains':
      return (lookup) => lookup(node.label)?.includes(node.value) ?? false;
    case 'starts-with':
      return (lookup) => lookup(node.label)?.startsWith(node.value) ?? false;
    case 'ends-with':
      return (lookup) => lookup(node.label)?.endsWith(node.value) ?? false;
    case 'in': {
      const values = new Set(node.values);
      return (lookup) => isIn(values, lookup(node.label));
    }
    case 'not-in': {
      const values = new Set(node.values);
      return (lookup) => !isIn(values, lookup(node.label));
    }
    case 'not': {
      const operand = compile(node.operand);
      return (lookup) => !operand(lookup);
    }
    case 'and': {
      const operands = node.operands.map(compile);
      return (lookup) => operands.every((operand) => operand(lookup));
    }
    case 'or': {
      const operands = node.operands.map(compile);
      return (lookup) => operands.some((operand) => operand(lookup));
    }
  }
}

function isIn(values: ReadonlySet<string>, value: string | undefined): boolean {
  return value !== undefined && values.has(value);
}
