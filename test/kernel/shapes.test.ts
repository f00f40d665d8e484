// What the renderer can say, real kernels take, both backends and both families; and a restart finds it as it was written.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Driver } from '../../src/dataplane/driver.ts';
import type { RuleTool, SetTool } from '../../src/dataplane/kernel.ts';
import { defaultOptions } from '../../src/dataplane/options.ts';
import { openRules, openSets } from '../../src/dataplane/tools.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { ComponentHealth } from '../../src/lib/health.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { noMetrics } from '../../src/lib/metrics.ts';
import { loadKernel } from '../../src/simulate/kernel.ts';
import { shapes } from '../dataplane/shapes.ts';
import { eventually } from './harness/eventually.ts';
import { Namespace } from './harness/namespace.ts';

for (const backend of ['nft', 'legacy'] as const) {
  for (const family of [4, 6] as const) {
    describe(`every shape of rule, IPv${family}, ${backend}`, () => {
      let netns: Namespace;
      let rules: RuleTool;
      let sets: SetTool;
      const written: string[] = [];
      const problems: unknown[] = [];

      /** A driver that is started, told everything and stopped again. */
      async function run(): Promise<void> {
        let health: ComponentHealth | undefined;
        const driver = new Driver(
          {
            ruleTools: [{ ...rules, family, save: (table) => rules.save(table), close: () => rules.close(), restore: (text) => (written.push(text), rules.restore(text)) }],
            sets: { save: (name) => sets.save(name), headers: () => sets.headers(), close: () => sets.close(), run: (commands) => (written.push(...commands), sets.run(commands)) },
            clock: systemClock,
            logger: { ...silentLogger, error: (fields, message) => void problems.push({ message, ...fields }) },
            metrics: noMetrics,
            health: { report: (_, reported) => void (health = reported) },
          },
          { ...defaultOptions, logPrefix: '[%k] %p %t', logRateLimit: '10/minute' },
        );
        driver.start();
        driver.update(shapes(family));
        await eventually('everything is in the kernel, or refused', () => health?.ready === true || problems.length > 0);
        await driver.stop();
      }

      before(async () => {
        netns = await Namespace.create(`shapes-${backend}-${family}`);
        const options = { runner: netns.runner(), coprocess: true };
        rules = await openRules({ ...options, backend, family, lockFile: netns.lockFile });
        sets = await openSets(options);
      });
      after(async () => {
        await rules.close();
        await sets.close();
        await netns.remove();
      });

      test('is accepted', async () => {
        await run();
        assert.deepEqual(problems, []);
      });

      test('is found again as it was written', async () => {
        written.length = 0;
        problems.length = 0;
        await run();
        assert.deepEqual([problems, written], [[], []]);
      });

      test('is understood by the simulation', async () => {
        const text = await rules.save('filter');
        assert.match(text, /svc:a dst,dst/);
        loadKernel({ [family === 4 ? 'ipv4' : 'ipv6']: text, sets: await sets.save() });
      });
    });
  }
}
