// The published status: a snapshot does not change once taken, and reads as text.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
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
    board.setApplied({ at: Date.UTC(2026, 0, 2), milliseconds: 1.26, endpoints: 2, policies: 1, sets: 3 });
    assert.match(statusText(board.snapshot), /last applied: 2026-01-02T00:00:00.000Z in 1.3 ms, 2 endpoints, 1 policies, 3 sets\n$/);
  });
});
