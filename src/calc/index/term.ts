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

/**
 * Only a label that every alternative demands is demanded by the whole, with any of their values. Each alternative is looked through once,
 * and a label of the first one once, however often it is demanded: there may be tens of thousands of both.
 */
function any(operands: readonly SelectorNode[], negated: boolean): readonly Term[] {
  const [first, ...others] = operands.map((operand) => narrowest(terms(operand, negated)));
  return [...(first?.keys() ?? [])].flatMap((label) => {
    if (!others.every((demands) => demands.has(label))) return [];
    const demanded = [first, ...others].map((demands) => demands?.get(label) as Term);
    if (demanded.some(({ values }) => values === undefined)) return [{ label }];
    return [{ label, values: [...new Set(demanded.flatMap(({ values }) => values ?? []))] }];
  });
}

/** By label, the term with the fewest values. */
function narrowest(demands: readonly Term[]): ReadonlyMap<string, Term> {
  const byLabel = new Map<string, Term>();
  for (const term of demands) {
    const known = byLabel.get(term.label);
    if (known === undefined || (term.values?.length ?? Infinity) < (known.values?.length ?? Infinity)) byLabel.set(term.label, term);
  }
  return byLabel;
}

/** All labels that a selector looks at. */
export function mentionedLabels(node: SelectorNode, into: Set<string> = new Set()): Set<string> {
  if ('label' in node) into.add(node.label);
  else if ('operands' in node) for (const operand of node.operands) mentionedLabels(operand, into);
  else if ('operand' in node) mentionedLabels(node.operand, into);
  return into;
}
