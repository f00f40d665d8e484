// What the command line needs of its process, as arguments, so that tests run it inside theirs.

import type { Config } from '../config/parameters.ts';
import type { Logger } from '../lib/logger.ts';

export interface AgentContext {
  readonly version: string;
  readonly log: Logger;
  /** Aborted when the agent must stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs until `signal` is aborted, then stops what it started, leaves the rules in place and resolves. Rejects on what no retry can
 * mend (a directory that does not exist); what a retry can mend it retries itself.
 */
export type RunAgent = (config: Config, context: AgentContext) => Promise<void>;

export interface Signals {
  on(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly signals: Signals;
  /** Whether the process has the capability to change iptables. */
  readonly mayProgramKernel: () => boolean;
  readonly output: (text: string) => void;
  readonly errors: (text: string) => void;
  readonly runAgent: RunAgent;
}
