// Sets that cannot take all their members, on a kernel in memory that counts them as the real one does: what needs a set that denies is
// closed for its own policies, and everything else goes on.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Desired, DesiredSet } from '../../src/model/desired.ts';
import type { DriverParts } from '../../src/dataplane/driver.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import { Node } from './node.ts';
import { desired, endpoint, entity, policy, profile, rule, set, tier } from './objects.ts';

const maxSetSize = 3;
const fits = ['10.9.0.1', '10.9.0.2', '10.9.0.3'];
const one = ['10.9.0.4'];
const two = ['10.9.0.4', '10.9.0.5'];

const denied = (members: readonly string[], fields: Partial<DesiredSet> = {}): DesiredSet => set('d:a', members, { use: 'deny', ...fields });
const delta = (added: readonly string[], removed: readonly string[] = [], id = 'd:a'): Desired => desired({ setDeltas: [{ id, added, removed }] });

/** Denies what is in the set, allows what is not in it, and what is on TCP. */
const tenant = policy('tenant', {
  ingress: [rule({ action: 'deny', source: entity({ sets: ['d:a'] }) }), rule()],
  egress: [rule({ destination: entity({ notSets: ['d:a'] }) }), rule({ protocol: 6, index: 1 })],
});
const other = policy('other', { ingress: [rule({ protocol: 6, source: entity({ sets: ['s:a'] }) })] });
const applying = (name: string): Parameters<typeof endpoint>[2] => ({ tiers: [tier({ ingress: [`knp/default/${name}`], egress: [`knp/default/${name}`] })] });

function world(members: readonly string[], fields: Partial<DesiredSet> = {}): Desired {
  return desired({
    addedSets: [denied(members, fields), set('s:a', ['10.0.0.9'])],
    policies: [tenant, other],
    profiles: [profile('kns.default')],
    endpoints: [
      endpoint('tenant', 'a1', { addresses: ['10.0.0.1'], ...applying('tenant') }),
      endpoint('other', 'b1', { addresses: ['10.0.0.2'], ...applying('other') }),
    ],
  });
}

/** A change of somebody else: a rule, a pod, and an address of this node that may come in. */
const change = desired({
  policies: [policy('other', { ingress: [rule({ protocol: 17, source: entity({ sets: ['s:a'] }) })] })],
  endpoints: [endpoint('new', 'c1', { addresses: ['10.0.0.3'] })],
  setDeltas: [{ id: 's:a', added: ['10.0.0.3'], removed: [] }],
});

async function started(first: Desired, kernel = new FakeKernel(), parts: Partial<DriverParts> = {}, size = maxSetSize): Promise<Node> {
  const node = await new Node(kernel, { maxSetSize: size }, parts).start();
  await node.update(first);
  return node;
}

const ingressOf = (node: Node, name: string): readonly string[] | undefined => node.chain(`cali-pi-knp/default/${name}`);
const egressOf = (node: Node, name: string): readonly string[] | undefined => node.chain(`cali-po-knp/default/${name}`);
const warnings = (node: Node): Record<string, unknown>[] => node.log.filter(({ message }) => message.startsWith('ipset refuses a set')).map(({ fields }) => fields);

function assertClosed(node: Node): void {
  assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /ingress" -j DROP$/);
  assert.doesNotMatch([...(ingressOf(node, 'tenant') ?? []), ...(egressOf(node, 'tenant') ?? [])].join('\n'), /d:a/);
  assert.equal(egressOf(node, 'tenant')?.length, 1);
  assert.match(egressOf(node, 'tenant')?.[0] ?? '', /-p tcp/);
}

function assertOpen(node: Node): void {
  assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /--match-set cali40d:a src -j DROP/);
  assert.match(egressOf(node, 'tenant')?.[0] ?? '', /! --match-set cali40d:a dst/);
  assert.deepEqual([node.health?.ready, node.health?.detail], [true, 'the kernel is as the policies say']);
}

async function assertOthersGoOn(node: Node): Promise<void> {
  await node.update(change);
  assert.match(ingressOf(node, 'other')?.[0] ?? '', /-p udp/);
  assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
  assert.deepEqual(node.members('cali40s:a'), ['10.0.0.3', '10.0.0.9']);
}

const ways: readonly (readonly [string, () => Promise<Node>])[] = [
  ['when it is made', () => started(world([...fits, ...two]))],
  ['when members are added', async () => {
    const node = await started(world(fits));
    assertOpen(node);
    await node.update(delta(two));
    return node;
  }],
  ['when members are added while others leave', async () => {
    const node = await started(world(fits));
    await node.update(delta(['10.9.0.4', '10.9.0.5', '10.9.0.6'], ['10.9.0.1']));
    await node.update(delta([], ['10.9.0.6']));
    await node.update(delta(['10.9.0.1'], []));
    return node;
  }],
];

for (const [when, full] of ways) {
  describe(`a deny set that is full ${when}`, () => {
    it('closes the rules that look into it, and no others of their policy', async () => {
      assertClosed(await full());
    });

    it('holds up nobody else', async () => {
      await assertOthersGoOn(await full());
    });

    it('opens the rules when so many members leave that the others fit', async () => {
      const node = await full();
      await node.update(delta([], ['10.9.0.5']));
      assertClosed(node);
      await node.update(delta([], ['10.9.0.2']));
      assertOpen(node);
      assert.deepEqual(node.members('cali40d:a'), ['10.9.0.1', '10.9.0.3', '10.9.0.4']);
    });

    it('opens them when the members leave that did not fit', async () => {
      const node = await full();
      await node.update(delta([], two));
      assertOpen(node);
      assert.deepEqual(node.members('cali40d:a'), fits);
    });

    it('leaves the node ready, with a note that names set, policy and remedy', async () => {
      const node = await full();
      assert.equal(node.health?.ready, true);
      assert.match(node.health?.detail ?? '', /1 policies.*NetworkPolicy default\/tenant; cali40d:a is full \(selector of d:a\): raise FELIX_MAXIPSETSIZE$/);
    });

    it('forgets it with its policy', async () => {
      const node = await full();
      await node.update(desired({ endpoints: [endpoint('tenant', 'a1', { addresses: ['10.0.0.1'] })], removedPolicies: ['knp/default/tenant'], removedSets: ['d:a'] }));
      assert.equal(node.health?.detail, 'the kernel is as the policies say');
      await node.pass(60_000, 500);
      assert.doesNotMatch(node.kernel.setsText(), /d:a/);
      node.kernel.clearLog();
      await node.pass(400_000, 500);
      assert.equal(node.kernel.writes.length, 0);
    });
  });
}

describe('a deny set that is full', () => {
  it('is told once, with set, what it is for, the policies and the remedy', async () => {
    const node = await started(world([...fits, ...one]));
    await node.pass(400_000, 500);
    const [line, ...more] = warnings(node);
    assert.deepEqual([line?.['set'], line?.['description'], line?.['objects'], more], ['cali40d:a', 'selector of d:a', ['NetworkPolicy default/tenant'], []]);
    assert.match(String(line?.['output']), /full/);
    assert.match(String(line?.['remedy']), /FELIX_MAXIPSETSIZE/);
    assert.equal(node.messages('error').length, 1);
  });

  it('is counted by its policies', async () => {
    const gauges: Record<string, number> = {};
    const metrics = { count: () => {}, observe: () => {}, set: (name: string, value: number) => void (gauges[name] = value) };
    const node = await started(world([...fits, ...one]), new FakeKernel(), { metrics });
    assert.equal(gauges['caracal_dataplane_quarantined_policies'], 1);
    await node.update(delta([], one));
    assert.equal(gauges['caracal_dataplane_quarantined_policies'], 0);
  });

  it('costs one refusal, not one for each member that does not fit', async () => {
    const node = await started(world(fits));
    node.kernel.clearLog();
    await node.update(delta(Array.from({ length: 200 }, (_, i) => `10.8.0.${i + 1}`)));
    assertClosed(node);
    await node.pass(60_000, 500);
    const refused = node.kernel.writes.filter(({ accepted }) => !accepted).length;
    assert.ok(refused <= 9, `${refused} refusals`);
  });

  it('keeps its policies closed, and nobody waiting, when one of them changes', async () => {
    const node = await started(world([...fits, ...one]));
    await node.pass(40_000, 500);
    await node.update(desired({ policies: [{ ...tenant, ingress: [...tenant.ingress, rule({ protocol: 17, index: 2 })] }] }), change);
    assertClosed(node);
    await assertOthersGoOn(node);
  });

  it('holds up nobody where a policy comes to need it long after', async () => {
    const node = await started(world([...fits, ...one]));
    await node.pass(40_000, 500);
    await node.update(desired({ policies: [policy('other', { ingress: [rule({ action: 'deny', source: entity({ sets: ['d:a'] }) })] })], endpoints: change.endpoints }));
    assert.match(ingressOf(node, 'other')?.[0] ?? '', /ingress" -j DROP$/);
    assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
  });

  it('exchanges members when as many leave as come, and is right at once', async () => {
    const node = await started(world(fits));
    await node.update(delta(one, ['10.9.0.1']));
    assertOpen(node);
    assert.deepEqual(node.members('cali40d:a'), ['10.9.0.2', '10.9.0.3', '10.9.0.4']);
  });

  it('may be one of address and port', async () => {
    const node = await started(
      desired({
        ...world(fits),
        addedSets: [set('n:a', [...fits, ...one].map((address) => `${address},tcp:80`), { use: 'deny', type: 'ip-port' }), denied([]), set('s:a', ['10.0.0.9'])],
        policies: [policy('tenant', { egress: [rule({ action: 'deny', protocol: 6, destination: entity({ portSets: ['n:a'] }) }), rule()] }), other],
      }),
    );
    assert.match(egressOf(node, 'tenant')?.[0] ?? '', /egress" -j DROP$/);
    await assertOthersGoOn(node);
  });

  it('is not the only one that is tried: others that are refused in passing are tried within a second', async () => {
    const node = await started(world([...fits, ...one]));
    await node.pass(60_000, 500);
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /add cali40s:a/, output: 'Kernel error' });
    await node.update(delta(['10.5.0.1'], [], 's:a'));
    await node.pass(1_500);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.9', '10.5.0.1']);
    assert.equal(node.health?.ready, true);
  });

  it('of one family closes nothing of the other', async () => {
    const kernel = new FakeKernel();
    const both = [...fits, 'fd00::1', 'fd00::2', 'fd00::3', 'fd00::4'];
    const node = await started(world(both), kernel, { ruleTools: [kernel.ruleTool(4), kernel.ruleTool(6)] });
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /--match-set cali40d:a src -j DROP/);
    const six = kernel.rulesText('filter', 6).split('\n').filter((line) => line.startsWith('-A cali-pi-knp/default/tenant')).join('\n');
    assert.match(six, /-j DROP/);
    assert.doesNotMatch(six, /d:a/);
    await node.update(delta([], ['fd00::2']));
    assert.match(kernel.rulesText('filter', 6), /-A cali-pi-knp\/default\/tenant .*cali60d:a src -j DROP/);
  });

  it('is found again after a restart, and nothing is written', async () => {
    const before = await started(world([...fits, ...one]));
    await before.pass(200);
    await before.driver.stop();
    before.kernel.clearLog();
    const node = await started(world([...fits, ...one]), before.kernel);
    assertClosed(node);
    assert.equal(node.health?.ready, true);
    assert.deepEqual(node.kernel.writes.filter(({ accepted }) => accepted), []);
  });

  it('is filled after a restart with another limit', async () => {
    const before = await started(world([...fits, ...one]));
    await before.driver.stop();
    const node = await started(world([...fits, ...one]), before.kernel, {}, 10);
    assertOpen(node);
    assert.equal(node.members('cali40d:a').length, 4);
  });

  it('is not made smaller than its members: they stay in force, it is named, and nobody waits', async () => {
    const before = await started(world([...fits, ...two]), new FakeKernel(), {}, 10);
    await before.driver.stop();
    const node = await started(world([...fits, ...two]), before.kernel);
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /cali40d:a/);
    assert.equal(node.members('cali40d:a').length, 5);
    assert.match(node.health?.detail ?? '', /ipset refuses changes to cali40d:a/);
    await assertOthersGoOn(node);
    await node.update(delta([], two));
    await node.pass(40_000, 500);
    assertOpen(node);
    assert.match(node.kernel.setsText(), /create cali40d:a hash:net .*maxelem 3 /);
    assert.doesNotMatch(node.kernel.setsText(), /cali4t/);
  });

  it('for the kernel, though it has room: it is tried again, and the rules open', async () => {
    const node = await started(world(fits), new FakeKernel(), {}, 100);
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /add cali40d:a/, output: 'Hash is full, cannot add more elements', times: 4 });
    await node.update(delta(two));
    assertClosed(node);
    await assertOthersGoOn(node);
    await node.pass(40_000, 500);
    assertOpen(node);
  });

  it('closes the same where its members are refused for another reason', async () => {
    const node = await started(world(fits), new FakeKernel(), {}, 100);
    node.kernel.failNext({ on: 'run', how: 'refuse', matching: /add cali40d:a/, output: 'Kernel error received: Cannot allocate memory', times: 4 });
    await node.update(delta(two));
    assertClosed(node);
    await assertOthersGoOn(node);
    await node.pass(40_000, 500);
    assertOpen(node);
  });

  it('that a profile looks into holds up rules, and what must not open without it; it says so, and is tried on', async () => {
    let steps = 0;
    const near = policy('tenant', { ingress: [rule({ source: entity({ sets: ['s:b'] }) })] });
    const first = desired({
      ...world(fits),
      addedSets: [denied(fits), set('s:a', ['10.0.0.9']), set('s:b', [])],
      policies: [near, other],
      profiles: [profile('kns.default', { ingress: [rule({ action: 'deny', source: entity({ sets: ['d:a'] }) }), rule()] })],
      endpoints: [endpoint('tenant', 'a1', { tiers: [tier({ defaultAction: 'pass', ingress: ['knp/default/tenant'] })] }), endpoint('other', 'b1', { addresses: ['10.0.0.2'], ...applying('other') })],
    });
    const node = await started(first, new FakeKernel(), { onStep: () => void (steps += 1) });
    await node.update(delta(one));
    assert.equal(node.health?.ready, false);
    assert.match(node.health?.detail ?? '', /ipset refuses changes to cali40d:a/);
    await node.update(delta(['10.0.0.1'], [], 's:a'));
    await node.pass(20_000, 500);
    assert.ok(steps < 60, `${steps} steps, with nothing to write`);
    assert.deepEqual(node.members('cali40s:a'), ['10.0.0.9']);
    await node.update(desired({ policies: change.policies, setDeltas: [{ id: 's:b', added: ['10.5.0.1'], removed: [] }, { id: 's:a', added: ['10.5.0.1'], removed: [] }] }));
    assert.match(ingressOf(node, 'other')?.[0] ?? '', /-p tcp/);
    assert.deepEqual(node.members('cali40s:b'), []);
    await node.update(delta([], one));
    assert.match(ingressOf(node, 'other')?.[0] ?? '', /-p udp/);
    assert.deepEqual([node.members('cali40s:a'), node.members('cali40s:b')], [['10.0.0.1', '10.0.0.9', '10.5.0.1'], ['10.5.0.1']]);
    assert.equal(node.health?.ready, true);
  });

  it('beside another one: the rule that looks into both opens when both are right', async () => {
    const both = policy('tenant', { ingress: [rule({ action: 'deny', source: entity({ sets: ['d:a'] }), destination: entity({ sets: ['d:b'] }) })] });
    const node = await started({ ...world([]), addedSets: [denied([...fits, ...one]), denied([...fits, ...two], { id: 'd:b' }), set('s:a', ['10.0.0.9'])], policies: [both, other] });
    await node.update(delta([], one));
    await node.pass(60_000, 500);
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /ingress" -j DROP$/);
    assert.deepEqual(warnings(node).map((fields) => fields['set']), ['cali40d:a', 'cali40d:b']);
    assert.deepEqual(node.messages('info').filter((message) => message.includes('takes rules again')), []);
    await node.update(delta([], two, 'd:b'));
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /d:a.*d:b/);
    // The second one fails while the rule is closed for the first.
    await node.update(delta(one));
    await node.update(delta(one, [], 'd:b'));
    await node.update(delta([], one));
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /ingress" -j DROP$/);
    await node.update(delta([], one, 'd:b'));
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /d:a.*d:b/);
  });
});

describe('a set of a Pass rule that is full', () => {
  it('closes the rule: what does not pass could be let in by the rules behind', async () => {
    const passing = policy('tenant', { ingress: [rule({ action: 'pass', source: entity({ sets: ['p:a'] }) }), rule()] });
    const node = await started({ ...world([]), addedSets: [denied([]), set('s:a', ['10.0.0.9']), set('p:a', fits, { use: 'pass' })], policies: [passing, other] });
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /p:a/);
    await node.update(delta(one, [], 'p:a'));
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /ingress" -j DROP$/);
    await assertOthersGoOn(node);
    await node.update(delta([], ['10.9.0.1'], 'p:a'));
    assert.match(ingressOf(node, 'tenant')?.[0] ?? '', /p:a/);
    assert.deepEqual(node.members('cali40p:a'), ['10.9.0.2', '10.9.0.3', '10.9.0.4']);
    assert.equal(node.health?.detail, 'the kernel is as the policies say');
  });
});

describe('an allow set that is full', () => {
  it('has what fits, is named, holds up nobody, and takes the rest when there is room', async () => {
    const first = world([]);
    const node = await started({ ...first, addedSets: [denied([]), set('s:a', ['10.0.0.9', ...fits])] });
    assert.equal(node.members('cali40s:a').length, 3);
    assert.match(ingressOf(node, 'other')?.[0] ?? '', /s:a/);
    assert.match(node.health?.detail ?? '', /^ipset refuses changes to cali40s:a \(selector of s:a\)$/);
    await node.update(desired({ policies: change.policies, endpoints: change.endpoints }), delta(one));
    assert.match(ingressOf(node, 'other')?.[0] ?? '', /-p udp/);
    assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
    assert.deepEqual(node.members('cali40d:a'), one);
    node.kernel.edit('*filter\n-F cali-pi-knp/default/other\nCOMMIT\n');
    await node.ring();
    await node.pass(2_000);
    assert.match(ingressOf(node, 'other')?.[0] ?? '', /-p udp/);
    await node.update(delta([], ['10.0.0.9'], 's:a'));
    assert.deepEqual(node.members('cali40s:a'), fits);
    assert.equal(node.health?.ready, true);
  });
});
