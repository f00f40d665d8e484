// What can go wrong between the agent and the place its objects come from. One class per failure; each says what is done then.

/** A source was told something that no retry can mend. The process ends with the message; the operator follows the remedy. */
export class SourceOptionsInvalid extends Error {
  readonly code = 'SOURCE_OPTIONS_INVALID';
  readonly remedy: string;
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(`${message}: ${remedy}`, options);
    this.name = 'SourceOptionsInvalid';
    this.remedy = remedy;
  }
}
