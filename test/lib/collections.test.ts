// Relation, reference counts, multi-map and structural equality.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deepEqual } from '../../src/lib/deep-equal.ts';
import { MultiMap } from '../../src/lib/multi-map.ts';
import { RefCounts } from '../../src/lib/ref-counts.ts';
import { Relation } from '../../src/lib/relation.ts';

test('a relation reads the same from both ends', () => {
  const relation = new Relation<string, number>();
  assert.equal(relation.link('a', 1), true);
  assert.equal(relation.link('a', 2), true);
  assert.equal(relation.link('b', 1), true);
  assert.equal(relation.link('a', 1), false);
  assert.deepEqual([...relation.rights('a')], [1, 2]);
  assert.deepEqual([...relation.lefts(1)], ['a', 'b']);
  assert.equal(relation.unlink('a', 1), true);
  assert.equal(relation.unlink('a', 1), false);
  assert.equal(relation.unlink('c', 1), false);
  assert.deepEqual([...relation.rights('a')], [2]);
  assert.deepEqual([...relation.lefts(1)], ['b']);
});

test('only the first user acquires and only the last one releases', () => {
  const counts = new RefCounts<string>();
  assert.deepEqual([counts.acquire('a'), counts.acquire('a'), counts.has('a')], [true, false, true]);
  assert.deepEqual([counts.release('a'), counts.has('a'), counts.release('a'), counts.has('a')], [false, true, true, false]);
});

test('releasing what nobody holds is a mistake', () => {
  assert.throws(() => new RefCounts<string>().release('a'), /more often/);
});

test('a multi-map holds one value or several of a key', () => {
  const map = new MultiMap<string, number>();
  const all = (key: string): number[] => {
    const values: number[] = [];
    map.each(key, (value) => values.push(value));
    return values;
  };
  map.delete('a', 1);
  map.add('a', 1);
  map.add('a', 1);
  assert.deepEqual([map.count('a'), all('a')], [1, [1]]);
  map.add('a', 2);
  map.add('a', 3);
  assert.deepEqual([map.count('a'), all('a')], [3, [1, 2, 3]]);
  map.delete('a', 2);
  map.delete('a', 1);
  map.delete('a', 4);
  assert.deepEqual([map.count('a'), all('a'), map.isEmpty], [1, [3], false]);
  map.delete('a', 3);
  assert.deepEqual([map.count('a'), all('a'), map.isEmpty], [0, [], true]);
});

test('plain data is equal when all its parts are', () => {
  assert.ok(deepEqual({ a: [1, { b: 'x' }] }, { a: [1, { b: 'x' }] }));
  assert.ok(!deepEqual({ a: 1 }, { a: 1, b: undefined }));
  assert.ok(!deepEqual({ a: undefined }, { b: undefined }));
  assert.ok(!deepEqual([1, 2], [1]));
  assert.ok(!deepEqual([], {}));
  assert.ok(!deepEqual({}, []));
  assert.ok(!deepEqual(null, {}));
  assert.ok(!deepEqual({ a: 1 }, { a: '1' }));
});

test('lists that many objects share are compared once: a policy of ten thousand peers and as many ports has them in each rule', () => {
  let reads = 0;
  const shared = (): unknown => {
    const list = Array.from({ length: 1000 }, (_, i) => ({
      get first() {
        reads += 1;
        return i;
      },
    }));
    return Array.from({ length: 1000 }, (_, i) => ({ index: i, ports: list }));
  };
  assert.ok(deepEqual(shared(), shared()));
  assert.equal(reads, 2000);
  const other = shared() as { index: number; ports: unknown[] }[];
  other[999] = { index: 999, ports: (other[999]?.ports ?? []).with(999, {}) };
  assert.ok(!deepEqual(shared(), other));
});
