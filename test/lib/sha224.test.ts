// Our SHA-224 and base64url against Node's.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import fc from 'fast-check';

import { base64url } from '../../src/lib/base64url.ts';
import { sha224 } from '../../src/lib/sha224.ts';

test('the digest of the empty text is the published one', () => {
  assert.equal(Buffer.from(sha224('')).toString('hex'), 'd14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f');
});

test('any text has the digest that Node computes', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(300).map((length) => 'x'.repeat(length)));
  fc.assert(
    fc.property(text, (made) => {
      assert.equal(Buffer.from(sha224(made)).toString('hex'), createHash('sha224').update(made).digest('hex'));
    }),
    { numRuns: 1000 },
  );
});

test('every length around a block is padded right', () => {
  for (let length = 0; length <= 200; length += 1) {
    assert.deepEqual(Buffer.from(sha224('a'.repeat(length))), createHash('sha224').update('a'.repeat(length)).digest(), `${length}`);
  }
});

test('base64url is what Node writes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => assert.equal(base64url(bytes), Buffer.from(bytes).toString('base64url'))));
});
