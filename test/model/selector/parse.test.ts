// The selector language: what is read, what is refused and where, and the canonical text.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { SelectorError } from '../../../src/model/errors.ts';
import { selectorOf } from '../../../src/model/selector/canonical.ts';
import { parseSelector } from '../../../src/model/selector/parse.ts';
import { selectorNode } from '../../calc/worlds.ts';

function canonical(text: string): string {
  return parseSelector(text).text;
}

test('an empty selector is all()', () => {
  for (const text of ['', ' \t ', 'all()', 'all( )']) assert.equal(canonical(text), 'all()');
});

test('comparisons are written with double quotes, or single ones around a double quote', () => {
  const cases: Record<string, string> = {
    "a=='b'": 'a == "b"',
    'a != "b"': 'a != "b"',
    "a == 'say \"x\"'": `a == 'say "x"'`,
    "a contains'b'": 'a contains "b"',
    'a starts with "b"': 'a starts with "b"',
    'a startswith "b"': 'a starts with "b"',
    'a ends \t with "b"': 'a ends with "b"',
    "a == ''": 'a == ""',
    "app.kubernetes.io/name == 'web'": 'app.kubernetes.io/name == "web"',
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(canonical(text), expected, text);
});

test('values of sets are sorted by bytes and unique; a trailing comma and an empty set are fine', () => {
  assert.equal(canonical("a in {'b','a' , 'b',}"), 'a in {"a", "b"}');
  assert.equal(canonical('a notin{}'), 'a not in {}');
  assert.equal(canonical('a not in {"b"}'), 'a not in {"b"}');
  assert.equal(canonical('a in {"\u{1f600}", "\uffee"}'), 'a in {"\uffee", "\u{1f600}"}');
});

test('"||" binds weakest, "!" strongest, and nesting is kept', () => {
  assert.equal(canonical("a == 'x' && b == 'y' || !c == 'z'"), '((a == "x" && b == "y") || !c == "z")');
  assert.equal(canonical("(a == 'x' && b == 'y') && c == 'z'"), '((a == "x" && b == "y") && c == "z")');
  assert.equal(canonical("a == 'x' && b == 'y' && c == 'z'"), '(a == "x" && b == "y" && c == "z")');
  assert.equal(canonical("((a == 'x'))"), 'a == "x"');
  assert.equal(canonical('!(has(a) || has(b))'), '!(has(a) || has(b))');
});

test('several "!" collapse by parity', () => {
  assert.equal(canonical('!!has(a)'), 'has(a)');
  assert.equal(canonical('! ! !has( a )'), '!has(a)');
});

test('labels may be named like operators', () => {
  assert.equal(canonical('in in {"in"}'), 'in in {"in"}');
  assert.equal(canonical('all == "x" && has == "y" && contains contains "z"'), '(all == "x" && has == "y" && contains contains "z")');
});

test('an error says where it is and what would be right there', () => {
  const cases: readonly (readonly [text: string, position: number, expected: RegExp])[] = [
    ['a = "b"', 2, /==/],
    ['a == b', 5, /quoted string/],
    ['a == "b', 5, /ends with "/],
    ['a == "b" c', 9, /&&/],
    ['(a == "b"', 9, /"\)"/],
    ['a == "b" &&', 11, /label name/],
    ['a in "b"', 5, /"{"/],
    ['a in {"b" "c"}', 10, /"}"/],
    ['has (a)', 4, /==/],
    ['has()', 4, /label name/],
    ['has("a")', 4, /label name/],
    ['all', 3, /==/],
    ['!=a', 0, /label name/],
    ['a\n== "b"', 1, /==/],
    ['a == "b" & c == "d"', 9, /&&/],
    ['é == "b"', 0, /label name/],
  ];
  for (const [text, position, expected] of cases) {
    assert.throws(
      () => parseSelector(text),
      (error) => error instanceof SelectorError && error.position === position && expected.test(error.expected),
      text,
    );
  }
});

test('a label has at most 512 characters', () => {
  assert.equal(canonical(`has(${'a'.repeat(512)})`), `has(${'a'.repeat(512)})`);
  assert.throws(() => parseSelector(`has(${'a'.repeat(513)})`), SelectorError);
});

test('a hundred thousand parentheses are an error of the selector, not of the stack', () => {
  assert.throws(() => parseSelector('('.repeat(100_000)), SelectorError);
  assert.throws(() => parseSelector(`${'!'.repeat(100_000)}x`), SelectorError);
  const nested = `${'(has(a) && '.repeat(199)}has(b)${')'.repeat(199)}`;
  assert.ok(parseSelector(nested).root);
});

test('a value or label that could be read as syntax cannot get into a text', () => {
  assert.throws(() => selectorOf({ kind: 'equals', label: 'a', value: `both " and '` }), SelectorError);
  assert.throws(() => selectorOf({ kind: 'has', label: 'a) || all(' }), SelectorError);
  assert.throws(() => selectorOf({ kind: 'has', label: '' }), SelectorError);
});

test('half of a surrogate pair is no value: two of them would be one in UTF-8, and so in the names of sets', () => {
  assert.throws(() => parseSelector('a == "\ud800"'), SelectorError);
  assert.equal(parseSelector('a == "\u{1f600}"').text, 'a == "\u{1f600}"');
});

test('operators of one operand, or none, are unwrapped', () => {
  assert.equal(selectorOf({ kind: 'and', operands: [{ kind: 'or', operands: [{ kind: 'has', label: 'a' }] }] }).text, 'has(a)');
  assert.equal(selectorOf({ kind: 'and', operands: [] }).text, 'all()');
  assert.equal(selectorOf({ kind: 'or', operands: [] }).text, '!all()');
});

test('the canonical text of any tree parses to a tree with that text', () => {
  fc.assert(
    fc.property(selectorNode, (node) => {
      const { text, root } = selectorOf(node);
      assert.equal(selectorOf(root).text, parseSelector(text).text);
      // Only doubled negation is written shorter the second time.
      if (!text.includes('!!')) assert.equal(parseSelector(text).text, text);
    }),
    { numRuns: 2000 },
  );
});
