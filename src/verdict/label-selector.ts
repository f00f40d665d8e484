// Kubernetes label selectors (meta/v1 LabelSelector). In: the wire form. Out: a list of requirements, all of which a label set
// must meet; undefined, with every problem reported, where the API server would refuse it. An empty selector selects everything.

import { labelKeyProblem, labelValueProblem } from './names.ts';
import { fieldsOf, knowsAll, readAll, readFields, readList } from './wire.ts';
import type { Report } from './wire.ts';

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
type Operator = (typeof operators)[number];

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

export type LabelSelector = readonly Requirement[];
export type LabelMap = ReadonlyMap<string, string>;

export function selects(selector: LabelSelector, labels: LabelMap): boolean {
  return selector.every((requirement) => isMet(requirement, labels.get(requirement.key)));
}

/** An absent key meets NotIn and DoesNotExist; a key whose value is "" is present. */
function isMet({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

export function readLabelSelector(value: unknown, field: string, report: Report): LabelSelector | undefined {
  const selector = readFields(value, field, report);
  if (selector === undefined) return undefined;
  const labels = readMatchLabels(selector['matchLabels'], `${field}.matchLabels`, report);
  const list = readList(selector['matchExpressions'], `${field}.matchExpressions`, report);
  const expressions =
    list && readAll(list, `${field}.matchExpressions`, (entry, entryField) => readExpression(entry, entryField, report));
  const isKnown = knowsAll(selector, ['matchLabels', 'matchExpressions'], field, report);
  return isKnown && labels && expressions ? [...labels, ...expressions] : undefined;
}

/**
 * One of pods' own labels. What pods inherit from their namespaces and service accounts is under pcns.* and pcsa.* here, and what they
 * claim themselves under such keys does not count: nothing of a pod can be asked for by them.
 */
export function readPodSelector(value: unknown, field: string, report: Report): LabelSelector | undefined {
  const selector = readLabelSelector(value, field, report);
  const reserved = selector?.find(({ key }) => /^pc(ns|sa)\./.test(key));
  if (reserved === undefined) return selector;
  report(field, `asks for the label ${reserved.key}, which no pod can have`);
  return undefined;
}

function readMatchLabels(value: unknown, field: string, report: Report): LabelSelector | undefined {
  const matchLabels = readFields(value, field, report);
  if (matchLabels === undefined) return undefined;
  const requirements: Requirement[] = [];
  let valid = true;
  for (const [key, wanted] of Object.entries(matchLabels)) {
    const problem = labelKeyProblem(key) ?? (typeof wanted === 'string' ? labelValueProblem(wanted) : 'must be a string');
    if (problem !== undefined) {
      report(`${field}[${key}]`, problem);
      valid = false;
    } else {
      requirements.push({ key, operator: 'In', values: [wanted as string] });
    }
  }
  return valid ? requirements : undefined;
}

function readExpression(value: unknown, field: string, report: Report): Requirement | undefined {
  const expression = fieldsOf(value);
  if (expression === undefined) {
    report(field, 'must be an object');
    return undefined;
  }
  const { key, operator } = expression;
  let valid = knowsAll(expression, ['key', 'operator', 'values'], field, report);
  const refuse = (at: string, problem: string): void => {
    report(at, problem);
    valid = false;
  };
  const keyProblem = typeof key === 'string' ? labelKeyProblem(key) : 'must be a string';
  if (keyProblem !== undefined) refuse(`${field}.key`, keyProblem);
  if (!(operators as readonly unknown[]).includes(operator)) refuse(`${field}.operator`, `must be one of ${operators.join(', ')}`);

  const values = readList(expression['values'], `${field}.values`, refuse) ?? [];
  for (const [index, entry] of values.entries()) {
    const problem = typeof entry === 'string' ? labelValueProblem(entry) : 'must be a string';
    if (problem !== undefined) refuse(`${field}.values[${index}]`, problem);
  }
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) refuse(`${field}.values`, `must not be empty with ${operator}`);
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) refuse(`${field}.values`, `must be empty with ${operator}`);
  return valid ? { key: key as string, operator: operator as Operator, values: values as readonly string[] } : undefined;
}
