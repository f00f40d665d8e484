// What a line of the log looks like, and which lines there are.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createLogger } from '../../src/observability/log.ts';
import type { LogSeverity } from '../../src/observability/log.ts';

function lines(severity: LogSeverity, use: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const written: string[] = [];
  use(createLogger(severity, { write: (line: string) => void written.push(line) }));
  return written.map((line) => {
    assert.ok(line.endsWith('\n') && line.indexOf('\n') === line.length - 1, 'one line per event');
    return JSON.parse(line) as Record<string, unknown>;
  });
}

suite('a log line', () => {
  test('is JSON with level, time, fields and message', () => {
    const [line] = lines('INFO', (log) => log.info({ policy: 'default/web' }, 'policy\napplied'));
    assert.equal(line?.['level'], 'info');
    assert.equal(line['policy'], 'default/web');
    assert.equal(line['msg'], 'policy\napplied');
    assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT.*Z$/);
  });
  test('shows what failed first where stopping failed as well', () => {
    const error = new SuppressedError(new Error('and then this'), new RangeError('a bug'));
    const [line] = lines('INFO', (log) => log.error({ error }, 'caracal ends'));
    assert.deepEqual(line?.['error'], { name: 'RangeError', message: 'a bug', whileStopping: { name: 'Error', message: 'and then this' } });
  });

  test('shows an error by name, code and causes, without stack', () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const [line] = lines('INFO', (log) => log.warn({ error: new TypeError('no answer', { cause }) }, 'watch ended'));
    assert.deepEqual(line?.['error'], { name: 'TypeError', message: 'no answer', cause: { name: 'Error', message: 'refused', code: 'ECONNREFUSED' } });
  });
});

suite('severity', () => {
  const all = (log: ReturnType<typeof createLogger>): void => {
    log.debug({}, 'debug');
    log.info({}, 'info');
    log.warn({}, 'warn');
    log.error({}, 'error');
  };
  const expected: readonly (readonly [LogSeverity, readonly string[]])[] = [
    ['TRACE', ['debug', 'info', 'warn', 'error']],
    ['DEBUG', ['debug', 'info', 'warn', 'error']],
    ['INFO', ['info', 'warn', 'error']],
    ['WARNING', ['warn', 'error']],
    ['ERROR', ['error']],
    ['FATAL', []],
    ['NONE', []],
  ];
  for (const [severity, messages] of expected) {
    test(`${severity} lets ${messages.join(', ') || 'nothing'} through`, () => {
      assert.deepEqual(lines(severity, all).map((line) => line['msg']), messages);
    });
  }
});
