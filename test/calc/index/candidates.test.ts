// The two directions of the label index. Whatever it leaves out cannot match; what it leaves out is most of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { LabelledItems } from '../../../src/calc/index/labelled-items.ts';
import { Profiles } from '../../../src/calc/index/profiles.ts';
import type { Filed } from '../../../src/calc/index/selector-index.ts';
import { SelectorIndex } from '../../../src/calc/index/selector-index.ts';
import { requiredTerms } from '../../../src/calc/index/term.ts';
import type { WorkloadEndpoint } from '../../../src/model/endpoint.ts';
import type { Selector } from '../../../src/model/selector/ast.ts';
import { parseSelector } from '../../../src/model/selector/parse.ts';
import { holds } from '../naive-state.ts';
import { selectorNode, update, worldAfter } from '../worlds.ts';
import { selectorOf } from '../../../src/model/selector/canonical.ts';

function terms(selector: string): unknown {
  return requiredTerms(parseSelector(selector).root);
}

test('a conjunction demands what each of its parts demands', () => {
  assert.deepEqual(terms("a == 'x' && b in {'y', 'z'} && has(c) && d != 'x' && e contains 'x'"), [
    { label: 'a', values: ['x'] },
    { label: 'b', values: ['y', 'z'] },
    { label: 'c' },
    { label: 'e' },
  ]);
});

test('alternatives demand only labels that all of them demand, with any of their values', () => {
  assert.deepEqual(terms("a == 'x' || a in {'y'} && b == 'z'"), [{ label: 'a', values: ['x', 'y'] }]);
  assert.deepEqual(terms("a == 'x' || has(a)"), [{ label: 'a' }]);
  assert.deepEqual(terms("a == 'x' || b == 'x'"), []);
});

test('very many alternatives demand a label with all their values', () => {
  const values = Array.from({ length: 20_000 }, (_, i) => `v${i}`);
  assert.deepEqual(terms(values.map((value) => `a == '${value}'`).join(' || ')), [{ label: 'a', values }]);
});

test('very many demands beside very many alternatives are gone through once', () => {
  const values = Array.from({ length: 20_000 }, (_, i) => `v${i}`);
  const demands = values.map(() => "a == 'v0'").join(' && ');
  assert.deepEqual(terms(`${demands} || ${values.map((value) => `a == '${value}'`).join(' || ')}`), [{ label: 'a', values }]);
});

test('negation is carried inwards', () => {
  assert.deepEqual(terms("!(a != 'x' || b not in {'y'})"), [{ label: 'a', values: ['x'] }, { label: 'b', values: ['y'] }]);
  assert.deepEqual(terms("!(a != 'x' && a != 'y')"), [{ label: 'a', values: ['x', 'y'] }]);
  assert.deepEqual(terms("!(a == 'x')"), []);
  assert.deepEqual(terms('!has(a)'), []);
});

test('every item that a selector matches is among its candidates, each once', () => {
  const history = fc.array(update.filter(({ kind }) => kind === 'endpoint' || kind === 'profile'), { maxLength: 40, size: 'max' });
  fc.assert(
    fc.property(history, fc.array(selectorNode, { minLength: 5, maxLength: 5 }), (updates, nodes) => {
      const profiles = new Profiles();
      const items = new LabelledItems<WorkloadEndpoint>(profiles);
      for (const made of updates) {
        if (made.kind === 'endpoint') items.set(made.key, made.op === 'upsert' ? made.value : undefined);
        if (made.kind === 'profile') profiles.set(made.key, made.op === 'upsert' ? made.value : undefined);
      }
      const world = worldAfter(updates);
      assert.equal(items.size, world.endpoint.size);
      for (const node of nodes) {
        const keys = items.candidates(requiredTerms(node)).map((id) => items.key(id));
        assert.equal(new Set(keys).size, keys.length);
        for (const [key, endpoint] of world.endpoint) if (holds(world, endpoint, node)) assert.ok(keys.includes(key), `${key} for ${selectorOf(node).text}`);
        for (const key of keys) assert.ok(world.endpoint.has(key));
      }
      for (const name of ['kns.n1', 'ksa.shared']) {
        const naming = [...world.endpoint].filter(([, { profiles: names }]) => names.includes(name)).map(([key]) => key);
        assert.deepEqual(items.children(name).map((id) => items.key(id)).sort(), naming.sort());
      }
    }),
    { numRuns: 500 },
  );
});

test('every selector that an item matches is among its candidates, each once', () => {
  const step = fc.record({ name: fc.nat(9), selector: fc.option(selectorNode.map(selectorOf), { nil: undefined }) });
  const history = fc.array(update.filter(({ kind }) => kind === 'endpoint' || kind === 'profile'), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), history, (steps, updates) => {
      const index = new SelectorIndex<number>();
      const filed = new Map<number, Filed<number>>();
      for (const { name, selector } of steps) {
        const before = filed.get(name);
        if (before !== undefined) index.remove(before);
        filed.delete(name);
        if (selector !== undefined) filed.set(name, index.add(name, selector));
      }
      const world = worldAfter(updates);
      for (const endpoint of world.endpoint.values()) {
        const inherited = endpoint.profiles.map((name) => world.profile.get(name)?.labels ?? []);
        const found = index.candidates(endpoint.labels, inherited);
        assert.equal(new Set(found).size, found.length);
        for (const one of filed.values()) {
          if (holds(world, endpoint, one.selector.root)) assert.ok(found.includes(one), one.selector.text);
        }
        for (const one of found) assert.equal(filed.get(one.owner), one);
      }
    }),
    { numRuns: 500 },
  );
});

function drawn(index: SelectorIndex<number>, labels: Readonly<Record<string, string>>): number {
  return index.candidates(Object.entries(labels).flat(), []).length;
}

function filedAll(count: number, selector: (i: number) => Selector): SelectorIndex<number> {
  const index = new SelectorIndex<number>();
  for (let i = 0; i < count; i += 1) index.add(i, selector(i));
  return index;
}

test('of 10,000 selectors that share a common term, an item is held against a handful', () => {
  const byNamespace = filedAll(10_000, (i) => parseSelector(`app == 'web' && namespace == 'ns-${i}'`));
  assert.ok(drawn(byNamespace, { app: 'web', namespace: 'ns-77' }) < 10);
  const byApp = filedAll(10_000, (i) => parseSelector(`namespace == 'default' && app == 'app-${i}'`));
  assert.ok(drawn(byApp, { app: 'app-5000', namespace: 'default' }) < 10);
  const byPresence = filedAll(10_000, (i) => parseSelector(`alpha == 'beta' && has(set-${i})`));
  assert.ok(drawn(byPresence, { alpha: 'beta', 'set-77': '' }) < 10);
});

test('of 10,000 items in 100 namespaces, a selector of one namespace is held against that one', () => {
  const profiles = new Profiles();
  const items = new LabelledItems(profiles);
  for (let i = 0; i < 10_000; i += 1) items.set(`pod-${i}`, { labels: ['app', 'web', 'namespace', `ns-${i % 100}`], profiles: [] });
  const { root } = parseSelector("app == 'web' && namespace == 'ns-7'");
  assert.equal(items.candidates(requiredTerms(root)).length, 100);
});
