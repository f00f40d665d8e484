// Label sets: every label is found in them, however many there are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { labelsOf, labelValue } from '../../src/model/labels.ts';

test('a label has the value that it was given last, and none where it was not', () => {
  const entries = fc.array(fc.tuple(fc.string({ unit: fc.constantFrom('a', 'B', '-', '.', '/', 'é', '\u{1f600}'), maxLength: 4 }), fc.string()), { maxLength: 60 });
  fc.assert(
    fc.property(entries, fc.string({ maxLength: 2 }), (list, other) => {
      const labels = labelsOf(list);
      const byKey = new Map(list);
      for (const [key, value] of byKey) assert.equal(labelValue(labels, key), value);
      assert.equal(labelValue(labels, other), byKey.get(other));
    }),
  );
});

test('among very many labels one is found without looking at all of them: whoever may label one object could hold every node up', () => {
  let reads = 0;
  const labels = new Proxy(labelsOf(Array.from({ length: 10_000 }, (_, i) => [`label-${i}`, `${i}`] as const)), {
    get: (target, property) => {
      if (property !== 'length') reads += 1;
      return Reflect.get(target, property) as unknown;
    },
  });
  assert.equal(labelValue(labels, 'label-9999'), '9999');
  assert.equal(labelValue(labels, 'other'), undefined);
  assert.ok(reads < 100, `${reads}`);
});
