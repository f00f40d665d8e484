// Selectors of the Calico language, parsed. Semantics: a missing label makes ==, in, contains, starts with and ends with
// false, and != and not in true.

export type SelectorNode =
  | { readonly kind: 'all' }
  | { readonly kind: 'global' }
  | { readonly kind: 'has'; readonly label: string }
  | { readonly kind: 'equals'; readonly label: string; readonly value: string }
  | { readonly kind: 'not-equals'; readonly label: string; readonly value: string }
  | { readonly kind: 'contains'; readonly label: string; readonly value: string }
  | { readonly kind: 'starts-with'; readonly label: string; readonly value: string }
  | { readonly kind: 'ends-with'; readonly label: string; readonly value: string }
  | { readonly kind: 'in'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'not-in'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'not'; readonly operand: SelectorNode }
  | { readonly kind: 'and'; readonly operands: readonly SelectorNode[] }
  | { readonly kind: 'or'; readonly operands: readonly SelectorNode[] };

export interface Selector {
  /** Canonical text: equal texts select the same things; names of kernel sets are made of it. */
  readonly text: string;
  /** The tree of that text. Made when it is read: read it once and keep what is derived from it. */
  readonly root: SelectorNode;
}
