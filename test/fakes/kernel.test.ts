// The fake kernel's own promises: what it refuses leaves nothing, what a test injects strikes once, and what was written is counted.
// That it answers as the real tools do is tested in test/kernel/fake-kernel.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OutcomeUnknown, ReadFailed, SetCommandsFailed, TransactionRefused } from '../../src/dataplane/errors.ts';
import { parseRules } from '../../src/simulate/parse-rules.ts';
import { parseSets } from '../../src/simulate/parse-sets.ts';
import { FakeKernel } from './kernel.ts';

const filter = (...lines: readonly string[]): string => ['*filter', ...lines, 'COMMIT', ''].join('\n');
const base = filter(':cali-a - [0:0]', '-A cali-a -p tcp -j DROP', '-A FORWARD -j cali-a');

describe('a refused transaction', () => {
  it('leaves nothing in force', async () => {
    const kernel = new FakeKernel();
    const tool = kernel.ruleTool(4);
    await tool.restore(base);
    const before = kernel.rulesText();
    await assert.rejects(tool.restore(filter(':cali-b - [0:0]', '-A cali-a -j ACCEPT', '-A cali-a -j nowhere')), TransactionRefused);
    assert.equal(kernel.rulesText(), before);
  });

  it('names its line with nft, and none with legacy', async () => {
    const lineOf = async (backend: 'nft' | 'legacy'): Promise<unknown> => {
      try {
        await new FakeKernel({ backend }).ruleTool(4).restore(filter(':x - [0:0]', '-A nope -j DROP'));
      } catch (error) {
        return error instanceof TransactionRefused ? error.line : error;
      }
      return 'accepted';
    };
    assert.equal(await lineOf('nft'), 3);
    assert.equal(await lineOf('legacy'), undefined);
  });

  for (const text of ['', '*filter\n', '*filter\n-A INPUT -j DROP\nCOMMIT', '-A INPUT -j DROP\nCOMMIT\n', '*nothing\nCOMMIT\n', `${filter()}${filter()}`, '*filter\nCOMMIT\nhello\n']) {
    it(`is one that is not complete: ${JSON.stringify(text)}`, async () => {
      await assert.rejects(new FakeKernel().ruleTool(4).restore(text), TransactionRefused);
    });
  }

  it('is one that smuggles a line in', async () => {
    await assert.rejects(new FakeKernel().ruleTool(4).restore(filter('-A INPUT -m comment --comment "a\u0001b" -j DROP')), TransactionRefused);
  });
});

describe('the texts of the fake kernel', () => {
  it('are read by simulate', async () => {
    const kernel = new FakeKernel();
    await kernel.setTool().run(['create cali40s hash:net family inet maxelem 10', 'add cali40s 10.0.0.0/8']);
    await kernel.ruleTool(4).restore(base);
    assert.equal(parseRules(await kernel.ruleTool(4).save('filter')).get('filter')?.chains.get('cali-a')?.rules.length, 1);
    assert.equal(parseSets(await kernel.setTool().save()).get('cali40s')?.entries, 1);
  });

  it('hold each family and each table apart', async () => {
    const kernel = new FakeKernel();
    await kernel.ruleTool(6).restore(base);
    await kernel.ruleTool(4).restore('*raw\n:cali-r - [0:0]\nCOMMIT\n');
    assert.equal(kernel.chain('cali-a'), undefined);
    assert.deepEqual(kernel.chain('cali-a', 'filter', 6), ['-p tcp -j DROP']);
    assert.deepEqual(kernel.chains('raw'), ['PREROUTING', 'OUTPUT', 'cali-r']);
  });

  it('are refused for a set that does not exist', async () => {
    await assert.rejects(new FakeKernel().setTool().save('nope'), ReadFailed);
  });
});

describe('sets', () => {
  it('cannot be destroyed while any rule refers to them', async () => {
    const kernel = new FakeKernel();
    const sets = kernel.setTool();
    await sets.run(['create s hash:net']);
    kernel.edit(filter('-A INPUT -m set --match-set s src -j DROP'));
    await assert.rejects(sets.run(['destroy s']), SetCommandsFailed);
    kernel.edit(filter('-F INPUT'));
    await sets.run(['destroy s']);
  });

  it('are all tried, and those that failed are named', async () => {
    const kernel = new FakeKernel();
    await assert.rejects(kernel.setTool().run(['create s hash:net', 'add s 10.0.0.1', 'add s 10.0.0.1', 'add s 10.0.0.2']), (error) => {
      assert.ok(error instanceof SetCommandsFailed);
      assert.deepEqual(error.failures.map(({ command }) => command), ['add s 10.0.0.1']);
      return true;
    });
    assert.deepEqual(await kernel.setTool().headers(), [{ name: 's', type: 'hash:net', family: 'inet', maxElements: 65_536, entries: 2 }]);
  });
});

describe('a fault', () => {
  it('that dies before the commit leaves the kernel as it was', async () => {
    const kernel = new FakeKernel();
    kernel.failNext({ on: 'restore', how: 'die-before-commit' });
    await assert.rejects(kernel.ruleTool(4).restore(base), OutcomeUnknown);
    assert.equal(kernel.chain('cali-a'), undefined);
  });

  it('that dies after the commit has changed it', async () => {
    const kernel = new FakeKernel();
    kernel.failNext({ on: 'restore', how: 'die-after-commit' });
    await assert.rejects(kernel.ruleTool(4).restore(base), OutcomeUnknown);
    assert.deepEqual(kernel.chain('cali-a'), ['-p tcp -j DROP']);
  });

  it('strikes only what it matches, as often as it is told', async () => {
    const kernel = new FakeKernel();
    const tool = kernel.ruleTool(4);
    kernel.failNext({ on: 'restore', how: 'refuse', matching: /cali-b/, times: 2, line: 7 });
    await tool.restore(base);
    for (let i = 0; i < 2; i += 1) {
      await assert.rejects(tool.restore(filter(':cali-b - [0:0]')), (error) => error instanceof TransactionRefused && error.line === 7);
    }
    await tool.restore(filter(':cali-b - [0:0]'));
  });

  it('can end a list of set commands in the middle', async () => {
    const kernel = new FakeKernel();
    kernel.failNext({ on: 'run', how: 'die', after: 2 });
    await assert.rejects(kernel.setTool().run(['create s hash:net', 'add s 10.0.0.1', 'add s 10.0.0.2']), OutcomeUnknown);
    assert.match(kernel.setsText(), /add s 10\.0\.0\.1\n$/);
  });

  it('can refuse set commands', async () => {
    const kernel = new FakeKernel();
    kernel.failNext({ on: 'run', how: 'refuse', matching: /^destroy/ });
    await assert.rejects(kernel.setTool().run(['create s hash:net', 'destroy s']), SetCommandsFailed);
    await kernel.setTool().run(['destroy s']);
  });

  it('can make reading fail', async () => {
    const kernel = new FakeKernel();
    kernel.failNext({ on: 'save', how: 'fail' });
    kernel.failNext({ on: 'save-sets', how: 'fail' });
    kernel.failNext({ on: 'headers', how: 'fail' });
    await assert.rejects(kernel.ruleTool(4).save('filter'), ReadFailed);
    await assert.rejects(kernel.setTool().save(), ReadFailed);
    await assert.rejects(kernel.setTool().headers(), ReadFailed);
    await kernel.ruleTool(4).save('filter');
  });
});

describe('the log', () => {
  it('counts the lines that the tools wrote, not those of others', async () => {
    const kernel = new FakeKernel();
    await kernel.ruleTool(4).restore(base);
    await kernel.setTool().run(['create s hash:net', 'add s 10.0.0.1']);
    kernel.edit(filter('-F cali-a'));
    kernel.editSets('flush s');
    assert.equal(kernel.linesWritten, 5);
    kernel.clearLog();
    await kernel.ruleTool(4).save('filter');
    assert.equal(kernel.linesWritten, 0);
    assert.deepEqual(kernel.reads, [{ kind: 'save', name: 'filter' }]);
  });

  it('calls back after every write that changed something, one set command at a time', async () => {
    const kernel = new FakeKernel();
    const seen: string[] = [];
    const stop = kernel.onWrite((write) => seen.push(`${write.kind} ${kernel.setsText().split('\n').length - 1}`));
    await kernel.setTool().run(['create s hash:net', 'add s 10.0.0.1']);
    await kernel.ruleTool(4).restore(base);
    stop();
    kernel.editSets('flush s');
    assert.deepEqual(seen, ['command 1', 'command 2', 'transaction 2']);
  });
});

describe('held writes', () => {
  it('happen in order when they are released', async () => {
    const kernel = new FakeKernel();
    const release = kernel.holdWrites();
    const first = kernel.ruleTool(4).restore(base);
    const second = kernel.ruleTool(4).restore(filter('-A cali-a -j ACCEPT'));
    await new Promise(setImmediate);
    assert.equal(kernel.chain('cali-a'), undefined);
    release();
    await Promise.all([first, second]);
    assert.deepEqual(kernel.chain('cali-a'), ['-p tcp -j DROP', '-j ACCEPT']);
  });
});
