import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ring } from '../../src/dataplane/doorbell.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import { Node } from './node.ts';
import { desired, endpoint, entity, policy, profile, rule, set, tier } from './objects.ts';

async function synced(options: ConstructorParameters<typeof Node>[1] = {}, kernel?: FakeKernel, parts: ConstructorParameters<typeof Node>[2] = {}): Promise<Node> {
  const node = await new Node(kernel, options, parts).start();
  await node.update(
    desired({
      addedSets: [set('s:a', ['10.0.0.8', '10.0.0.9'])],
      policies: [policy('web', { ingress: [rule({ source: entity({ sets: ['s:a'] }) })] })],
      profiles: [profile('kns.default')],
      endpoints: [endpoint('web', 'a1', { tiers: [tier({ ingress: ['knp/default/web'] })] })],
    }),
  );
  await node.pass(200);
  node.kernel.clearLog();
  node.log.length = 0;
  return node;
}

function rungBy(...chains: readonly string[]): Ring {
  return { touched: chains.map((chain) => ({ family: 4, table: 'filter', chain })), reason: 'changed' };
}

const flush = '*filter\n-F cali-FORWARD\nCOMMIT\n';

describe('a doorbell', () => {
  it('that rings for nothing costs a read and no write', async () => {
    const node = await synced();
    await node.ring();
    assert.deepEqual(node.kernel.reads.map(({ kind }) => kind), ['save']);
    assert.equal(node.kernel.writes.length, 0);
    assert.deepEqual(node.log, []);
  });

  it('that rings for a foreign chain or another table costs nothing', async () => {
    const node = await synced();
    await node.ring({ touched: [{ family: 4, table: 'filter', chain: 'KUBE-SERVICES' }, { family: 4, table: 'nat', chain: 'cali-PREROUTING' }], reason: 'kube-proxy' });
    assert.deepEqual(node.kernel.reads, []);
  });

  it('that rings for a flushed chain has it repaired at once, with one line that says what and who', async () => {
    const node = await synced();
    node.kernel.edit(flush);
    await node.ring({ touched: [{ family: 4, table: 'filter', chain: 'cali-FORWARD' }], culprit: { pid: 4711, name: 'iptables' }, reason: 'changed' });
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
    assert.deepEqual(node.log.map(({ level, fields }) => [level, fields]), [
      ['warn', { undone: ['cali-FORWARD: 3 of 3 rules gone'], objects: 1, by: ['iptables[4711]'] }],
    ]);
  });

  it('that names chains has only those read', async () => {
    const node = await synced();
    node.kernel.edit('*filter\n-F cali-FORWARD\n-F FORWARD\nCOMMIT\n');
    await node.ring(rungBy('cali-FORWARD', 'KUBE-FORWARD', 'FORWARD'));
    assert.deepEqual(node.kernel.reads, [{ kind: 'save-chains', name: 'cali-FORWARD FORWARD' }]);
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
    assert.equal(node.chain('FORWARD')?.length, 2);
    assert.deepEqual(node.log.map(({ fields }) => fields['undone']), [['cali-FORWARD: 3 of 3 rules gone', 'top of FORWARD: our jump is gone', 'end of FORWARD: our rule is gone']]);
  });

  it('that names chains of ours that were deleted has the table read', async () => {
    const node = await synced();
    node.kernel.edit('*filter\n-F FORWARD\n-F cali-FORWARD\n-X cali-FORWARD\nCOMMIT\n');
    await node.ring(rungBy('FORWARD', 'cali-FORWARD'));
    assert.deepEqual(node.kernel.reads.map(({ kind }) => kind), ['save-chains', 'save']);
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
    assert.equal(node.chain('FORWARD')?.length, 2);
  });

  it('that names a new chain under our names has the table read, and the chain removed', async () => {
    const node = await synced();
    node.kernel.edit('*filter\n:cali-foreign - [0:0]\nCOMMIT\n');
    await node.ring(rungBy('cali-foreign'));
    assert.deepEqual(node.kernel.reads.map(({ kind }) => kind), ['save']);
    assert.deepEqual(node.log.map(({ fields }) => fields['undone']), [['cali-foreign: chain appeared']]);
    await node.pass(10_000);
    assert.equal(node.chain('cali-foreign'), undefined);
  });

  it('that names too many chains has the table read', async () => {
    const node = await synced();
    for (let i = 0; i < 65; i += 1) node.driver.ring(rungBy(`cali-${i}`));
    await node.settle();
    assert.deepEqual(node.kernel.reads.map(({ kind }) => kind), ['save']);
  });

  it('that rings for everything between rings that name chains has the table read once', async () => {
    const node = await synced();
    node.driver.ring(rungBy('FORWARD'));
    node.driver.ring({ touched: 'everything', reason: 'a test' });
    node.driver.ring(rungBy('cali-FORWARD'));
    await node.settle();
    assert.deepEqual(node.kernel.reads.map(({ kind }) => kind), ['save']);
  });

  it('has the table read where single chains cannot be, or cannot be now', async () => {
    const kernel = new FakeKernel();
    const { saveChains: _, ...tool } = kernel.ruleTool(4);
    for (const node of [await synced(), await synced({}, kernel, { ruleTools: [tool] })]) {
      node.kernel.failNext({ on: 'save-chains', how: 'fail' });
      node.kernel.edit(flush);
      await node.ring(rungBy('cali-FORWARD'));
      assert.equal(node.kernel.reads.at(-1)?.kind, 'save');
      assert.equal(node.chain('cali-FORWARD')?.length, 3);
    }
  });

  it('is answered later when nothing can be read, and then by the table', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'save-chains', how: 'fail' });
    node.kernel.failNext({ on: 'save', how: 'fail' });
    node.kernel.edit(flush);
    await node.ring(rungBy('cali-FORWARD'));
    assert.equal(node.chain('cali-FORWARD')?.length, 0);
    await node.pass(5_000);
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
    assert.deepEqual(node.kernel.reads.filter(({ kind }) => kind !== 'headers').map(({ kind }) => kind), ['save-chains', 'save', 'save']);
  });

  it('that rings for hundreds of processes names a few of them', async () => {
    const node = await synced();
    node.kernel.edit(flush);
    for (let pid = 1; pid <= 300; pid += 1) node.driver.ring({ touched: 'everything', culprit: { pid, name: 'iptables' }, reason: 'changed' });
    await node.settle();
    assert.deepEqual(node.log[0]?.fields['by'], Array.from({ length: 10 }, (_, i) => `iptables[${i + 1}]`));
  });

  it('after everything was flushed and deleted brings all of it back', async () => {
    const node = await synced();
    const before = node.kernel.rulesText().replace(/\[\d+:\d+\]/g, '');
    const chains = node.kernel.chains();
    const own = chains.filter((name) => name.startsWith('cali-'));
    node.kernel.edit(`*filter\n${[...chains.map((name) => `-F ${name}`), ...own.map((name) => `-X ${name}`)].join('\n')}\nCOMMIT\n`);
    await node.ring();
    const order = (text: string): string[] => text.split('\n').sort();
    assert.deepEqual(order(node.kernel.rulesText().replace(/\[\d+:\d+\]/g, '')), order(before));
  });

  it('is answered at most once in its interval', async () => {
    const node = await synced({ doorbellInterval: 1_000 });
    await node.ring();
    await node.ring();
    await node.ring();
    assert.equal(node.kernel.reads.length, 1);
    await node.pass(1_000);
    assert.equal(node.kernel.reads.length, 2);
  });

  it('does not make two programs fight: repairs of the same thing wait longer and longer, with one warning', async () => {
    const node = await synced();
    for (let i = 0; i < 3; i += 1) {
      node.kernel.edit(flush);
      await node.ring();
      assert.equal(node.chain('cali-FORWARD')?.length, 3, `repair ${i}`);
    }
    node.kernel.edit(flush);
    await node.ring();
    assert.equal(node.chain('cali-FORWARD')?.length, 0);
    await node.pass(1_000);
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
    node.kernel.edit(flush);
    await node.ring();
    await node.pass(1_500);
    assert.equal(node.chain('cali-FORWARD')?.length, 0);
    await node.pass(1_000);
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
    assert.equal(node.messages('warn').filter((message) => message.includes('again and again')).length, 1);
  });

  it('does not delay a change while repairs wait', async () => {
    const node = await synced();
    for (let i = 0; i < 5; i += 1) {
      node.kernel.edit(flush);
      await node.ring();
    }
    await node.update(desired({ endpoints: [endpoint('b', 'b1')] }));
    assert.ok(node.kernel.chains().includes('cali-fw-calib1'));
  });
});

describe('without a doorbell', () => {
  it('the rules are read at the refresh interval', async () => {
    const node = await synced({ ruleRefreshInterval: 60_000, setCheckInterval: 0, setRefreshInterval: 0 });
    node.kernel.edit(flush);
    await node.pass(58_000);
    assert.equal(node.chain('cali-FORWARD')?.length, 0);
    await node.pass(3_000);
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
  });

  it('a member that is gone, and one that was added, are found by the count within seconds', async () => {
    const node = await synced();
    node.kernel.editSets('del cali40s:a 10.0.0.9');
    await node.pass(4_100);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8', '10.0.0.9']);
    node.kernel.editSets('add cali40s:a 10.9.9.9');
    await node.pass(4_100);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8', '10.0.0.9']);
    assert.deepEqual(node.log.map(({ fields }) => fields['undone']), [['cali40s:a: 1 members gone'], ['cali40s:a: 1 unknown members']]);
  });

  it('a flushed set is filled again, closing nothing else', async () => {
    const node = await synced();
    node.kernel.editSets('flush cali40s:a');
    await node.pass(4_100);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8', '10.0.0.9']);
  });

  it('a member exchanged for another is found by the periodic comparison', async () => {
    const node = await synced({ setRefreshInterval: 30_000 });
    node.kernel.editSets('del cali40s:a 10.0.0.9', 'add cali40s:a 10.9.9.9');
    await node.pass(31_000);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8', '10.0.0.9']);
  });

  it('nothing at all is read when the intervals are 0', async () => {
    const node = await synced({ ruleRefreshInterval: 0, setCheckInterval: 0, setRefreshInterval: 0 });
    await node.pass(600_000);
    assert.deepEqual(node.kernel.reads, []);
  });

  it('idle, only headers are read', async () => {
    const node = await synced();
    await node.pass(20_000);
    assert.deepEqual([...new Set(node.kernel.reads.map(({ kind }) => kind))], ['headers']);
    assert.equal(node.kernel.writes.length, 0);
  });
});
