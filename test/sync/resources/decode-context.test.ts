import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EntityMatch, Rule } from '../../../src/model/rule.ts';
import { anyEntity } from '../../../src/model/rule.ts';
import { selectorOf } from '../../../src/model/selector/canonical.ts';
import type { Selector } from '../../../src/model/selector/ast.ts';
import { context } from './objects.ts';

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}/32`);
const portsTo = (count: number): { first: number; last: number }[] => Array.from({ length: count }, (_, i) => ({ first: 2 * i, last: 2 * i }));
const offered = (count: number): { name: string; protocol: number; port: number }[] => portsTo(count).map(({ first }) => ({ name: `p-${first}`, protocol: 6, port: first }));
const select = (count: number): Selector => selectorOf({ kind: 'in', label: 'app', values: texts(count) });
const ruleTo = (destination: Partial<EntityMatch>): Rule => ({ action: 'allow', source: anyEntity, destination: { ...anyEntity, ...destination }, index: 0 });

// Whoever may change one object of one namespace could fill the memory of each node with what it was before.
describe('of equal values', () => {
  for (const [what, make] of [
    ['texts', (shared, size) => shared.text('a'.repeat(size))],
    ['labels', (shared, size) => shared.list(texts(size))],
    ['ports on offer', (shared, size) => shared.ports(offered(size))],
    ['selections', (shared, size) => shared.selection(select(size))],
    ['rules with a selector', (shared, size) => shared.rule(ruleTo({ selector: select(size) }))],
    ['rules with networks', (shared, size) => shared.rule(ruleTo({ nets: texts(size) }))],
    ['rules without some networks', (shared, size) => shared.rule(ruleTo({ nets: ['10.0.0.0/8'], notNets: texts(size) }))],
    ['rules with ports', (shared, size) => shared.rule(ruleTo({ ports: portsTo(size) }))],
  ] as const satisfies readonly (readonly [string, (shared: ReturnType<typeof context>, size: number) => unknown])[]) {
    test(`small ${what} are shared, large ones are not: they would be kept after their object is gone`, () => {
      const shared = context();
      const same = (size: number): boolean => {
        const first = make(shared, size);
        const second = make(shared, size);
        assert.deepEqual(second, first);
        return Object.is(first, second);
      };
      assert.ok(same(3));
      // Texts have no identity that could be seen.
      if (what !== 'texts') assert.ok(!same(2000));
    });
  }
});
