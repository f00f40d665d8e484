// What is worked out of a selector: in: the selector, out: the terms that it demands, the labels that it looks at, its predicate.
//
// Of a long one this is done once: one rule may need a set for each of thousands of named ports, all with the same selector, whose text
// may have hundreds of thousands of characters. What is short is worked out again, which takes less room.

import type { Selector, SelectorNode } from '../../model/selector/ast.ts';
import { compile } from '../../model/selector/match.ts';
import { mentionedLabels, requiredTerms } from './term.ts';

/** Characters. */
const longText = 512;

export const requiredTermsOf = once(requiredTerms);

export const mentionedLabelsOf = once((root): ReadonlySet<string> => mentionedLabels(root));

export const matcherOf = once(compile);

function once<T extends object>(work: (root: SelectorNode) => T): (selector: Selector) => T {
  const results = new WeakMap<Selector, T>();
  return (selector) => {
    if (selector.text.length < longText) return work(selector.root);
    const known = results.get(selector);
    if (known !== undefined) return known;
    const result = work(selector.root);
    results.set(selector, result);
    return result;
  };
}
