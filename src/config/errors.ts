// What can be wrong with a configuration so badly that the agent must not start with it.

import type { Source } from './source.ts';
import { describeSource } from './source.ts';

export interface ConfigProblem {
  readonly parameter: string;
  readonly source: Source;
  /** Why the value is refused, and what would be accepted; never the value of a secret. */
  readonly problem: string;
}

/** One or more values are refused. Remedy: correct or remove them; the message names each with its source. */
export class ConfigInvalid extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map((each) => `${describeSource(each.source)}: ${each.problem}`).join('; '), options);
    this.name = 'ConfigInvalid';
    this.problems = problems;
  }
}
