// What can be wrong with text that the model parses.

/**
 * A selector that cannot be read, or written. The object that carries it is converted so that it fails closed; the remedy is to
 * correct the selector at `position`.
 */
export class SelectorError extends Error {
  readonly code = 'SELECTOR_INVALID';
  /** 0-based offset into the text (UTF-16 units). */
  readonly position: number;
  /** What would have been right there. */
  readonly expected: string;
  constructor(text: string, position: number, expected: string, options?: ErrorOptions) {
    const found = position >= text.length ? 'the end' : JSON.stringify(text.slice(position, position + 12));
    super(`selector: expected ${expected} at offset ${position}, found ${found}`, options);
    this.name = 'SelectorError';
    this.position = position;
    this.expected = expected;
  }
}
