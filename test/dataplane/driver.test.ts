import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Desired } from '../../src/model/desired.ts';
import type { FakeKernel } from '../fakes/kernel.ts';
import { Node } from './node.ts';
import { desired, endpoint, entity, policy, profile, rule, set, tier } from './objects.ts';

/** Pod web may be reached by members of s:a. */
const first: Desired = desired({
  addedSets: [set('s:a', ['10.0.0.9'])],
  policies: [policy('web', { ingress: [rule({ source: entity({ sets: ['s:a'] }) })] })],
  profiles: [profile('kns.default')],
  endpoints: [endpoint('web', 'a1', { tiers: [tier({ ingress: ['knp/default/web'] })] })],
});

async function synced(kernel?: FakeKernel): Promise<Node> {
  const node = await new Node(kernel).start();
  await node.update(first);
  node.kernel.clearLog();
  return node;
}

function texts(node: Node): string[] {
  return node.kernel.writes.map((write) => (write.kind === 'command' ? write.text : 'transaction'));
}

describe('the first change set', () => {
  it('is waited for: until then the kernel is only read', async () => {
    const node = await new Node().start();
    await node.pass(10_000);
    assert.equal(node.kernel.writes.length, 0);
    assert.deepEqual(node.kernel.reads.map(({ kind }) => kind), ['save', 'save-sets']);
    assert.deepEqual(node.health, { live: true, ready: false, detail: 'waiting for the first complete state' });
  });

  it('is in the kernel before the driver is ready', async () => {
    const node = await new Node().start();
    await node.update(first);
    assert.equal(node.chain('FORWARD')?.[0], '-j cali-FORWARD');
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.9']);
    assert.match(node.chain('cali-pi-knp/default/web')?.[0] ?? '', /--match-set cali40s:a src/);
    assert.equal(node.health?.ready, true);
  });

  it('takes sets first, then one transaction', async () => {
    const node = await new Node().start();
    await node.update(first);
    assert.deepEqual(texts(node), ['create cali40s:a hash:net family inet maxelem 1048576', 'add cali40s:a 10.0.0.9 -exist', 'transaction']);
  });

  it('may arrive before the kernel was read', async () => {
    const node = new Node();
    node.driver.update(first);
    await node.start();
    assert.equal(node.health?.ready, true);
  });

  it('writes nothing after a restart where the kernel is right', async () => {
    const before = await synced();
    await before.pass(1_000);
    await before.driver.stop();
    before.kernel.clearLog();
    const node = await synced(before.kernel);
    await node.pass(2_000);
    assert.equal(node.kernel.linesWritten, 0);
    assert.equal(node.health?.ready, true);
  });

  it('acknowledges with the time of receipt', async () => {
    const seen: number[] = [];
    const node = await new Node(undefined, {}, { onApplied: (receivedAt) => void seen.push(receivedAt) }).start();
    await node.update({ ...first, receivedAt: 17 }, desired({ receivedAt: 18 }));
    assert.deepEqual(seen, [17, 18]);
  });
});

describe('a change', () => {
  it('of members alone is one call of ipset and no rule', async () => {
    const node = await synced();
    const calls = node.counts.get('felix_ipset_calls') ?? 0;
    await node.update(desired({ setDeltas: [{ id: 's:a', added: ['10.0.0.8'], removed: ['10.0.0.9'] }] }));
    assert.deepEqual(texts(node), ['del cali40s:a 10.0.0.9 -exist', 'add cali40s:a 10.0.0.8 -exist']);
    assert.equal((node.counts.get('felix_ipset_calls') ?? 0) - calls, 1);
  });

  it('of members closes in all sets before it opens in any', async () => {
    const node = await synced();
    const denied = policy('deny', { ingress: [rule({ action: 'deny', source: entity({ sets: ['d:1', 'd:2'] }) })] });
    await node.update(desired({ addedSets: [set('d:1', ['10.0.0.7'], { use: 'deny' }), set('d:2', [], { use: 'deny' })], policies: [denied],
      endpoints: [endpoint('web', 'a1', { tiers: [tier({ ingress: ['knp/default/web', 'knp/default/deny'] })] })] }));
    node.kernel.clearLog();
    await node.update(desired({ setDeltas: [{ id: 'd:1', added: [], removed: ['10.0.0.7'] }, { id: 'd:2', added: ['10.0.0.7'], removed: [] }, { id: 's:a', added: [], removed: ['10.0.0.9'] }] }));
    assert.deepEqual(texts(node), ['add cali40d:2 10.0.0.7 -exist', 'del cali40s:a 10.0.0.9 -exist', 'del cali40d:1 10.0.0.7 -exist']);
  });

  it('of members and rules closes before the rules and opens behind them', async () => {
    const node = await synced();
    await node.update(desired({ setDeltas: [{ id: 's:a', added: ['10.0.0.8'], removed: ['10.0.0.9'] }], endpoints: [endpoint('db', 'b1', { addresses: ['10.0.0.8'] })] }));
    assert.deepEqual(texts(node), ['del cali40s:a 10.0.0.9 -exist', 'transaction', 'add cali40s:a 10.0.0.8 -exist']);
  });

  it('that adds a pod writes its two chains and one rule for each direction', async () => {
    const node = await synced();
    await node.update(desired({ endpoints: [endpoint('db', 'b1', { addresses: ['10.0.0.2'] })] }));
    const [write] = node.kernel.writes;
    const lines = write?.text.split('\n').map((line) => line.replace(/^(\S+ \S+).*/, '$1')) ?? [];
    assert.deepEqual(new Set(lines), new Set(['*filter', ':cali-tw-calib1 -', ':cali-fw-calib1 -', '-I cali-to-wl-dispatch-b', '-I cali-from-wl-dispatch-b', '-A cali-tw-calib1', '-A cali-fw-calib1', 'COMMIT', '']));
    assert.equal(lines.filter((line) => line.startsWith('-I')).length, 2);
  });

  it('that removes a pod closes its way at once, and removes its chains and sets when it is quiet', async () => {
    const node = await synced();
    await node.update(desired({ removedEndpoints: ['default/web'], removedProfiles: ['kns.default'], removedPolicies: ['knp/default/web'], removedSets: ['s:a'] }));
    assert.equal(node.kernel.writes.length, 1);
    assert.equal(node.chain('cali-to-wl-dispatch-a')?.length, 1);
    assert.ok(node.kernel.chains().includes('cali-tw-calia1'));
    await node.pass(500);
    assert.deepEqual(node.kernel.chains().filter((name) => /calia1|knp|kns/.test(name)), []);
    assert.equal(node.kernel.setsText(), '');
  });

  it('that comes while another is written waits, and goes next with all that came meanwhile', async () => {
    const node = await synced();
    const release = node.kernel.holdWrites();
    await node.update(desired({ endpoints: [endpoint('b', 'b1')] }));
    await node.update(desired({ endpoints: [endpoint('c', 'c1')] }));
    await node.update(desired({ endpoints: [endpoint('d', 'd1')] }));
    release();
    await node.settle();
    assert.deepEqual(texts(node), ['transaction', 'transaction']);
    assert.ok(['cali-tw-calib1', 'cali-tw-calic1', 'cali-tw-calid1'].every((name) => node.kernel.chains().includes(name)));
  });

  it('of one generation of a policy to the next replaces its chain only', async () => {
    const node = await synced();
    await node.update(desired({ policies: [policy('web', { ingress: [rule({ protocol: 6 })] })] }));
    const chains = new Set((node.kernel.writes[0]?.text ?? '').split('\n').filter((line) => line.startsWith(':') || line.startsWith('-')).map((line) => line.split(/[ :]+/)[1]));
    assert.deepEqual([...chains], ['cali-pi-knp/default/web']);
  });
});

describe('objects that cannot be programmed', () => {
  it('a policy with what iptables cannot say denies everything, and is named', async () => {
    const node = await synced();
    await node.update(desired({ policies: [policy('web', { ingress: [rule({ protocol: 1, icmp: { type: 255 } })] })] }));
    assert.deepEqual(node.chain('cali-pi-knp/default/web'), ['-m comment --comment "Cannot be programmed" -j DROP']);
    assert.equal(node.log.find((line) => line.level === 'error')?.fields['object'], 'NetworkPolicy default/web');
  });

  it('a reference to a policy that was not sent denies', async () => {
    const node = await synced();
    await node.update(desired({ endpoints: [endpoint('b', 'b1', { tiers: [tier({ egress: ['knp/default/gone'] })] })] }));
    assert.deepEqual(node.chain('cali-po-knp/default/gone'), ['-m comment --comment "No such object" -j DROP']);
  });

  it('an interface name that is a pattern gets no rules: its traffic is dropped as unknown', async () => {
    const node = await synced();
    await node.update(desired({ endpoints: [{ ...endpoint('b', 'b1'), interfaceName: 'cali+' }] }));
    assert.deepEqual(node.kernel.writes, []);
    assert.equal(node.messages('error').length, 1);
  });

  it('of two endpoints on one interface the first by name counts, the other when that one goes', async () => {
    const node = await synced();
    await node.update(desired({ endpoints: [endpoint('b', 'c1', { addresses: ['10.0.0.2'] }), endpoint('a', 'c1', { addresses: ['10.0.0.3'] })] }));
    assert.match(node.chain('cali-fw-calic1')?.[0] ?? '', /! -s 10\.0\.0\.3\/32/);
    await node.update(desired({ removedEndpoints: ['default/a'] }));
    assert.match(node.chain('cali-fw-calic1')?.[0] ?? '', /! -s 10\.0\.0\.2\/32/);
  });

  it('pods with IPv6 addresses are named in the log and in the health detail', async () => {
    const node = await synced();
    await node.update(desired({ endpoints: [endpoint('six', 'c1', { addresses: ['10.0.0.2', 'fd00::2'] })] }));
    assert.match(node.messages('warn')[0] ?? '', /IPv6/);
    assert.match(node.health?.detail ?? '', /IPv6 traffic of 1 pods is not policed: default\/six/);
    assert.equal(node.health?.ready, true);
    await node.update(desired({ removedEndpoints: ['default/six'] }));
    assert.doesNotMatch(node.health?.detail ?? '', /IPv6/);
  });
});

describe('stopping', () => {
  it('ends after the running apply and leaves the rules', async () => {
    const node = await synced();
    const release = node.kernel.holdWrites();
    await node.update(desired({ endpoints: [endpoint('b', 'b1')] }));
    const stopped = node.driver.stop();
    release();
    await stopped;
    assert.ok(node.kernel.chains().includes('cali-tw-calib1'));
    await node.update(desired({ endpoints: [endpoint('c', 'c1')] }));
    assert.ok(!node.kernel.chains().includes('cali-tw-calic1'));
  });
});
