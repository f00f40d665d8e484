import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { hashTexts, Interner } from '../../../src/sync/resources/interner.ts';
import { sameLabels } from '../../../src/model/labels.ts';

function share(interner: Interner<number, readonly string[]>, key: number, list: readonly string[]): readonly string[] {
  return interner.get(key, (known) => sameLabels(known, list), () => list);
}

suite('shared values', () => {
  test('equal values become one', () => {
    const interner = new Interner<number, readonly string[]>();
    const first = share(interner, hashTexts(['a', 'b']), ['a', 'b']);
    assert.equal(share(interner, hashTexts(['a', 'b']), ['a', 'b']), first);
  });

  test('values that only have a key in common stay themselves', () => {
    const interner = new Interner<number, readonly string[]>();
    share(interner, 1, ['a']);
    assert.deepEqual(share(interner, 1, ['b']), ['b']);
    assert.deepEqual(share(interner, 1, ['a']), ['a']);
  });

  test('what is asked for again and again is kept, what is not is forgotten', () => {
    const interner = new Interner<number, readonly string[]>(2);
    const kept = share(interner, 1, ['kept']);
    const forgotten = share(interner, 2, ['forgotten']);
    for (let key = 3; key < 10; key += 1) {
      share(interner, key, [`${key}`]);
      assert.equal(share(interner, 1, ['kept']), kept);
    }
    assert.notEqual(share(interner, 2, ['forgotten']), forgotten);
  });

  test('where one text ends and the next begins makes a difference', () => {
    assert.notEqual(hashTexts(['ab', 'c']), hashTexts(['a', 'bc']));
  });
});
