// The published status: a snapshot does not change once taken, and reads as text.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLogger } from '../../src/lib/logger.ts';
import { applyRecorder } from '../../src/observability/apply-latency.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { createStatusBoard, statusText } from '../../src/observability/status.ts';

suite('status', () => {
  test('a snapshot stays as it was when it was taken', () => {
    const board = createStatusBoard('node-a');
    const before = board.snapshot;
    board.setKind('Pod', { inSync: true, objects: 3, detail: '' });
    assert.equal(before.kinds.size, 0);
    assert.equal(board.snapshot.kinds.get('Pod')?.objects, 3);
  });
  test('as text it names every kind, why it is not in sync, and the last apply', () => {
    const board = createStatusBoard('node-a');
    board.setKind('Pod', { inSync: true, objects: 1, detail: '' });
    board.setKind('NetworkPolicy', { inSync: false, objects: 0, detail: 'list: 403 Forbidden' });
    assert.equal(
      statusText(board.snapshot),
      'node: node-a\nNetworkPolicy: not in sync (list: 403 Forbidden)\nPod: in sync, 1 object\nlast applied: nothing yet\n',
    );
    board.setApplied({ at: Date.UTC(2026, 0, 2), milliseconds: 1.26 });
    assert.match(statusText(board.snapshot), /last applied: 2026-01-02T00:00:00.000Z, 1.3 ms after it was received\n$/);
  });
  test('as text it names the kinds that are not installed in one line', () => {
    const board = createStatusBoard('node-a');
    for (const kind of ['Tier', 'NetworkSet']) board.setKind(kind, { isAbsent: true, inSync: false, objects: 0, detail: '' });
    board.setKind('Pod', { isAbsent: false, inSync: true, objects: 2, detail: '' });
    assert.equal(statusText(board.snapshot), 'node: node-a\nPod: in sync, 2 objects\nnot installed: NetworkSet, Tier\nlast applied: nothing yet\n');
  });
  test('a change that the kernel has is counted with its latency', async () => {
    const board = createStatusBoard('node-a');
    const { metrics, text } = createMetrics({ processMetrics: false });
    applyRecorder(metrics, board, silentLogger)(100, 103);
    assert.equal(board.snapshot.applied?.milliseconds, 3);
    assert.match(await text(), /^caracal_apply_seconds_sum 0\.003$/m);
  });
});
