// Lists of ids with lazy removal.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { IdLists } from '../../../src/calc/index/id-lists.ts';

function entries(lists: IdLists, list: number): number[] {
  const found: number[] = [];
  lists.each(list, (id) => found.push(id));
  return found;
}

test('a list that loses its last entry is free', () => {
  const lists = new IdLists();
  const list = lists.create(7);
  assert.deepEqual(entries(lists, list), [7]);
  assert.equal(lists.drop(list, () => false), true);
  assert.equal(lists.create(8), list, 'its handle is used again');
  assert.deepEqual(entries(lists, list), [8]);
});

test('removed entries stay until half of the list is gone', () => {
  const lists = new IdLists();
  const present = new Set([0, 1, 2, 3, 4, 5, 6, 7]);
  const list = lists.create(0);
  for (let id = 1; id < 8; id += 1) lists.add(list, id);
  for (const [removed, length] of [8, 8, 8, 4].entries()) {
    present.delete(removed);
    lists.drop(list, (id) => present.has(id));
    assert.equal(lists.length(list), length);
  }
  assert.deepEqual(entries(lists, list).toSorted((a, b) => a - b), [4, 5, 6, 7]);
});

test('an id that came back while it was still listed is listed once after the sweep', () => {
  const lists = new IdLists();
  const list = lists.create(1);
  for (const id of [2, 3]) lists.add(list, id);
  lists.drop(list, () => true);
  lists.add(list, 1);
  assert.equal(lists.length(list), 4);
  lists.drop(list, (id) => id === 1);
  assert.deepEqual(entries(lists, list), [1]);
  assert.equal(lists.length(list), 1);
});

test('whatever comes and goes, no list loses an entry and all together need no more room than their entries', () => {
  const step = fc.record({ list: fc.nat(3), id: fc.nat(30), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const lists = new IdLists();
      const handles = new Map<number, number>();
      const truth = new Map<number, Set<number>>();
      for (const { list, id, add } of steps) {
        const ids = truth.get(list) ?? new Set();
        truth.set(list, ids);
        const handle = handles.get(list);
        if (add && !ids.has(id)) {
          ids.add(id);
          if (handle === undefined) handles.set(list, lists.create(id));
          else lists.add(handle, id);
        } else if (!add && ids.delete(id) && handle !== undefined && lists.drop(handle, (other) => ids.has(other))) {
          handles.delete(list);
        }
        for (const [each, wanted] of truth) {
          const of = handles.get(each);
          const found = of === undefined ? [] : entries(lists, of);
          for (const other of wanted) assert.ok(found.includes(other));
          assert.ok(found.length <= 2 * wanted.size + 1, `${found.length} entries for ${wanted.size} ids`);
        }
      }
    }),
  );
});
