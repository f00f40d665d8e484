// What can go wrong between the dataplane and the kernel. One class per failure; each says in its doc what the caller must do.

/** iptables refused a transaction: nothing of it is in force. Retry with what it names left out, or after reading. */
export class TransactionRefused extends Error {
  readonly code = 'TRANSACTION_REFUSED';
  /** 1-based lines of the transaction that were refused, where the tool says it (nft); legacy only knows COMMIT. */
  readonly lines: readonly number[];
  /** What the tool printed. */
  readonly output: string;
  constructor(output: string, lines: readonly number[] = [], options?: ErrorOptions) {
    super(`iptables refused a transaction${lines[0] === undefined ? '' : ` at line ${lines[0]}`}: ${output.trim()}`, options);
    this.name = 'TransactionRefused';
    this.lines = lines;
    this.output = output;
  }

  /** The first one. */
  get line(): number | undefined {
    return this.lines[0];
  }
}

/** A tool died or missed its deadline before it acknowledged: the kernel may or may not have the change. Read before writing. */
export class OutcomeUnknown extends Error {
  readonly code = 'OUTCOME_UNKNOWN';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OutcomeUnknown';
  }
}

/** Reading failed or was not complete: nothing is known about the kernel's state. Retry later; write nothing. */
export class ReadFailed extends Error {
  readonly code = 'READ_FAILED';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReadFailed';
  }
}

/** Some ipset commands failed; the others were executed. */
export class SetCommandsFailed extends Error {
  readonly code = 'SET_COMMANDS_FAILED';
  readonly failures: readonly { readonly command: string; readonly output: string }[];
  constructor(failures: readonly { readonly command: string; readonly output: string }[], options?: ErrorOptions) {
    super(`ipset refused ${failures.map((failure) => `"${failure.command}": ${failure.output.trim()}`).join('; ')}`, options);
    this.name = 'SetCommandsFailed';
    this.failures = failures;
  }
}

/** A program that the dataplane needs cannot be found in PATH. The remedy is in the message. */
export class ToolMissing extends Error {
  readonly code = 'TOOL_MISSING';
  readonly tool: string;
  constructor(tool: string, options?: ErrorOptions) {
    const packageName = packageOf(tool);
    super(`${tool} is not installed or not in PATH${packageName === undefined ? '' : `: install the Debian package ${packageName}`}`, options);
    this.name = 'ToolMissing';
    this.tool = tool;
  }
}

const packages: readonly (readonly [pattern: RegExp, packageName: string])[] = [
  [/^ip6?tables|^xtables/, 'iptables'],
  [/^ipset$/, 'ipset'],
  [/^inotifywait$/, 'inotify-tools'],
  [/^nft$/, 'nftables'],
  [/^(setpriv|nsenter|flock)$/, 'util-linux'],
  [/^(stdbuf|cat)$/, 'coreutils'],
];

/** The Debian package that contains a tool of ours. */
function packageOf(tool: string): string | undefined {
  return packages.find(([pattern]) => pattern.test(tool))?.[1];
}

/**
 * Text that must not reach a kernel tool: control characters, or not in canonical form. The object that carries it is
 * programmed so that it fails closed; sync validates what it reads, so this is a fault of ours: report it.
 */
export class EncodingRefused extends Error {
  readonly code = 'ENCODING_REFUSED';
  constructor(what: string, text: string, options?: ErrorOptions) {
    super(`not a canonical ${what}: ${JSON.stringify(text.slice(0, 80))}`, options);
    this.name = 'EncodingRefused';
  }
}

/** Something refers to an object that was not sent. What refers to it fails closed; calc promises that this does not happen: report it. */
export class ReferenceMissing extends Error {
  readonly code = 'REFERENCE_MISSING';
  constructor(what: string, name: string, options?: ErrorOptions) {
    super(`${what} ${name} is referred to but was not sent`, options);
    this.name = 'ReferenceMissing';
  }
}
