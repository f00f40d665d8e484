import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Node } from './node.ts';
import { desired, set } from './objects.ts';

describe('the periodic comparison of the sets', () => {
  it('a set that is gone is found by the periodic comparison alone', async () => {
    const node = new Node(undefined, { setCheckInterval: 0, setRefreshInterval: 30_000 });
    await node.start();
    await node.update(desired({ addedSets: [set('s:a', ['10.0.0.8'])] }));
    await node.pass(200);
    node.kernel.editSets('destroy cali40s:a');
    await node.pass(31_000);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8']);
  });

  it('all sets are compared with one read per interval, however many there are', async () => {
    const node = await new Node(undefined, { ruleRefreshInterval: 0, setCheckInterval: 0, setRefreshInterval: 30_000 }).start();
    await node.update(desired({ addedSets: Array.from({ length: 41 }, (_, i) => set(`s:${i}`, ['10.0.0.8'])) }));
    await node.pass(200);
    node.kernel.clearLog();
    await node.pass(59_000);
    assert.deepEqual(node.kernel.reads, [{ kind: 'save-sets', name: '' }]);
    assert.deepEqual(node.messages('warn'), []);
  });

  it('no set to compare, no read', async () => {
    const node = await new Node(undefined, { ruleRefreshInterval: 0, setCheckInterval: 0, setRefreshInterval: 30_000 }).start();
    await node.update(desired({}));
    node.kernel.clearLog();
    await node.pass(90_000);
    assert.deepEqual(node.kernel.reads, []);
  });

  it('a change between two slices of a long comparison is written at once and is no drift; another exchanged member is found', async () => {
    const node = await new Node(undefined, { ruleRefreshInterval: 0, setCheckInterval: 0, setRefreshInterval: 30_000 }).start();
    const many = Array.from({ length: 9_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    await node.update(desired({ addedSets: [set('s:a', many), set('s:b', ['10.0.0.1']), set('s:c', ['10.0.0.2'])] }));
    await node.pass(200);
    node.kernel.editSets('del cali40s:c 10.0.0.2', 'add cali40s:c 10.9.9.9');
    node.kernel.clearLog();
    while (node.kernel.reads.length === 0) await node.pass(10);
    await node.update(desired({ setDeltas: [{ id: 's:b', added: ['10.0.0.3'], removed: ['10.0.0.1'] }] }));
    assert.deepEqual(node.members('cali40s:b'), ['10.0.0.3']);
    assert.deepEqual(node.members('cali40s:c'), ['10.9.9.9']);
    await node.pass(1_000);
    assert.deepEqual(node.members('cali40s:b'), ['10.0.0.3']);
    assert.deepEqual(node.members('cali40s:c'), ['10.0.0.2']);
    assert.deepEqual(node.log.filter(({ level }) => level === 'warn').map(({ fields }) => fields['undone']), [['cali40s:c: 1 members gone, 1 unknown members']]);
    assert.equal(node.kernel.reads.length, 1);
  });
});
