// How a run ends when the agent does not stop in time, or fails.

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

for (const [what, error, showsPlace] of [
  ['a fault of the program', new RangeError('a bug'), true],
  ['a fault of the program, where stopping fails as well', new SuppressedError(new Error('late'), new RangeError('a bug')), true],
  ['a reason that an operator can do something about', Object.assign(new Error('no such folder'), { code: 'ENOENT' }), false],
] as const) {
  test(`a run that ends by ${what} says ${showsPlace ? 'where it happened' : 'so without a stack'}`, async () => {
    const errors: LogFields[] = [];
    const log = { ...silentLogger, error: (fields: LogFields) => void errors.push(fields) };
    const runAgent = (): Promise<never> => Promise.reject(error);
    assert.equal(await runCommand({ config: loadConfig({ env: {}, hostname: 'node-a' }), version: '0', log, signals: new EventEmitter(), runAgent }), 1);
    assert.equal(errors[0]?.['error'], error);
    assert.equal(/a bug\n +at /.test(String(errors[0]['stack'])), showsPlace);
  });
}
