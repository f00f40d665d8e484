import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Desired } from '../../src/model/desired.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import { Node } from './node.ts';
import { desired, endpoint, entity, policy, profile, rule, set, tier } from './objects.ts';

const first: Desired = desired({
  addedSets: [set('s:a', ['10.0.0.9']), set('s:b', [])],
  policies: [
    policy('web', { ingress: [rule({ source: entity({ sets: ['s:a'] }) })] }),
    policy('db', { ingress: [rule({ source: entity({ sets: ['s:b'] }) })] }),
  ],
  profiles: [profile('kns.default')],
  endpoints: [
    endpoint('web', 'a1', { tiers: [tier({ ingress: ['knp/default/web'] })] }),
    endpoint('db', 'b1', { addresses: ['10.0.0.2'], tiers: [tier({ ingress: ['knp/default/db'] })] }),
  ],
});
const another = desired({ endpoints: [endpoint('new', 'c1', { addresses: ['10.0.0.3'] })] });

async function synced(kernel?: FakeKernel): Promise<Node> {
  const node = await new Node(kernel).start();
  await node.update(first);
  await node.pass(200);
  node.kernel.clearLog();
  node.log.length = 0;
  return node;
}

describe('a refused transaction', () => {
  for (const backend of ['nft', 'legacy'] as const) {
    it(`is tried again at once after reading, with whole chains (${backend})`, async () => {
      const node = await synced(new FakeKernel({ backend }));
      node.kernel.failNext({ on: 'restore', how: 'refuse', line: 2 });
      await node.update(another);
      assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
      assert.equal(node.kernel.reads.filter(({ kind }) => kind === 'save').length, 1);
      assert.equal(node.health?.ready, true);
    });
  }

  it('is logged with its line and the object that it belongs to', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'refuse', line: 2 });
    await node.update(another);
    const line = node.log.find(({ level }) => level === 'error');
    assert.equal(line?.fields['line'], ':cali-tw-calic1 - [0:0]');
    assert.equal(line?.fields['object'], 'Pod default/new');
  });

  it('because somebody flushed a chain meanwhile is explained by that', async () => {
    const node = await synced();
    node.kernel.edit('*filter\n-F cali-from-wl-dispatch-a\nCOMMIT\n');
    await node.update(desired({ removedEndpoints: ['default/web'], removedPolicies: ['knp/default/web'], removedSets: ['s:a'] }));
    assert.deepEqual(node.log.find(({ level }) => level === 'warn')?.fields['undone'], ['cali-from-wl-dispatch-a: 2 of 2 rules gone']);
    assert.equal(node.chain('cali-from-wl-dispatch-a')?.length, 1);
    assert.equal(node.health?.ready, true);
  });

  it('that is refused on and on is tried with growing delays, and the driver is not ready', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'refuse', times: 1_000 });
    await node.update(another);
    assert.equal(node.health?.ready, false);
    assert.match(node.health?.detail ?? '', /iptables refuses a transaction/);
    node.kernel.clearLog();
    await node.pass(10_000);
    const attempts = node.kernel.writes.length;
    assert.ok(attempts >= 3 && attempts <= 4, `${attempts} attempts in 10 s`);
    node.kernel.clearFaults();
    await node.pass(30_000);
    assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
    assert.equal(node.health?.ready, true);
  });

  it('does not hold up addresses that have nothing to do with it', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'refuse', times: 1_000 });
    // The policy of db changes; s:b belongs to it, s:a does not.
    await node.update(
      desired({
        setDeltas: [
          { id: 's:a', added: ['10.0.0.8'], removed: ['10.0.0.9'] },
          { id: 's:b', added: ['10.0.0.8'], removed: [] },
        ],
        policies: [policy('db', { ingress: [rule({ protocol: 6, source: entity({ sets: ['s:b'] }) })] })],
      }),
    );
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8']);
    assert.deepEqual(node.members('cali40s:b'), []);
    node.kernel.clearFaults();
    await node.pass(30_000);
    assert.deepEqual(node.members('cali40s:b'), ['10.0.0.8']);
  });

  it("holds up addresses of the node's own pods: between two of them one may be judged by old and the other by new chains", async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'refuse', times: 1_000 });
    await node.update(
      desired({
        setDeltas: [{ id: 's:a', added: ['10.0.0.2', '10.0.0.7'], removed: [] }],
        endpoints: [endpoint('db', 'b1', { addresses: ['10.0.0.2'], tiers: [tier({ egress: ['knp/default/db'] })] })],
      }),
    );
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.7', '10.0.0.9']);
  });

  it('holds up the address that an endpoint had before', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'refuse', times: 1_000 });
    await node.update(desired({ setDeltas: [{ id: 's:a', added: ['10.0.0.2'], removed: [] }], removedEndpoints: ['default/db'], removedPolicies: ['knp/default/db'], removedSets: ['s:b'] }));
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.9']);
  });

  it('is tried soon when something new arrives', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'refuse', times: 6 });
    await node.update(another);
    await node.pass(20_000);
    node.kernel.clearFaults();
    node.kernel.clearLog();
    await node.update(desired({ endpoints: [endpoint('d', 'd1', { addresses: ['10.0.0.4'] })] }));
    await node.pass(1_000);
    assert.ok(node.kernel.chains().includes('cali-fw-calid1'));
  });
});

describe('an outcome in doubt', () => {
  for (const how of ['die-before-commit', 'die-after-commit'] as const) {
    it(`of a transaction: the table is read, then it is made right (${how})`, async () => {
      const node = await synced();
      node.kernel.failNext({ on: 'restore', how });
      await node.update(another);
      assert.deepEqual(node.chain('cali-from-wl-dispatch-c')?.length, 2);
      assert.equal(node.health?.ready, true);
      assert.deepEqual(node.messages('error'), []);
    });
  }

  for (const after of [0, 1, 2]) {
    it(`of set commands: the sets are read, then they are made right (after ${after})`, async () => {
      const node = await synced();
      node.kernel.failNext({ on: 'run', how: 'die', after });
      await node.update(desired({ setDeltas: [{ id: 's:a', added: ['10.0.0.8'], removed: ['10.0.0.9'] }], endpoints: another.endpoints }));
      assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8']);
      assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
    });
  }

  it('that repeats is tried with growing delays, and the node is not ready meanwhile', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'die-before-commit', times: 1_000 });
    await node.update(another);
    assert.deepEqual([node.health?.ready, node.health?.detail], [false, 'iptables or ipset did not acknowledge a change; it is tried again']);
    node.kernel.clearLog();
    await node.pass(10_000);
    assert.ok(node.kernel.reads.length <= 6, `${node.kernel.reads.length} reads`);
    node.kernel.clearFaults();
    await node.pass(30_000);
    assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
    assert.equal(node.health?.ready, true);
  });

  it('that is long in coming: the node is not ready until the tool answers', async () => {
    const node = await synced();
    const release = node.kernel.holdWrites();
    await node.update(another);
    await node.pass(4_000);
    assert.equal(node.health?.ready, true);
    await node.pass(2_000);
    assert.deepEqual([node.health?.ready, node.health?.detail], [false, 'iptables or ipset does not answer; changes wait for it']);
    release();
    await node.settle();
    assert.equal(node.health?.ready, true);
  });
});

describe('a failed read', () => {
  it('at start: nothing is written, and it is tried again', async () => {
    const node = new Node();
    node.kernel.failNext({ on: 'save', how: 'fail', times: 2 });
    await node.start();
    await node.update(first);
    assert.equal(node.kernel.writes.length, 0);
    assert.match(node.health?.detail ?? '', /^the kernel cannot be read: \S/);
    await node.pass(5_000);
    assert.equal(node.health?.ready, true);
  });

  it('after a doubtful outcome: nothing is written until it succeeds', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'restore', how: 'die-after-commit' });
    node.kernel.failNext({ on: 'save', how: 'fail' });
    await node.update(another);
    assert.equal(node.kernel.writes.length, 1);
    await node.pass(1_500);
    assert.equal(node.health?.ready, true);
  });

  it('for a doorbell: what is known stays known, and writing goes on', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'save', how: 'fail', times: 1_000 });
    await node.ring();
    await node.update(another);
    assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
    node.kernel.clearFaults();
    node.kernel.edit('*filter\n-F cali-FORWARD\nCOMMIT\n');
    await node.pass(40_000);
    assert.equal(node.chain('cali-FORWARD')?.length, 3);
  });
});

describe('a refused set command', () => {
  it('a full set is named with its remedy; rules and other sets go on', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /add cali40s:a/, output: 'Hash is full, cannot add more elements', times: 3 });
    await node.update(desired({ setDeltas: [{ id: 's:a', added: ['10.0.0.8'], removed: [] }, { id: 's:b', added: ['10.0.0.8'], removed: [] }], endpoints: another.endpoints }));
    assert.deepEqual(node.members('cali40s:b'), ['10.0.0.8']);
    assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
    const line = node.log.find(({ level }) => level === 'error');
    assert.equal(line?.fields['set'], 'cali40s:a');
    assert.match(String(line?.fields['remedy']), /FELIX_MAXIPSETSIZE/);
    assert.equal(node.health?.ready, false);
    await node.pass(20_000);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.8', '10.0.0.9']);
    assert.equal(node.health?.ready, true);
  });

  it('a set that cannot be created closes the rules that need it; they open when it is there', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /create cali40s:c/, output: 'Kernel error', times: 3 });
    await node.update(
      desired({
        addedSets: [set('s:c', ['10.0.0.5'])],
        policies: [policy('web', { ingress: [rule({ source: entity({ sets: ['s:c'] }) })] })],
        setDeltas: [{ id: 's:b', added: ['10.0.0.8'], removed: [] }],
      }),
    );
    assert.equal(node.health?.ready, false);
    assert.deepEqual(node.chain('cali-pi-knp/default/web'), []);
    assert.deepEqual(node.members('cali40s:b'), ['10.0.0.8']);
    const [warning] = node.log.filter(({ level }) => level === 'warn');
    assert.deepEqual([warning?.fields['set'], warning?.fields['objects'], warning?.fields['output']], ['cali40s:c', ['NetworkPolicy default/web'], 'ipset v7.17: Kernel error']);
    await node.pass(30_000);
    assert.match(node.chain('cali-pi-knp/default/web')?.[0] ?? '', /s:c/);
    assert.equal(node.health?.ready, true);
    assert.equal(node.health?.detail, 'the kernel is as the policies say');
  });

  it('a set that cannot be created once holds up the rules that need it for that moment', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /create cali40s:c/, output: 'Kernel error' });
    await node.update(desired({ addedSets: [set('s:c', [])], policies: [policy('web', { ingress: [rule({ source: entity({ sets: ['s:c'] }) })] })] }));
    assert.match(node.chain('cali-pi-knp/default/web')?.[0] ?? '', /s:c/);
    assert.deepEqual(node.messages('warn'), []);
  });

  it('a set that cannot be created holds up nobody else\'s rules', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /create cali40s:c/, output: 'Kernel error', times: 1_000 });
    const waiting = policy('web', { ingress: [rule({ action: 'deny', source: entity({ sets: ['s:c'] }) }), rule()] });
    await node.update(desired({ addedSets: [set('s:c', ['10.0.0.5'], { use: 'deny' })], policies: [waiting], endpoints: another.endpoints }));
    assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
    assert.match(node.chain('cali-pi-knp/default/web')?.[0] ?? '', /ingress" -j DROP$/);
    assert.match(node.health?.detail ?? '', /^ipset refuses changes to cali40s:c .*; the kernel refuses rules of 1 policies/);
    await node.pass(400_000, 500);
    assert.match(node.chain('cali-pi-knp/default/web')?.[0] ?? '', /ingress" -j DROP$/);
    await node.update(desired({ policies: [policy('web', { ingress: [rule()] })], removedSets: ['s:c'] }));
    assert.equal(node.health?.detail, 'the kernel is as the policies say');
  });

  it('a destroy that is refused is tried again, and is nobody\'s worry', async () => {
    const node = await synced();
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /destroy/, output: 'in use', times: 3 });
    await node.update(desired({ policies: [policy('db')], removedSets: ['s:b'] }));
    await node.pass(5_000);
    assert.doesNotMatch(node.kernel.setsText(), /s:b/);
    assert.deepEqual([...node.messages('warn'), ...node.messages('error')], []);
  });
});

describe('an error that nobody expected', () => {
  it('ends the loop', async () => {
    const kernel = new FakeKernel();
    const tool = { ...kernel.ruleTool(4), restore: () => Promise.reject(new RangeError('a bug')) };
    const node = await new Node(kernel, {}, { ruleTools: [tool] }).start();
    const done = assert.rejects(node.driver.done, RangeError);
    await node.update(first);
    await done;
    // Whoever waits for `done` has the error; stopping is not another one.
    await node.driver.stop();
  });
});
