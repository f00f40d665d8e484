import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandRunner } from '../../../src/dataplane/command.ts';
import { createCommandRunner } from '../../../src/dataplane/command.ts';
import { ToolMissing } from '../../../src/dataplane/errors.ts';
import { openRules, openSets } from '../../../src/dataplane/tools.ts';

// Ordinary programs in the place of the tools: no test here touches a table.
const real = createCommandRunner();

function instead(file: string, args: readonly string[], ran: string[] = []): CommandRunner {
  return {
    spawn: () => real.spawn(file, args),
    run: async (tool) => {
      ran.push(tool);
      return { exitCode: 0, timedOut: false, stdout: '', stderr: '' };
    },
  };
}

test('a tool that ends at once as a coprocess is used with a process per change, with one warning', async () => {
  const warnings: string[] = [];
  const ran: string[] = [];
  const fields: object[] = [];
  const warn = (given: object, message: string): void => {
    fields.push(given);
    warnings.push(message);
  };
  const logger = { debug() {}, info() {}, error() {}, warn };
  const rules = await openRules({ runner: instead('false', [], ran), backend: 'nft', family: 4, coprocess: true, logger });
  await rules.restore('*filter\nCOMMIT\n');
  assert.deepEqual(ran, ['iptables-nft-restore']);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /does not work as a coprocess here/);
  // The log shows a field of that name without its stack.
  assert.deepEqual(Object.keys(fields[0] ?? {}), ['error', 'tool']);
  await rules.close();
});

test('a tool that is not installed is no reason to go on without coprocess', async () => {
  const missing = instead('no-such-tool', []);
  await assert.rejects(openRules({ runner: missing, backend: 'nft', family: 4, coprocess: true }), ToolMissing);
  await assert.rejects(openSets({ runner: missing, coprocess: true }), ToolMissing);
});

test('a tool that echoes but dies at the first transaction leaves its outcome unknown', async () => {
  // Answers the greeting, then ends.
  const rules = await openRules({ runner: instead('sh', ['-c', 'read line; echo "$line"; read line']), backend: 'nft', family: 4, coprocess: true });
  await assert.rejects(rules.restore('*filter\nCOMMIT\n'), { code: 'OUTCOME_UNKNOWN' });
  await rules.close();
});

test('after close nothing is written', async () => {
  const rules = await openRules({ runner: instead('cat', []), backend: 'nft', family: 4, coprocess: true });
  await rules.close();
  await assert.rejects(rules.restore('*filter\nCOMMIT\n'), /closed; nothing was written/);
});
