import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutcomeUnknown, TransactionRefused } from '../../../src/dataplane/errors.ts';
import type { RestoreFailure } from '../../../src/dataplane/restore-failure.ts';
import { restoreFailure } from '../../../src/dataplane/restore-failure.ts';

// What iptables 1.8.9 prints.
const refusals: readonly (readonly [stderr: string, line: number])[] = [
  ['iptables-nft-restore: line 103 failed: Bad rule (does a matching rule exist in that chain?).\n', 3],
  ['iptables-restore: line 104 failed\n', 4],
  ['iptables-nft-restore v1.8.9 (nf_tables): \nline 104: CHAIN_DEL failed (Device or resource busy): chain c1\n', 4],
  ['iptables-restore v1.8.9 (legacy): Set nonex doesn\'t exist.\n\nError occurred at line: 102\nTry `iptables-restore -h\' or …\n', 2],
];

for (const [stderr, line] of refusals) {
  test(`the refused line counts from the transaction's first: ${stderr.trim().split('\n').at(-1)?.slice(0, 50)}`, async () => {
    const error = await restoreFailure(failure({ stderr }));
    assert.ok(error instanceof TransactionRefused);
    assert.equal(error.line, line);
    assert.ok(!error.output.includes('Try `'));
  });
}

test('a fault that the tool finds only at COMMIT has no line', async () => {
  const error = await restoreFailure(failure({ stderr: 'iptables-restore: line 106 failed\n' }));
  assert.ok(error instanceof TransactionRefused);
  assert.equal(error.line, undefined);
});

test('an exit without a line is an unknown outcome', async () => {
  const error = await restoreFailure(failure({ stderr: 'iptables-nft-restore: Could not fetch rule set generation id: Permission denied\n' }));
  assert.ok(error instanceof OutcomeUnknown);
  assert.match(error.message, /generation id/);
});

test('death by a signal is an unknown outcome, whatever was printed before', async () => {
  const error = await restoreFailure(failure({ stderr: 'iptables-restore: line 103 failed\n', exit: { exitCode: undefined, signal: 'SIGKILL' } }));
  assert.ok(error instanceof OutcomeUnknown);
});

test('the lock held by another is an unknown outcome, not a refusal of these rules', async () => {
  const stderr = 'Another app is currently holding the xtables lock; still 0s 0us time ahead to have a chance to grab the lock...\nError occurred at line: 101\n';
  const error = await restoreFailure(failure({ stderr, lockFile: '/nonexistent' }));
  assert.ok(error instanceof OutcomeUnknown);
  assert.match(error.message, /xtables lock \(\/nonexistent\), held by another process; nothing was written/);
});

function failure(parts: Partial<RestoreFailure>): RestoreFailure {
  return {
    tool: 'iptables-nft-restore', stderr: '', exit: { exitCode: 1, signal: undefined }, linesBefore: 100, transactionLines: 6, lockFile: '/run/xtables.lock', ...parts,
  };
}

test('all lines that are named are told, as nft prints them', async () => {
  const stderr = 'iptables-nft-restore v1.8.9 (nf_tables): \nline 103: RULE_APPEND failed (Invalid argument): rule in chain a\nline 105: RULE_APPEND failed (Invalid argument): rule in chain b\n';
  const error = await restoreFailure(failure({ stderr }));
  assert.ok(error instanceof TransactionRefused);
  assert.deepEqual([error.line, error.lines], [3, [3, 5]]);
});
