// Parses selectors that come from outside. In: the text of a selector field (grammar.ts). Out: the selector with its canonical text,
// or SelectorError with the offset at which the text is wrong and what would be right there.

import type { Selector } from './ast.ts';
import { selectorOf } from './canonical.ts';
import { parseTree } from './grammar.ts';

/** Far more than a person writes, far less than a stack holds. */
const maxDepth = 200;

/** @throws SelectorError */
export function parseSelector(text: string): Selector {
  return selectorOf(parseTree(text, maxDepth));
}
