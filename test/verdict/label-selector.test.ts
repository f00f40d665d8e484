import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLabelSelector, selects } from '../../src/verdict/label-selector.ts';

/** Whether the selector selects each of: no labels, a="", a=x, a=y, b=x. */
function outcome(selector: unknown): readonly boolean[] {
  const problems: string[] = [];
  const parsed = readLabelSelector(selector, 's', (field, problem) => problems.push(`${field}: ${problem}`));
  assert.deepEqual(problems, []);
  assert.ok(parsed);
  const labelSets = [{}, { a: '' }, { a: 'x' }, { a: 'y' }, { b: 'x' }];
  return labelSets.map((labels) => selects(parsed, new Map(Object.entries(labels))));
}

function refusedFields(selector: unknown): readonly string[] {
  const fields: string[] = [];
  assert.equal(readLabelSelector(selector, 's', (field) => fields.push(field)), undefined);
  return fields;
}

function expression(key: string, operator: string, ...values: string[]): unknown {
  return { matchExpressions: [{ key, operator, ...(values.length > 0 ? { values } : {}) }] };
}

test('an empty selector selects everything', () => {
  for (const selector of [{}, { matchLabels: {} }, { matchExpressions: [] }, { matchLabels: null, matchExpressions: null }]) {
    assert.deepEqual(outcome(selector), [true, true, true, true, true]);
  }
});

test('matchLabels wants the key with exactly that value', () => {
  assert.deepEqual(outcome({ matchLabels: { a: 'x' } }), [false, false, true, false, false]);
  assert.deepEqual(outcome({ matchLabels: { a: '' } }), [false, true, false, false, false]);
});

test('In wants one of the values', () => {
  assert.deepEqual(outcome(expression('a', 'In', 'x', 'z')), [false, false, true, false, false]);
});

test('NotIn is met by an absent key', () => {
  assert.deepEqual(outcome(expression('a', 'NotIn', 'x', 'z')), [true, true, false, true, true]);
});

test('Exists is met by an empty value', () => {
  assert.deepEqual(outcome(expression('a', 'Exists')), [false, true, true, true, false]);
});

test('DoesNotExist is met by an absent key only', () => {
  assert.deepEqual(outcome(expression('a', 'DoesNotExist')), [true, false, false, false, true]);
});

test('all requirements must be met', () => {
  const selector = { matchLabels: { a: 'x' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] };
  assert.deepEqual(outcome(selector), [false, false, false, false, false]);
});

test('keys and values that the API server refuses make a selector unreadable', () => {
  assert.deepEqual(refusedFields({ matchLabels: { '-a': 'x' } }), ['s.matchLabels[-a]']);
  assert.deepEqual(refusedFields({ matchLabels: { a: 'x y' } }), ['s.matchLabels[a]']);
  assert.deepEqual(refusedFields({ matchLabels: { a: 1 } }), ['s.matchLabels[a]']);
  assert.deepEqual(refusedFields({ matchLabels: { 'Example.com/a': 'x' } }), ['s.matchLabels[Example.com/a]']);
  assert.deepEqual(refusedFields({ matchLabels: { 'a/b/c': 'x' } }), ['s.matchLabels[a/b/c]']);
  assert.deepEqual(refusedFields({ matchLabels: { [`${'k'.repeat(64)}`]: 'x' } }), [`s.matchLabels[${'k'.repeat(64)}]`]);
  assert.deepEqual(refusedFields(expression('a', 'In', 'x'.repeat(64))), ['s.matchExpressions[0].values[0]']);
  assert.deepEqual(refusedFields(expression('', 'Exists')), ['s.matchExpressions[0].key']);
});

test('operators and their values must fit', () => {
  assert.deepEqual(refusedFields(expression('a', 'in', 'x')), ['s.matchExpressions[0].operator']);
  assert.deepEqual(refusedFields(expression('a', 'In')), ['s.matchExpressions[0].values']);
  assert.deepEqual(refusedFields(expression('a', 'NotIn')), ['s.matchExpressions[0].values']);
  assert.deepEqual(refusedFields(expression('a', 'Exists', 'x')), ['s.matchExpressions[0].values']);
  assert.deepEqual(refusedFields(expression('a', 'DoesNotExist', 'x')), ['s.matchExpressions[0].values']);
});

test('a selector of another shape is unreadable', () => {
  assert.deepEqual(refusedFields('a=x'), ['s']);
  assert.deepEqual(refusedFields([]), ['s']);
  assert.deepEqual(refusedFields({ matchLabels: ['a'] }), ['s.matchLabels']);
  assert.deepEqual(refusedFields({ matchExpressions: {} }), ['s.matchExpressions']);
  assert.deepEqual(refusedFields({ matchExpressions: [null] }), ['s.matchExpressions[0]']);
});

test('prefixed keys and long names within the limits are fine', () => {
  assert.deepEqual(outcome(expression('app.kubernetes.io/part-of_X.1', 'DoesNotExist')), [true, true, true, true, true]);
});
