// What the renderer can say, the kernel in memory takes and the simulation understands.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { loadKernel } from '../../src/simulate/kernel.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import { Node } from './node.ts';
import { shapes } from './shapes.ts';

for (const backend of ['nft', 'legacy'] as const) {
  for (const family of [4, 6] as const) {
    describe(`every shape of rule, IPv${family}, ${backend}`, () => {
      it('is taken, found again, and understood', async () => {
        const kernel = new FakeKernel({ backend });
        const node = await new Node(kernel, { logPrefix: '[%k] %p %t', logRateLimit: '10/minute' }, { ruleTools: [kernel.ruleTool(family)] }).start();
        await node.update(shapes(family));
        assert.deepEqual(node.messages('error'), []);
        assert.equal(node.health?.ready, true);
        const text = kernel.rulesText('filter', family);
        assert.match(text, /cali40svc:a dst,dst|cali60svc:a dst,dst/);
        for (const line of text.split('\n')) assert.ok(line.length < 10_000, line);
        const again = await new Node(kernel, { logPrefix: '[%k] %p %t', logRateLimit: '10/minute' }, { ruleTools: [kernel.ruleTool(family)] }).start();
        kernel.clearLog();
        await again.update(shapes(family));
        assert.equal(again.health?.ready, true);
        assert.deepEqual(kernel.writes, []);
        loadKernel({ [family === 4 ? 'ipv4' : 'ipv6']: text, sets: kernel.setsText() });
      });
    });
  }
}
