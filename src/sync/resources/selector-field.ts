// Selectors of the Calico language in fields of policies and rules. In: the wire text. Out: its tree; "none" where the field is
// absent or empty; undefined (and reported) where it cannot be read.
//
// Selectors of namespaces and service accounts are about labels of these, which endpoints inherit as pcns.* and pcsa.*: rewritten()
// says them in terms of endpoints. It works on the tree, so that no text inside quotes is ever taken for a part of the language.

import { SelectorError } from '../../model/errors.ts';
import type { Selector, SelectorNode } from '../../model/selector/ast.ts';
import { selectorOf } from '../../model/selector/canonical.ts';
import { parseSelector } from '../../model/selector/parse.ts';
import type { Report } from './problem.ts';
import { isAbsent, shown } from './wire.ts';

export const hasNamespace: SelectorNode = Object.freeze({ kind: 'has', label: 'projectcalico.org/namespace' });
export const hasServiceAccount: SelectorNode = Object.freeze({ kind: 'has', label: 'projectcalico.org/serviceaccount' });

export interface SelectorRules {
  /** Where the field may say global(). */
  readonly allowsGlobal?: true;
}

export function readSelector(value: unknown, field: string, report: Report, { allowsGlobal }: SelectorRules = {}): SelectorNode | 'none' | undefined {
  if (isAbsent(value) || value === '') return 'none';
  if (typeof value !== 'string') {
    report(field, `${shown(value)} must be a string`);
    return undefined;
  }
  try {
    const { root } = parseSelector(value);
    if (allowsGlobal === true || !saysGlobal(root)) return root;
  } catch (error) {
    return refused(error, field, report);
  }
  report(field, 'says global(), which only has a meaning in the namespaceSelector of a rule', 'remove global()');
  return undefined;
}

function refused(error: unknown, field: string, report: Report): undefined {
  if (!(error instanceof SelectorError)) throw error;
  report(field, `cannot be read: ${error.message.replace(/^selector: /, '')}`, 'correct the selector');
}

function saysGlobal(node: SelectorNode): boolean {
  switch (node.kind) {
    case 'global':
      return true;
    case 'not':
      return saysGlobal(node.operand);
    case 'and':
    case 'or':
      return node.operands.some(saysGlobal);
    default:
      return false;
  }
}

/** Each label with the prefix; all() means that there is a namespace (or account) at all, global() that there is no namespace. */
export function rewritten(node: SelectorNode, prefix: 'pcns.' | 'pcsa.', all: SelectorNode): SelectorNode {
  switch (node.kind) {
    case 'all':
      return all;
    case 'global':
      return { kind: 'not', operand: hasNamespace };
    case 'not':
      return { kind: 'not', operand: rewritten(node.operand, prefix, all) };
    case 'and':
    case 'or':
      return { kind: node.kind, operands: node.operands.map((operand) => rewritten(operand, prefix, all)) };
    default:
      return { ...node, label: prefix + node.label };
  }
}

/** All of them, as a selector; undefined (and reported) where the language cannot say it, as with a label that has become too long. */
export function conjunction(operands: readonly SelectorNode[], field: string, report: Report): Selector | undefined {
  try {
    return selectorOf({ kind: 'and', operands });
  } catch (error) {
    return refused(error, field, report);
  }
}
