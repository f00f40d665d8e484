// A field that holds a selector of Calico's language. In: the wire form. Out: its tree; "none" where the field is absent or empty;
// undefined, and reported, where it cannot be read.

import { parseSelector } from './selector-parser.ts';
import { mentionsGlobal } from './selector.ts';
import type { Selector } from './selector.ts';
import { isAbsent } from './wire.ts';
import type { Report } from './wire.ts';

export function readSelector(value: unknown, field: string, report: Report, mayBeGlobal: 'global() too' | 'no global()' = 'no global()'): Selector | 'none' | undefined {
  if (isAbsent(value) || value === '') return 'none';
  const selector = typeof value === 'string' ? parseSelector(value) : { problem: 'must be a string' };
  if ('problem' in selector) {
    report(field, selector.problem);
    return undefined;
  }
  if (mayBeGlobal === 'global() too' || !mentionsGlobal(selector)) return selector;
  report(field, 'may not have global(), which is for the namespaceSelector of a rule');
  return undefined;
}

/** All that are there, as one selector; "none" without any. */
export function conjunction(selectors: readonly (Selector | 'none')[]): Selector | 'none' {
  const operands = selectors.filter((selector) => selector !== 'none');
  const [only] = operands;
  return operands.length > 1 ? { kind: 'and', operands } : (only ?? 'none');
}
