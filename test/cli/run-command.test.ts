// How a run ends when the agent does not stop in time.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { runCommand } from '../../src/cli/run-command.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { LogFields } from '../../src/lib/logger.ts';
import { silentLogger } from '../../src/lib/logger.ts';

test('an agent that does not stop in time is left behind, with exit status 1 and a line that says so', async () => {
  const signals = new EventEmitter();
  const errors: LogFields[] = [];
  const status = await runCommand({
    config: loadConfig({ env: {}, hostname: 'node-a' }),
    version: '0',
    log: { ...silentLogger, error: (fields) => void errors.push(fields) },
    signals,
    runAgent: () => {
      setImmediate(() => signals.emit('SIGTERM', 'SIGTERM'));
      return new Promise(() => {});
    },
    stopLimitMs: 1,
  });
  assert.equal(status, 1);
  assert.match(String(errors[0]?.['error']), /did not stop within/);
});
