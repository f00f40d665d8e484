import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Table } from '../../../src/dataplane/iptables/table.ts';
import { jump, rule } from '../../../src/dataplane/render/rule.ts';
import type { Chain, Rule } from '../../../src/dataplane/render/rule.ts';
import type { Transaction } from '../../../src/dataplane/iptables/transaction.ts';
import { FakeKernel } from '../../fakes/kernel.ts';

const drop: Rule = { text: '-j DROP', sets: [] };
const hooks = [{ chain: 'FORWARD', inserted: [rule([], jump('cali-FORWARD'))], appended: [] }];

function ordered(name: string, ...rules: readonly Rule[]): Chain {
  return { kind: 'ordered', name, rules };
}

/** A table and a kernel, the kernel read. */
function start(kernelText?: string): { table: Table; kernel: FakeKernel; write: () => number } {
  const kernel = new FakeKernel();
  if (kernelText !== undefined) kernel.edit(kernelText);
  const table = new Table('filter', hooks);
  table.adopt(kernel.rulesText());
  return { table, kernel, write: () => commit(kernel, table.plan()) };
}

function commit(kernel: FakeKernel, transaction: Transaction | undefined): number {
  if (transaction === undefined) return 0;
  kernel.edit(transaction.text);
  transaction.commit();
  return transaction.lines;
}

function withoutHashes(lines: readonly string[] | undefined): string[] | undefined {
  return lines?.map((line) => line.replace(/-m comment --comment "?cali:[^ ]* /, ''));
}

describe('a table', () => {
  it('writes only chains that something leads to', () => {
    const { table, kernel, write } = start();
    table.setChain(ordered('cali-FORWARD', rule([], jump('cali-a'))));
    table.setChain(ordered('cali-a', drop));
    table.setChain(ordered('cali-b', drop));
    write();
    assert.deepEqual(kernel.chains().filter((name) => name.startsWith('cali-')), ['cali-FORWARD', 'cali-a']);
    table.setChain(ordered('cali-FORWARD', rule([], jump('cali-b'))));
    write();
    assert.deepEqual(withoutHashes(kernel.chain('cali-b')), ['-j DROP']);
  });

  it('writes nothing when nothing changed', () => {
    const { table, write } = start();
    table.setChain(ordered('cali-FORWARD', drop));
    assert.ok(write() > 0);
    table.setChain(ordered('cali-FORWARD', drop));
    assert.equal(write(), 0);
  });

  it('writes nothing after a restart that finds everything as it should be', () => {
    const { table, kernel, write } = start();
    table.setChain(ordered('cali-FORWARD', rule([], jump('cali-a'))));
    table.setChain(ordered('cali-a', drop, drop));
    write();
    const restarted = new Table('filter', hooks);
    restarted.adopt(kernel.rulesText());
    restarted.setChain(ordered('cali-FORWARD', rule([], jump('cali-a'))));
    restarted.setChain(ordered('cali-a', drop, drop));
    assert.equal(restarted.plan(), undefined);
    assert.equal(restarted.hasGarbage, false);
  });

  it('replaces what Felix wrote in one transaction, and removes the rest of it later', () => {
    const { table, kernel, write } = start(
      '*filter\n:cali-FORWARD - [0:0]\n:cali-fw-calix - [0:0]\n' +
        '-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD\n' +
        '-A cali-FORWARD -m comment --comment "cali:AAAAAAAAAAAAAAAA" -j cali-fw-calix\n' +
        '-A cali-fw-calix -m comment --comment "cali:BBBBBBBBBBBBBBBB" -j ACCEPT\nCOMMIT\n',
    );
    table.setChain(ordered('cali-FORWARD', drop));
    kernel.clearLog();
    write();
    assert.equal(kernel.writes.length, 1);
    assert.deepEqual(withoutHashes(kernel.chain('FORWARD')), ['-j cali-FORWARD']);
    assert.deepEqual(withoutHashes(kernel.chain('cali-FORWARD')), ['-j DROP']);
    assert.ok(kernel.chains().includes('cali-fw-calix'));
    commit(kernel, table.planCleanup());
    assert.ok(!kernel.chains().includes('cali-fw-calix'));
  });

  it('removes chains that lead to each other in one go', () => {
    const { table, kernel, write } = start();
    table.setChain(ordered('cali-FORWARD', rule([], jump('cali-a'))));
    table.setChain(ordered('cali-a', rule([], jump('cali-b'))));
    table.setChain(ordered('cali-b', drop));
    write();
    table.setChain(ordered('cali-FORWARD', drop));
    write();
    assert.ok(table.hasGarbage);
    commit(kernel, table.planCleanup());
    assert.deepEqual(kernel.chains().filter((name) => name.startsWith('cali-')), ['cali-FORWARD']);
    assert.equal(table.hasGarbage, false);
  });

  it('does not remove anything while something is pending: it may still be in use', () => {
    const { table, write } = start();
    table.setChain(ordered('cali-FORWARD', rule([], jump('cali-a'))));
    table.setChain(ordered('cali-a', drop));
    write();
    table.setChain(ordered('cali-FORWARD', drop));
    table.plan();
    assert.equal(table.planCleanup(), undefined);
  });

  it('empties, but does not delete, a chain that a foreign rule leads to', () => {
    const { table, kernel, write } = start('*filter\n:DOCKER-USER - [0:0]\n:cali-old - [0:0]\n-A DOCKER-USER -j cali-old\n-A cali-old -j DROP\nCOMMIT\n');
    table.setChain(ordered('cali-FORWARD', drop));
    write();
    commit(kernel, table.planCleanup());
    assert.deepEqual(kernel.chain('cali-old'), []);
    assert.equal(table.planCleanup(), undefined);
  });

  it('has nothing to remove where an empty chain is found that a foreign rule leads to', () => {
    const { table, write } = start('*filter\n:DOCKER-USER - [0:0]\n:cali-old - [0:0]\n-A DOCKER-USER -j cali-old\nCOMMIT\n');
    table.setChain(ordered('cali-FORWARD', drop));
    write();
    assert.equal(table.hasGarbage, false);
    assert.equal(table.planCleanup(), undefined);
  });

  it('leaves chains alone whose names neither agent would write, and our rules in such chains', () => {
    for (const name of ['cali-\u00e9', 'cali-a"b', 'cali-#a', 'cali-\u0001', 'MY"CHAIN']) {
      const table = new Table('filter', hooks);
      table.adopt(`*filter\n:FORWARD ACCEPT [0:0]\n:${name} - [0:0]\n-A ${name} -m comment --comment "cali:AAAAAAAAAAAAAAAA" -j DROP\nCOMMIT\n`);
      table.setChain(ordered('cali-FORWARD', drop));
      table.plan()?.commit();
      assert.equal(table.planCleanup(), undefined, name);
    }
  });

  it('removes our rules from chains of others', () => {
    const { table, kernel, write } = start('*filter\n:DOCKER-USER - [0:0]\n-A DOCKER-USER -m comment --comment "cali:AAAAAAAAAAAAAAAA" -j DROP\n-A DOCKER-USER -j RETURN\nCOMMIT\n');
    table.setChain(ordered('cali-FORWARD', drop));
    write();
    commit(kernel, table.planCleanup());
    assert.deepEqual(kernel.chain('DOCKER-USER'), ['-j RETURN']);
  });

  it('makes a chain that is wanted again right, without having deleted it', () => {
    const { table, kernel, write } = start();
    const leading = ordered('cali-FORWARD', rule([], jump('cali-a')));
    table.setChain(leading);
    table.setChain(ordered('cali-a', drop));
    write();
    table.setChain(ordered('cali-FORWARD', drop));
    write();
    table.setChain(leading);
    table.setChain(ordered('cali-a', drop, drop));
    write();
    assert.equal(table.hasGarbage, false);
    assert.deepEqual(withoutHashes(kernel.chain('cali-a')), ['-j DROP', '-j DROP']);
  });

  it('writes one line for each chain that a new dispatch entry touches', () => {
    const { table, write } = start();
    table.setChain({ kind: 'keyed', name: 'cali-FORWARD', rules: [], tail: [drop] });
    write();
    table.setChain(ordered('cali-fw-calia', drop));
    table.addRule('cali-FORWARD', { text: '-i calia -g cali-fw-calia', chain: 'cali-fw-calia', sets: [] });
    const transaction = table.plan();
    assert.deepEqual(transaction?.text.split('\n').map((line) => line.replace(/-m comment --comment "cali:[^"]*" /, '')), [
      '*filter',
      ':cali-fw-calia - [0:0]',
      '-A cali-fw-calia -j DROP',
      '-I cali-FORWARD -i calia -g cali-fw-calia',
      'COMMIT',
      '',
    ]);
  });

  it('says to which chain a line belongs', () => {
    const { table } = start();
    table.setChain(ordered('cali-FORWARD', drop));
    const transaction = table.plan();
    assert.deepEqual([1, 2, 3, 4, 5].map((line) => transaction?.chainOfLine(line)), [undefined, 'cali-FORWARD', 'cali-FORWARD', 'FORWARD', undefined]);
  });

  it('plans the same again when a transaction was not committed', () => {
    const { table } = start();
    table.setChain(ordered('cali-FORWARD', drop));
    assert.equal(table.plan()?.text, table.plan()?.text);
  });

  it('counts the rules in the kernel that name a set, until they are gone', () => {
    const { table, kernel, write } = start();
    kernel.editSets('create cali40s:a hash:net family inet');
    table.setChain(ordered('cali-FORWARD', { text: '-m set --match-set cali40s:a src -j DROP', sets: ['cali40s:a'] }));
    write();
    assert.equal(table.kernel.usesOf('cali40s:a'), 1);
    table.adopt(kernel.rulesText());
    assert.equal(table.kernel.usesOf('cali40s:a'), 1);
    table.setChain(ordered('cali-FORWARD', drop));
    write();
    assert.equal(table.kernel.usesOf('cali40s:a'), 0);
  });
});

describe('drift', () => {
  function enforced(): ReturnType<typeof start> {
    const started = start('*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n');
    started.table.setChain(ordered('cali-FORWARD', drop, rule([], jump('cali-a'))));
    started.table.setChain(ordered('cali-a', drop));
    started.write();
    return started;
  }

  it('is nothing when nobody did anything', () => {
    const { table, kernel } = enforced();
    assert.deepEqual(table.adopt(kernel.rulesText()), []);
  });

  const cases: readonly [string, string, readonly string[]][] = [
    ['a flushed chain', '-F cali-a', ['cali-a: 1 of 1 rules gone']],
    ['a rule inserted into a chain of ours', '-I cali-a -j ACCEPT', ['cali-a: 1 unknown rules']],
    ['rules in another order', '-D cali-FORWARD 1\n-A cali-FORWARD SECOND', ['cali-FORWARD: rules out of order or repeated']],
    ['a deleted jump', '-D FORWARD 1', ['top of FORWARD: our jump is gone']],
    ['a rule above our jump', '-I FORWARD -j ACCEPT', ['top of FORWARD: our jump is not first any more']],
    ['a new chain under our names', ':cali-new - [0:0]', ['cali-new: chain appeared']],
  ];
  for (const [name, edit, expected] of cases) {
    it(`${name} is named, and repaired`, () => {
      const { table, kernel, write } = enforced();
      const before = kernel.rulesText();
      kernel.edit(`*filter\n${edit.replace('SECOND', kernel.chain('cali-FORWARD')?.[0] ?? '')}\nCOMMIT\n`);
      assert.deepEqual(table.adopt(kernel.rulesText()).map(({ object, what }) => `${object}: ${what}`), expected);
      write();
      commit(kernel, table.planCleanup());
      assert.deepEqual(kernel.chain('cali-FORWARD'), ruleTexts(before, 'cali-FORWARD'));
      assert.deepEqual(kernel.chain('cali-a'), ruleTexts(before, 'cali-a'));
      assert.match(kernel.chain('FORWARD')?.[0] ?? '', /-j cali-FORWARD$/);
      assert.ok(!kernel.chains().includes('cali-new'));
    });
  }
});

function ruleTexts(text: string, chain: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`-A ${chain} `))
    .map((line) => line.slice(`-A ${chain} `.length));
}

describe('a table of which some chains are read', () => {
  function program(): ReturnType<typeof start> {
    const started = start('*filter\n:KUBE-X - [0:0]\n-A FORWARD -j KUBE-X\n-A INPUT -j KUBE-X\nCOMMIT\n');
    started.table.setChain(ordered('cali-FORWARD', rule([], jump('cali-a')), drop));
    started.table.setChain(ordered('cali-a', drop));
    started.write();
    return started;
  }
  const listed = (kernel: FakeKernel, ...chains: readonly string[]): Promise<string> => kernel.ruleTool(4).saveChains?.('filter', chains) ?? assert.fail();

  it('repairs what those show, exactly as after reading all of it', async () => {
    const foreign = '*filter\n-I FORWARD -p udp -j ACCEPT\n-I FORWARD -p tcp -j ACCEPT\n-A FORWARD -p 47 -j DROP\n-F cali-a\n-A cali-a -j ACCEPT\nCOMMIT\n';
    const some = program();
    some.kernel.edit(foreign);
    const drift = some.table.adoptListed(await listed(some.kernel, 'FORWARD', 'cali-a'));
    const all = program();
    all.kernel.edit(foreign);
    assert.deepEqual(drift, all.table.adopt(all.kernel.rulesText()));
    assert.deepEqual(some.table.kernel.hookChain('FORWARD'), all.table.kernel.hookChain('FORWARD'));
    assert.equal(some.table.kernel.ruleCount, all.table.kernel.ruleCount);
    some.write();
    all.write();
    assert.equal(some.kernel.rulesText(), all.kernel.rulesText());
    assert.deepEqual(drift.map(({ object }) => object), ['cali-a', 'top of FORWARD']);
  });

  it('knows nothing new of the others', async () => {
    const { table, kernel, write } = program();
    kernel.edit('*filter\n-F cali-FORWARD\nCOMMIT\n');
    assert.deepEqual(table.adoptListed(await listed(kernel, 'cali-a', 'INPUT')), []);
    assert.equal(write(), 0);
    assert.equal(table.kernel.chain('cali-FORWARD')?.length, 2);
  });
});
