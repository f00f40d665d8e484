// What a selector demands of a single label, so that an index can leave out most of the cluster. In: a selector's tree. Out: terms,
// each of which holds for whatever the selector matches. Never too strict: a term that is not certain is left out.

import type { SelectorNode } from '../../model/selector/ast.ts';

/** The label is present and, where values are listed, has one of them. No values at all: nothing matches. */
export interface Term {
  readonly label: string;
  readonly values?: readonly string[];
}

/** The demands of a selector; all of them hold, none means that it may match anything. */
export function requiredTerms(node: SelectorNode): readonly Term[] {
  return terms(node, false);
}

/** `negated`: the demands of the node's opposite. */
function terms(node: SelectorNode, negated: boolean): readonly Term[] {
  switch (node.kind) {
    case 'equals':
      return negated ? [] : [{ label: node.label, values: [node.value] }];
    case 'not-equals':
      return negated ? [{ label: node.label, values: [node.value] }] : [];
    case 'in':
      return negated ? [] : [{ label: node.label, values: node.values }];
    case 'not-in':
      return negated ? [{ label: node.label, values: node.values }] : [];
    case 'has':
    case 'contains':
    case 'starts-with':
    case 'ends-with':
      return negated ? [] : [{ label: node.label }];
    case 'not':
      return terms(node.operand, !negated);
    case 'and':
      return negated ? any(node.operands, negated) : all(node.operands, negated);
    case 'or':
      return negated ? all(node.operands, negated) : any(node.operands, negated);
    case 'all':
    case 'global':
      return [];
  }
}

function all(operands: readonly SelectorNode[], negated: boolean): readonly Term[] {
  return operands.flatMap((operand) => terms(operand, negated));
}

/** Only a label that every alternative demands is demanded by the whole, with any of their values. */
function any(operands: readonly SelectorNode[], negated: boolean): readonly Term[] {
  const [first = [], ...others] = operands.map((operand) => terms(operand, negated));
  return first.flatMap((term) => {
    let values = term.values;
    for (const alternative of others) {
      const same = alternative.filter((other) => other.label === term.label);
      const [other] = same.toSorted((a, b) => (a.values?.length ?? Infinity) - (b.values?.length ?? Infinity));
      if (other === undefined) return [];
      values = values === undefined || other.values === undefined ? undefined : [...new Set([...values, ...other.values])];
    }
    return [values === undefined ? { label: term.label } : { label: term.label, values }];
  });
}

/** All labels that a selector looks at. */
export function mentionedLabels(node: SelectorNode, into: Set<string> = new Set()): Set<string> {
  if ('label' in node) into.add(node.label);
  else if ('operands' in node) for (const operand of node.operands) mentionedLabels(operand, into);
  else if ('operand' in node) mentionedLabels(node.operand, into);
  return into;
}
