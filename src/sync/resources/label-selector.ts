// Kubernetes label selectors (meta/v1 LabelSelector). In: the wire form, and what to put before each label's key. Out: the terms
// that must all hold, in the order matchLabels by key, then matchExpressions; none for an empty selector, which selects
// everything. Undefined, with every problem reported, where the API server would refuse the selector.

import type { SelectorNode } from '../../model/selector/ast.ts';
import { labelKeyProblem, labelValueProblem } from './names.ts';
import type { Report } from './problem.ts';
import { fieldsOf, isAbsent, knowsAll, readFields, readList, shown } from './wire.ts';

export interface SelectorTerms {
  readonly terms: readonly SelectorNode[];
  /** Whether some term holds only where its label is present; NotIn and DoesNotExist hold where it is absent. */
  readonly needsLabel: boolean;
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

export function readLabelSelector(value: unknown, keyPrefix: '' | 'pcns.', field: string, report: Report): SelectorTerms | undefined {
  const selector = readFields(value, field, report);
  if (selector === undefined) return undefined;
  const known = knowsAll(selector, ['matchLabels', 'matchExpressions'], field, report);
  const labels = readMatchLabels(selector['matchLabels'], keyPrefix, `${field}.matchLabels`, report);
  const expressions = readExpressions(selector['matchExpressions'], keyPrefix, `${field}.matchExpressions`, report);
  if (!known || labels === undefined || expressions === undefined) return undefined;
  const terms = [...labels, ...expressions];
  return { terms, needsLabel: terms.some((term) => term.kind === 'equals' || term.kind === 'in' || term.kind === 'has') };
}

function readMatchLabels(value: unknown, keyPrefix: string, field: string, report: Report): SelectorNode[] | undefined {
  const fields = readFields(value, field, report);
  if (fields === undefined) return undefined;
  let valid = true;
  const terms: SelectorNode[] = [];
  for (const key of Object.keys(fields).sort()) {
    const wanted = fields[key];
    const label = readKey(key, keyPrefix, `${field}[${key}]`, report);
    const text = readValue(wanted, `${field}[${key}]`, report);
    if (label === undefined || text === undefined) valid = false;
    else terms.push({ kind: 'equals', label, value: text });
  }
  return valid ? terms : undefined;
}

function readExpressions(value: unknown, keyPrefix: string, field: string, report: Report): SelectorNode[] | undefined {
  const list = readList(value, field, report);
  if (list === undefined) return undefined;
  const terms = list.map((entry, i) => readExpression(entry, keyPrefix, `${field}[${i}]`, report));
  return terms.every((term) => term !== undefined) ? terms : undefined;
}

function readExpression(value: unknown, keyPrefix: string, field: string, report: Report): SelectorNode | undefined {
  const expression = fieldsOf(value);
  if (expression === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const known = knowsAll(expression, ['key', 'operator', 'values'], field, report);
  const label = readKey(expression['key'], keyPrefix, `${field}.key`, report);
  const values = readValues(expression['values'], `${field}.values`, report);
  const operator = expression['operator'];
  if (typeof operator !== 'string' || !operators.includes(operator)) {
    report(`${field}.operator`, `${shown(operator)} is no operator`, `use one of ${operators.join(', ')}`);
    return undefined;
  }
  if (!known || label === undefined || values === undefined) return undefined;
  const takesValues = operator === 'In' || operator === 'NotIn';
  if (takesValues !== values.length > 0) {
    report(`${field}.values`, `must ${takesValues ? 'not ' : ''}be empty with operator ${operator}`);
    return undefined;
  }
  if (operator === 'In') return { kind: 'in', label, values };
  if (operator === 'NotIn') return { kind: 'not-in', label, values };
  return operator === 'Exists' ? { kind: 'has', label } : { kind: 'not', operand: { kind: 'has', label } };
}

/**
 * Labels pcns.* and pcsa.* of a pod are dropped, because endpoints inherit labels of their namespace and service account under
 * these names. A selector for pods that asks for one cannot mean what it says.
 */
function readKey(value: unknown, keyPrefix: string, field: string, report: Report): string | undefined {
  const problem = typeof value === 'string' ? labelKeyProblem(value) : 'must be a string';
  if (problem !== undefined) {
    report(field, `${shown(value)} ${problem}`);
    return undefined;
  }
  const key = value as string;
  if (keyPrefix === '' && (key.startsWith('pcns.') || key.startsWith('pcsa.'))) {
    report(field, `${shown(key)} is a reserved label`, 'use a label that does not begin with pcns. or pcsa.');
    return undefined;
  }
  return keyPrefix + key;
}

function readValues(value: unknown, field: string, report: Report): readonly string[] | undefined {
  const list = isAbsent(value) ? [] : readList(value, field, report);
  if (list === undefined) return undefined;
  const values = list.map((entry, i) => readValue(entry, `${field}[${i}]`, report));
  return values.every((text) => text !== undefined) ? values : undefined;
}

function readValue(value: unknown, field: string, report: Report): string | undefined {
  const problem = typeof value === 'string' ? labelValueProblem(value) : 'must be a string';
  if (problem === undefined) return value as string;
  report(field, `${shown(value)} ${problem}`);
  return undefined;
}
