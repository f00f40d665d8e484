// Opens the tools of the seam (kernel.ts) for one backend, with coprocesses or with a process per change.

import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Family } from '../model/packet.ts';
import type { CommandRunner } from './command.ts';
import { coprocessRules } from './coprocess-rules.ts';
import { coprocessSets } from './coprocess-sets.ts';
import { ToolMissing } from './errors.ts';
import type { RuleTool, SetTool } from './kernel.ts';
import { processRules } from './process-rules.ts';
import { processSets } from './process-sets.ts';
import { RestoreCoprocess } from './restore-coprocess.ts';
import { SetCoprocess } from './set-coprocess.ts';
import { createTableReader } from './table-reader.ts';
import type { WriteObserver } from './write-observer.ts';
import { noObserver } from './write-observer.ts';
import { defaultLockFile } from './xtables-lock.ts';

export type Backend = 'nft' | 'legacy';

export interface ToolOptions {
  readonly runner: CommandRunner;
  /** false: a process per change. */
  readonly coprocess: boolean;
  /** How long a tool may take beyond its wait for the lock, ms (default 10,000). */
  readonly deadlineMs?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface RuleToolOptions extends ToolOptions {
  readonly backend: Backend;
  readonly family: Family;
  /** How long to wait for the xtables lock (default 10). */
  readonly lockSeconds?: number;
  /** The xtables lock, for messages (default /run/xtables.lock); the tools themselves go by XTABLES_LOCKFILE. */
  readonly lockFile?: string;
  readonly observer?: WriteObserver;
}

/** "iptables-nft-restore", "ip6tables-legacy-save", … */
export function toolName(backend: Backend, family: Family, suffix?: 'restore' | 'save'): string {
  return `${family === 4 ? 'iptables' : 'ip6tables'}-${backend}${suffix === undefined ? '' : `-${suffix}`}`;
}

/**
 * Resolves when the tool has answered. Rejects with ToolMissing. A coprocess that starts but does not answer as it should is replaced
 * by a process per change, with one warning.
 */
export async function openRules(options: RuleToolOptions): Promise<RuleTool> {
  const { runner, backend, family, lockSeconds = 10, lockFile = defaultLockFile, observer = noObserver, logger = silentLogger, clock = systemClock } = options;
  const deadlineMs = (options.deadlineMs ?? 10_000) + lockSeconds * 1_000;
  const tool = toolName(backend, family, 'restore');
  const reader = createTableReader({ runner, saveTool: toolName(backend, family, 'save'), deadlineMs });
  const singly = (): RuleTool => processRules({ runner, family, tool, lockSeconds, deadlineMs, lockFile, reader, observer });
  if (!options.coprocess) return singly();
  const coprocess = new RestoreCoprocess({ runner, tool, lockSeconds, deadlineMs, lockFile, observer, logger, clock });
  return await answers(coprocess, tool, logger) ? coprocessRules(family, coprocess, reader) : singly();
}

/** As openRules; both families. */
export async function openSets(options: ToolOptions): Promise<SetTool> {
  const { runner, deadlineMs = 10_000, logger = silentLogger, clock = systemClock } = options;
  if (!options.coprocess) return processSets({ runner, deadlineMs });
  const coprocess = new SetCoprocess({ runner, deadlineMs, logger, clock });
  return await answers(coprocess, 'ipset', logger) ? coprocessSets({ runner, coprocess, deadlineMs }) : processSets({ runner, deadlineMs });
}

async function answers(coprocess: { start(): Promise<void>; close(): Promise<void> }, tool: string, logger: Logger): Promise<boolean> {
  try {
    await coprocess.start();
    return true;
  } catch (error) {
    await coprocess.close();
    if (error instanceof ToolMissing) throw error;
    logger.warn({ error, tool }, `${tool} does not work as a coprocess here; each change starts a process instead, which is slower`);
    return false;
  }
}
