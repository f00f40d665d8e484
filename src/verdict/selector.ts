// Calico's selector language: what an expression means for a set of labels. The grammar is read in selector-parser.ts.
//
//   or := and { "||" and }     and := unary { "&&" unary }     unary := { "!" } primary
//   primary := "(" or ")" | has(l) | all() | global() | l == s | l != s | l contains s | l starts with s | l ends with s
//            | l in {s, …} | l not in {s, …}
//
// A missing label fails every comparison but != and not in; a label whose value is "" is present.

import type { LabelMap } from './label-selector.ts';

export type Selector =
  | { readonly kind: 'all' }
  | { readonly kind: 'global' }
  | { readonly kind: 'has'; readonly label: string }
  | { readonly kind: Comparison; readonly label: string; readonly value: string }
  | { readonly kind: 'in' | 'not in'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'not'; readonly operand: Selector }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Selector[] };

export type Comparison = '==' | '!=' | 'contains' | 'starts with' | 'ends with';

/** global() on its own is true, as all() is: it has a meaning only where scoped() has rewritten it. */
export function evaluate(selector: Selector, labels: LabelMap): boolean {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return true;
    case 'not':
      return !evaluate(selector.operand, labels);
    case 'and':
      return selector.operands.every((operand) => evaluate(operand, labels));
    case 'or':
      return selector.operands.some((operand) => evaluate(operand, labels));
    case 'has':
      return labels.has(selector.label);
    case 'in':
      return selector.values.some((value) => labels.get(selector.label) === value);
    case 'not in':
      return selector.values.every((value) => labels.get(selector.label) !== value);
    case '!=':
      return labels.get(selector.label) !== selector.value;
    case '==':
    case 'contains':
    case 'starts with':
    case 'ends with':
      return compare(selector.kind, labels.get(selector.label), selector.value);
  }
}

function compare(comparison: Exclude<Comparison, '!='>, actual: string | undefined, value: string): boolean {
  if (actual === undefined) return false;
  switch (comparison) {
    case '==':
      return actual === value;
    case 'contains':
      return actual.includes(value);
    case 'starts with':
      return actual.startsWith(value);
    case 'ends with':
      return actual.endsWith(value);
  }
}

/** Whether global() occurs anywhere: it is allowed in the namespaceSelector of a rule only. */
export function mentionsGlobal(selector: Selector): boolean {
  switch (selector.kind) {
    case 'global':
      return true;
    case 'not':
      return mentionsGlobal(selector.operand);
    case 'and':
    case 'or':
      return selector.operands.some(mentionsGlobal);
    default:
      return false;
  }
}

/**
 * A selector about somebody's namespace or service account, as one about his own labels: those he inherits from there have a
 * prefix. all() means that he has one at all, wherever in the expression it stands; global() that he has no namespace.
 */
export function scoped(selector: Selector, scope: 'namespace' | 'serviceAccount'): Selector {
  switch (selector.kind) {
    case 'all':
      return { kind: 'has', label: scope === 'namespace' ? 'projectcalico.org/namespace' : 'projectcalico.org/serviceaccount' };
    case 'global':
      return { kind: 'not', operand: { kind: 'has', label: 'projectcalico.org/namespace' } };
    case 'not':
      return { kind: 'not', operand: scoped(selector.operand, scope) };
    case 'and':
    case 'or':
      return { kind: selector.kind, operands: selector.operands.map((operand) => scoped(operand, scope)) };
    default:
      return { ...selector, label: (scope === 'namespace' ? 'pcns.' : 'pcsa.') + selector.label };
  }
}
