// `caracal run`: the agent until a signal stops it.
//
// In: a loaded configuration, the process's signals. Out: an exit status. The rules stay in the kernel whatever happens here.

import type { LoadedConfig } from '../config/load.ts';
import type { Logger } from '../lib/logger.ts';
import { exitStatus } from './exit-status.ts';
import type { RunAgent, Signals } from './world.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export interface RunOptions {
  readonly config: LoadedConfig;
  readonly version: string;
  readonly log: Logger;
  readonly signals: Signals;
  readonly runAgent: RunAgent;
  /** How long the agent may take to stop; a coprocess that does not answer must not keep the kubelet waiting. */
  readonly stopLimitMs?: number;
}

export async function runCommand({ config, version, log, signals, runAgent, stopLimitMs = 10_000 }: RunOptions): Promise<number> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping; the rules stay in place');
    stop.abort();
    // A second signal finds Node's own handler again, which ends the process at once.
    for (const each of STOP_SIGNALS) signals.off(each, onSignal);
  };
  for (const each of STOP_SIGNALS) signals.on(each, onSignal);

  log.info({ version, node: config.values.nodeName, datastore: config.values.datastore }, 'caracal starts');
  for (const warning of config.warnings) log.warn({}, warning);
  if (config.ignored.length > 0) log.info({ variables: config.ignored }, 'variables that are not parameters of caracal are ignored');

  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    stop.signal.addEventListener('abort', () => {
      limit = setTimeout(() => reject(new Error(`the agent did not stop within ${stopLimitMs / 1000} s`)), stopLimitMs);
    });
  });
  try {
    await Promise.race([runAgent(config.values, { version, log, signal: stop.signal }), late]);
    if (!stop.signal.aborted) throw new Error('the agent ended by itself');
    log.info({}, 'stopped');
    return exitStatus.ok;
  } catch (error) {
    log.error({ error, ...placeOfFault(error) }, 'caracal ends');
    return exitStatus.failed;
  } finally {
    clearTimeout(limit);
    for (const each of STOP_SIGNALS) signals.off(each, onSignal);
  }
}

/** A TypeError and the like is nobody's answer but a fault of this program: where it happened belongs to the report of it. */
function placeOfFault(error: unknown): { readonly stack?: string | undefined } {
  const first: unknown = error instanceof SuppressedError ? error.suppressed : error;
  return first instanceof Error && first.name !== 'Error' && !('code' in first) ? { stack: first.stack } : {};
}
