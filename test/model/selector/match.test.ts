// What selectors mean, first of all for labels that are missing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { compile } from '../../../src/model/selector/match.ts';
import { parseSelector } from '../../../src/model/selector/parse.ts';
import { holds } from '../../calc/naive-state.ts';
import { selectorNode } from '../../calc/worlds.ts';

function matches(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return compile(parseSelector(selector).root)((label) => labels[label]);
}

test('a missing label fails every comparison but != and not in', () => {
  for (const operator of ['== "x"', '== ""', 'in {"x"}', 'in {""}', 'contains ""', 'starts with ""', 'ends with ""']) assert.equal(matches(`a ${operator}`, {}), false, operator);
  for (const operator of ['!= "x"', '!= ""', 'not in {"x"}', 'not in {}']) assert.equal(matches(`a ${operator}`, {}), true, operator);
});

test('has() asks for presence, which an empty value has', () => {
  assert.equal(matches('has(a)', { a: '' }), true);
  assert.equal(matches('has(a)', { b: '' }), false);
  assert.equal(matches('!has(a)', { b: '' }), true);
});

test('nothing is in an empty set', () => {
  assert.equal(matches('a in {}', { a: '' }), false);
  assert.equal(matches('a not in {}', { a: '' }), true);
});

test('contains, starts with and ends with compare parts', () => {
  assert.equal(matches('a contains "b" && a starts with "ab" && a ends with "bc"', { a: 'abc' }), true);
  assert.equal(matches('a starts with "b" || a ends with "b" || a contains "ca"', { a: 'abc' }), false);
});

test('all() and global() match everything', () => {
  assert.equal(matches('all() && global()', {}), true);
});

test('a compiled selector says what a plain walk of its tree says', () => {
  const labels = fc.dictionary(fc.constantFrom('app', 'role', 'pcns.env'), fc.constantFrom('a', 'b', 'ab', ''));
  fc.assert(
    fc.property(selectorNode, labels, (node, values) => {
      const endpoint = { labels: Object.entries(values).flat(), profiles: [] };
      assert.equal(compile(node)((label) => values[label]), holds({ profile: new Map() }, endpoint, node));
    }),
    { numRuns: 2000 },
  );
});
