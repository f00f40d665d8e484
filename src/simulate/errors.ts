// What can go wrong when kernel state is read back and judged. Neither is ever softened into "no match": a judgement that is
// not certain is worth less than none.

/** Text that no `iptables-save` or `ipset save` prints, or that is cut short. Read again; if it persists, the tool's version is not supported. */
export class UnreadableState extends Error {
  readonly code = 'UNREADABLE_STATE';
  /** 1-based line of the text. */
  readonly line: number;
  constructor(problem: string, line: number, options?: ErrorOptions) {
    super(`kernel state, line ${line}: ${problem}`, options);
    this.name = 'UnreadableState';
    this.line = line;
  }
}

/**
 * The state was read, but a rule that decides (or one of ours) cannot be judged: a match or target that is not known here, a
 * missing set or chain, a loop, or a packet that lacks what the rule looks at. The message names the rule.
 */
export class SimulationError extends Error {
  readonly code = 'SIMULATION_FAILED';
  /** The rule as iptables-save prints it, where one is to blame. */
  readonly rule: string | undefined;
  constructor(problem: string, rule?: string, options?: ErrorOptions) {
    super(rule === undefined ? problem : `${problem} (rule: ${rule})`, options);
    this.name = 'SimulationError';
    this.rule = rule;
  }
}
