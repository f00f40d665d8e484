import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSelector } from '../../src/verdict/selector-parser.ts';
import { evaluate, scoped } from '../../src/verdict/selector.ts';
import type { Selector } from '../../src/verdict/selector.ts';

function parsed(text: string): Selector {
  const selector = parseSelector(text);
  if ('problem' in selector) throw new Error(`${text} ${selector.problem}`);
  return selector;
}

function selects(text: string, labels: Record<string, string> = {}): boolean {
  return evaluate(parsed(text), new Map(Object.entries(labels)));
}

function problem(text: string): string | undefined {
  const selector = parseSelector(text);
  return 'problem' in selector ? selector.problem : undefined;
}

test('an empty selector and all() select everything', () => {
  for (const text of ['', '   ', '\t', 'all()', 'all( )', ' ( all() ) ']) assert.ok(selects(text), text);
});

test('comparisons with a text', () => {
  assert.deepEqual(['a == "x"', "a=='x'", 'a == "y"', 'a != "x"', 'a != "y"'].map((text) => selects(text, { a: 'x' })), [true, true, false, false, true]);
  assert.deepEqual(['a contains "el"', 'a starts with "he"', 'a ends with "lo"', 'a contains "x"', 'a starts with "el"', 'a ends with "l"'].map((text) => selects(text, { a: 'hello' })), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.ok(selects('a startswith "he" && a endswith "lo"', { a: 'hello' }));
});

test('sets, empty ones and with a comma at the end', () => {
  assert.deepEqual(['a in {"x", "y"}', "a in {'x',}", 'a in {}', 'a not in {"x"}', 'a notin {"y"}', 'a not in {}'].map((text) => selects(text, { a: 'x' })), [
    true,
    true,
    false,
    false,
    true,
    true,
  ]);
});

test('a missing label fails every comparison but != and not in', () => {
  assert.deepEqual(
    ['a == ""', 'a in {""}', 'a contains ""', 'a starts with ""', 'a ends with ""', 'has(a)', 'a != "x"', 'a not in {"x"}', '!has(a)'].map((text) => selects(text)),
    [false, false, false, false, false, false, true, true, true],
  );
});

test('has() is about presence: an empty value is one', () => {
  assert.ok(selects('has(a)', { a: '' }));
  assert.ok(selects('has( a )', { a: '' }));
  assert.ok(selects('a == ""', { a: '' }));
});

test('&& binds more tightly than ||, and ! more than both', () => {
  assert.ok(selects('has(a) || has(b) && has(c)', { a: '' }));
  assert.ok(!selects('(has(a) || has(b)) && has(c)', { a: '' }));
  assert.ok(selects('!has(a) || has(b)', { a: '', b: '' }));
  assert.ok(!selects('!(has(a) || has(b))', { b: '' }));
  assert.ok(selects('has(a) && has(b) && has(c) || has(d)', { d: '' }));
});

test('an even number of ! is none', () => {
  assert.ok(selects('!!has(a)', { a: '' }));
  assert.ok(!selects('! ! !has(a)', { a: '' }));
});

test('words of the language may be labels', () => {
  const labels = { in: 'x', has: 'x', all: 'x', global: 'x', not: 'x', contains: 'x', starts: 'x' };
  for (const label of Object.keys(labels)) {
    assert.ok(selects(`${label} == "x"`, labels), label);
    assert.ok(selects(`${label} in {"x"}`, labels), label);
    assert.ok(selects(`has(${label})`, labels), label);
  }
  assert.ok(selects('not not in {"y"}', labels));
});

test('labels have letters, digits and _ . / -, and 512 of them at most', () => {
  assert.ok(selects('has(projectcalico.org/a_b-C.9)', { 'projectcalico.org/a_b-C.9': '' }));
  assert.equal(problem(`has(${'a'.repeat(512)})`), undefined);
  assert.ok(problem(`has(${'a'.repeat(513)})`));
  assert.ok(problem('has(a:b)'));
});

test('a text may hold whatever is not its own quote, and knows no escapes', () => {
  assert.ok(selects(`a == "it's"`, { a: "it's" }));
  assert.ok(selects(`a == 'say "x"'`, { a: 'say "x"' }));
  assert.ok(selects('a == "\\n"', { a: '\\n' }));
  assert.ok(selects('a == "(b) && {"', { a: '(b) && {' }));
  assert.ok(problem('a == "x\\"y"'));
});

test('what is no selector is refused with its position', () => {
  const texts = [
    'a', 'a =', 'a = "x"', '== "x"', 'a == x', 'a == "x', 'has(a', 'has (a)', 'has()', 'all', 'all (', 'all(a)', 'global', '()', '(has(a)', 'has(a))', 'has(a) has(b)',
    'has(a) &&', '&& has(a)', 'has(a) & has(b)', 'has(a) and has(b)', '!', 'a in "x"', 'a in {"x" "y"}', 'a in {,}', 'a in {"x"', 'a is "x"', 'has(a)\n&& has(b)', 'HAS(a)', '*',
  ];
  for (const text of texts) assert.ok(problem(text), text);
  assert.match(problem('has(a) && b') ?? '', /position 11/);
});

test('about a namespace, labels get their prefix and all() means to be in one, wherever it stands', () => {
  const inNamespace = { 'projectcalico.org/namespace': 'a', 'pcns.env': 'prod' };
  const meant = (text: string, labels: Record<string, string>): boolean => evaluate(scoped(parsed(text), 'namespace'), new Map(Object.entries(labels)));
  assert.deepEqual(['env == "prod"', 'all()', 'global()', '!all()', 'all() && env == "test"', '!(env == "test" || all())', 'env != "test"'].map((text) => meant(text, inNamespace)), [
    true,
    true,
    false,
    false,
    false,
    false,
    true,
  ]);
  assert.deepEqual(['env == "prod"', 'all()', 'global()', '!all()', '!(env == "test" || all())', 'env != "test"'].map((text) => meant(text, { env: 'prod' })), [
    false,
    false,
    true,
    true,
    true,
    true,
  ]);
});

test('about a service account, all() means to have one', () => {
  const meant = (text: string, labels: Record<string, string>): boolean => evaluate(scoped(parsed(text), 'serviceAccount'), new Map(Object.entries(labels)));
  assert.ok(meant('all() && role == "db"', { 'projectcalico.org/serviceaccount': 'x', 'pcsa.role': 'db' }));
  assert.ok(!meant('all()', { 'projectcalico.org/namespace': 'a' }));
});
