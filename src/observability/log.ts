// The log: one line of JSON per event on standard output, written before the call returns, so that the last line before a crash
// is there. pino behind the Logger interface that the other layers know.

import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import type { LogFields, Logger } from '../lib/logger.ts';

/** Felix's names of severities. */
export type LogSeverity = 'TRACE' | 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'FATAL' | 'NONE';

const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
  NONE: 'silent',
} as const;

/** An error with its chain of causes in one line, without stack. Where stopping the rest failed as well, the first one is the error. */
function describeError(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  if (value instanceof SuppressedError) return { ...(describeError(value.suppressed) as object), whileStopping: describeError(value.error) };
  const { name, message, cause } = value;
  const code = 'code' in value ? { code: value.code } : {};
  return { name, message, ...code, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}

/**
 * A field called `error` is shown by name, message, code and causes. Transports are not used: each is a worker thread of 45 MB.
 *
 * @param destination for tests; standard output otherwise.
 */
export function createLogger(severity: LogSeverity, destination: DestinationStream = pino.destination({ fd: 1, sync: true })): Logger {
  const log: PinoLogger = pino(
    {
      level: LEVELS[severity],
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    destination,
  );
  return Object.freeze({
    debug: (fields: LogFields, message: string) => log.debug(fields, message),
    info: (fields: LogFields, message: string) => log.info(fields, message),
    warn: (fields: LogFields, message: string) => log.warn(fields, message),
    error: (fields: LogFields, message: string) => log.error(fields, message),
  });
}
