// Lines of a byte stream, however the network cuts it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { ResponseBroken } from '../../../src/sync/errors.ts';
import { LineSplitter } from '../../../src/sync/kubernetes/line-splitter.ts';

const split = (chunks: readonly Buffer[], splitter = new LineSplitter()): string[] =>
  chunks.flatMap((chunk) => [...splitter.push(chunk)].map((line) => line.toString('utf8')));

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const ends = [...new Set(at.map((each) => each % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...ends].map((start, i) => bytes.subarray(start, ends[i] ?? bytes.length));
};

test('lines come whole, whatever the chunks and the characters in them', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\u2028', '\r', '"'), minLength: 1 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 6 }), (lines, cuts) => {
      assert.deepEqual(split(cut(Buffer.from(lines.map((text) => `${text}\n`).join('')), cuts)), lines);
    }),
  );
});

test('U+2028, U+2029 and carriage returns end no line', () => {
  assert.deepEqual(split([Buffer.from('a\u2028b\u2029c\rd\n')]), ['a\u2028b\u2029c\rd']);
});

test('a line without its end is none', () => assert.deepEqual(split([Buffer.from('a\nb')]), ['a']));

test('empty lines are none', () => assert.deepEqual(split([Buffer.from('\n\na\n\n')]), ['a']));

test('a line that grows without end is refused', () => {
  const splitter = new LineSplitter(10);
  assert.deepEqual(split([Buffer.from('12345')], splitter), []);
  assert.throws(() => split([Buffer.from('678901')], splitter), ResponseBroken);
});

test('a chunk that is used again by its owner changes no line', () => {
  const splitter = new LineSplitter();
  const chunk = Buffer.from('abc');
  assert.deepEqual(split([chunk], splitter), []);
  chunk.fill('x');
  assert.deepEqual(split([Buffer.from('d\n')], splitter), ['abcd']);
});
