// Rules of policies that the kernel refuses, on a kernel in memory.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ActivePolicy, Desired } from '../../src/model/desired.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import { Node } from './node.ts';
import { desired, endpoint, entity, policy, profile, rule, set, tier } from './objects.ts';

const count = 40;
const minutes = 60_000;

/** Everything of a protocol that the kernel is told to refuse. */
const sctp = rule({ index: 7, protocol: 132, source: entity({ nets: ['10.9.0.0/16'] }) });
const refusing = /-p sctp/;
const tcp = rule({ protocol: 6, source: entity({ sets: ['s:a'] }) });

/** Each of many policies applies to a pod of its own. */
function world(change: (number: number) => Partial<ActivePolicy> = () => ({})): Desired {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return desired({
    addedSets: [set('s:a', ['10.0.0.9'])],
    policies: numbers.map((i) => policy(`p${i}`, { ingress: [tcp], ...change(i) })),
    profiles: [profile('kns.default')],
    endpoints: numbers.map((i) => endpoint(`pod${i}`, `x${i}`, { addresses: [`10.1.0.${i}`], tiers: [tier({ ingress: [`knp/default/p${i}`], egress: [`knp/default/p${i}`] })] })),
  });
}

async function started(backend: 'nft' | 'legacy', first: Desired = world(), kernel = new FakeKernel({ backend })): Promise<Node> {
  const node = await new Node(kernel).start();
  kernel.refuseLines(refusing);
  await node.update(first);
  return node;
}

/** Enforced, with nothing left to do. */
async function synced(backend: 'nft' | 'legacy'): Promise<Node> {
  const node = await started(backend);
  await node.pass(200);
  node.kernel.clearLog();
  node.log.length = 0;
  return node;
}

function warnings(node: Node): Record<string, unknown>[] {
  return node.log.filter(({ message }) => message.startsWith('the kernel refuses rules of a policy')).map(({ fields }) => fields);
}

const ingressOf = (node: Node, name: string): readonly string[] | undefined => node.chain(`cali-pi-knp/default/${name}`);
const egressOf = (node: Node, name: string): readonly string[] | undefined => node.chain(`cali-po-knp/default/${name}`);
const another = desired({ endpoints: [endpoint('new', 'c1', { addresses: ['10.0.0.3'] })] });

for (const backend of ['nft', 'legacy'] as const) {
  describe(`a rule that the kernel refuses (${backend})`, () => {
    it('of one policy among many: it is left out where it allows, all else is in force', async () => {
      const node = await started(backend, world((i) => (i === 17 ? { ingress: [tcp, sctp, rule({ protocol: 17 })] } : {})));
      assert.equal(ingressOf(node, 'p17')?.filter((line) => line.includes('-j MARK')).length, 2);
      assert.ok(ingressOf(node, 'p17')?.every((line) => !line.includes('sctp')));
      assert.equal(ingressOf(node, 'p18')?.length, 1);
      assert.equal(warnings(node).length, 1);
      const questions = node.kernel.writes.filter(({ text }) => text.includes(':cali-probe'));
      assert.ok(questions.length <= (backend === 'nft' ? 4 : 16), `${questions.length} questions`);
    });

    for (const action of ['deny', 'pass'] as const) {
      it(`that is to ${action} denies everything in its direction`, async () => {
        const node = await started(backend, world((i) => (i === 17 ? { ingress: [tcp], egress: [rule({ ...sctp, action })] } : {})));
        assert.deepEqual(egressOf(node, 'p17'), ['-m comment --comment "NetworkPolicy default/p17 egress" -j DROP']);
        assert.equal(ingressOf(node, 'p17')?.length, 1);
      });
    }

    it('of two policies', async () => {
      const node = await started(backend, world((i) => (i % 30 === 3 ? { ingress: [sctp] } : {})));
      assert.deepEqual([ingressOf(node, 'p3'), ingressOf(node, 'p33')], [[], []]);
      assert.equal(ingressOf(node, 'p4')?.length, 1);
      assert.deepEqual(warnings(node).map(({ object }) => String(object)).sort(), ['NetworkPolicy default/p3', 'NetworkPolicy default/p33']);
    });

    it('of every policy: all are found, with a limited number of questions at a time', async () => {
      const node = await started(backend, world(() => ({ ingress: [sctp], egress: [rule()] })));
      await node.pass(30_000);
      assert.equal(warnings(node).length, count);
      assert.deepEqual(ingressOf(node, 'p39'), []);
      assert.equal(egressOf(node, 'p39')?.length, 1);
      assert.equal(node.health?.ready, true);
    });

    it('is named with its object, chain, text, the output of the tool and a remedy', async () => {
      const node = await started(backend, world((i) => (i === 17 ? { ingress: [tcp, sctp] } : {})));
      const [line] = warnings(node);
      assert.equal(line?.['object'], 'NetworkPolicy default/p17');
      assert.equal(line?.['chain'], 'cali-pi-knp/default/p17');
      assert.deepEqual(line?.['rules'], ['ingress rule 7']);
      assert.match(String(line?.['line']), /-p sctp -s 10\.9\.0\.0\/16 -j MARK/);
      assert.match(String(line?.['output']), backend === 'nft' ? /refused on request/ : /COMMIT/);
      assert.match(String(line?.['remedy']), /change or delete/);
    });

    it('leaves the node ready, with a note and a gauge', async () => {
      const gauges: Record<string, number> = {};
      const kernel = new FakeKernel({ backend });
      const node = await new Node(kernel, {}, { metrics: { count: () => {}, observe: () => {}, set: (name, value) => void (gauges[name] = value) } }).start();
      kernel.refuseLines(refusing);
      await node.update(world((i) => (i === 17 ? { ingress: [sctp] } : {})));
      assert.deepEqual([node.health?.ready, node.health?.detail], [true, 'the kernel refuses rules of 1 policies, which allow less until it takes them: NetworkPolicy default/p17']);
      assert.equal(gauges['caracal_dataplane_quarantined_policies'], 1);
      await node.update(desired({ policies: [policy('p17', { ingress: [tcp] })] }));
      assert.equal(gauges['caracal_dataplane_quarantined_policies'], 0);
      assert.equal(node.health?.detail, 'the kernel is as the policies say');
    });

    it('in a policy that was changed holds up no other change, and nothing opens before its closed form is in force', async () => {
      const node = await synced(backend);
      await node.update(desired({ policies: [policy('p3', { ingress: [sctp] })], endpoints: another.endpoints, setDeltas: [{ id: 's:a', added: ['10.1.0.4'], removed: [] }] }));
      assert.deepEqual(ingressOf(node, 'p3'), []);
      assert.ok(node.kernel.chains().includes('cali-fw-calic1'));
      assert.deepEqual(node.members('cali40s:a'), ['10.0.0.9', '10.1.0.4']);
      const accepted = node.kernel.writes.filter((write) => write.accepted && !write.text.includes('cali-probe')).map(({ text }) => text);
      assert.equal(accepted.at(-1), 'add cali40s:a 10.1.0.4 -exist');
    });

    it('is tried as soon as its policy changes, and found again when that is no better', async () => {
      const node = await synced(backend);
      await node.update(desired({ policies: [policy('p3', { ingress: [sctp] })] }));
      await node.update(desired({ policies: [policy('p3', { ingress: [sctp, tcp] })] }));
      assert.equal(ingressOf(node, 'p3')?.length, 1);
      assert.equal(warnings(node).length, 2);
      await node.update(desired({ policies: [policy('p3', { ingress: [rule({ protocol: 17 })] })] }));
      assert.match(ingressOf(node, 'p3')?.[0] ?? '', /-p udp .*-j MARK/);
      assert.equal(node.health?.detail, 'the kernel is as the policies say');
    });

    it('is forgotten with its policy', async () => {
      const node = await synced(backend);
      await node.update(desired({ policies: [policy('p3', { ingress: [sctp] })] }));
      await node.update(desired({ removedEndpoints: ['default/pod3'], removedPolicies: ['knp/default/p3'] }));
      assert.equal(node.health?.detail, 'the kernel is as the policies say');
      await node.pass(200);
      node.kernel.clearLog();
      await node.pass(6 * minutes, 500);
      assert.equal(node.kernel.writes.length, 0);
    });

    it('is asked for again every few minutes, and is in force when the kernel takes it', async () => {
      const node = await synced(backend);
      await node.update(desired({ policies: [policy('p3', { ingress: [sctp] }), policy('p4', { ingress: [sctp] })] }));
      await node.pass(200);
      node.kernel.clearLog();
      await node.pass(4 * minutes, 500);
      assert.equal(node.kernel.writes.length, 0);
      await node.pass(2 * minutes, 500);
      assert.deepEqual(ingressOf(node, 'p3'), []);
      assert.ok(node.kernel.writes.length > 0 && node.kernel.writes.every(({ text }) => text.includes('cali-probe')));
      node.kernel.refuseLines(undefined);
      await node.pass(6 * minutes, 500);
      assert.match(ingressOf(node, 'p3')?.[0] ?? '', /-p sctp/);
      assert.match(ingressOf(node, 'p4')?.[0] ?? '', /-p sctp/);
      assert.equal(node.health?.detail, 'the kernel is as the policies say');
      assert.equal(node.messages('info').filter((message) => message.includes('takes rules again')).length, 1);
    });

    it('has its turn although another policy is refused anew all the time', async () => {
      const node = await synced(backend);
      node.kernel.refuseLines(/-p (?:sctp|udplite)/);
      await node.update(desired({ policies: [policy('p3', { ingress: [sctp] })] }));
      node.kernel.refuseLines(/-p udplite/);
      for (let minute = 0; minute < 6; minute += 1) {
        await node.update(desired({ policies: [policy('p4', { ingress: [rule({ protocol: 136, source: entity({ nets: [`10.9.${minute}.0/24`] }) })] })] }));
        await node.pass(minutes, 500);
      }
      assert.match(ingressOf(node, 'p3')?.[0] ?? '', /-p sctp/);
      assert.deepEqual(ingressOf(node, 'p4'), []);
    });

    it('has its turn although many others are refused on', async () => {
      const node = await synced(backend);
      const denied = Array.from({ length: count }, (_, i) => policy(`p${i}`, { ingress: [rule({ protocol: 132, source: entity({ nets: [`10.9.${i}.0/24`] }) })] }));
      await node.update(desired({ policies: denied }));
      await node.pass(60_000);
      assert.deepEqual(ingressOf(node, 'p38'), []);
      node.kernel.refuseLines(/-p sctp -s 10\.9\.(?!38\.)/);
      node.kernel.clearLog();
      await node.pass(18 * minutes, 500);
      assert.match(ingressOf(node, 'p38')?.[0] ?? '', /-p sctp/);
      assert.deepEqual([ingressOf(node, 'p37'), ingressOf(node, 'p39')], [[], []]);
      const questions = node.kernel.writes.filter(({ text }) => text.includes(':cali-probe')).length;
      assert.ok(questions <= 4 * 43, `${questions} questions`);
    });

    it('is found after somebody emptied the table', async () => {
      const node = await synced(backend);
      await node.update(desired({ policies: [policy('p3', { ingress: [sctp] })] }));
      node.kernel.edit(`*filter\n${node.kernel.chains().filter((name) => name.startsWith('cali-p')).map((name) => `-F ${name}`).join('\n')}\nCOMMIT\n`);
      await node.ring();
      assert.deepEqual(ingressOf(node, 'p3'), []);
      assert.equal(ingressOf(node, 'p4')?.length, 1);
      assert.equal(node.health?.ready, true);
    });

    it('that was in force and is refused when it must be written anew is found then', async () => {
      const node = await new Node(new FakeKernel({ backend })).start();
      await node.update(world((i) => (i === 3 ? { ingress: [sctp] } : {})));
      node.kernel.refuseLines(refusing);
      node.kernel.edit('*filter\n-F cali-pi-knp/default/p3\n-F cali-pi-knp/default/p4\nCOMMIT\n');
      await node.ring();
      assert.deepEqual(ingressOf(node, 'p3'), []);
      assert.equal(ingressOf(node, 'p4')?.length, 1);
      assert.equal(warnings(node).length, 1);
    });

    it('is found again by an agent that starts on what another one left, and nothing is opened', async () => {
      const before = await started(backend, world((i) => (i === 3 ? { ingress: [sctp] } : {})));
      await before.pass(200);
      await before.driver.stop();
      before.kernel.clearLog();
      const node = await started(backend, world((i) => (i === 3 ? { ingress: [sctp] } : {})), before.kernel);
      assert.equal(node.health?.ready, true);
      assert.equal(warnings(node).length, 1);
      assert.deepEqual(node.kernel.writes.filter(({ accepted, text }) => accepted && !text.includes('cali-probe')), []);
    });
  });

  describe(`the chain by which the kernel is asked (${backend})`, () => {
    it('is gone when it is quiet', async () => {
      const node = await started(backend, world((i) => (i === 3 ? { ingress: [sctp] } : {})));
      await node.pass(500);
      assert.ok(!node.kernel.chains().includes('cali-probe'));
    });

    it('of an agent that died is removed by the next one', async () => {
      const node = await synced(backend);
      await node.driver.stop();
      node.kernel.edit('*filter\n:cali-probe - [0:0]\n-A cali-probe -m set --match-set cali40s:a src -j RETURN\nCOMMIT\n');
      const next = await started(backend, world(), node.kernel);
      await next.pass(500);
      assert.ok(!node.kernel.chains().includes('cali-probe'));
      assert.equal(node.messages('error').length, 0);
    });
  });

  describe(`nobody is to blame (${backend})`, () => {
    it('where a rule is refused that belongs to no policy', async () => {
      const node = await synced(backend);
      node.kernel.refuseLines(/-A cali-fw-calic1/);
      await node.update(desired({ policies: [policy('p3', { ingress: [rule({ protocol: 17 })] })], endpoints: another.endpoints }));
      await node.pass(10_000);
      assert.equal(warnings(node).length, 0);
      assert.match(node.health?.detail ?? '', /iptables refuses a transaction/);
      assert.match(ingressOf(node, 'p3')?.[0] ?? '', /-p tcp/);
      assert.ok(node.kernel.writes.length <= 16, `${node.kernel.writes.length} writes in 10 s`);
      node.kernel.refuseLines(undefined);
      await node.pass(30_000);
      assert.equal(node.health?.ready, true);
    });

    for (const [what, pattern] of [['sets', /--match-set/], ['ports', /multiport/], ['marks', /--set-xmark/], ['comments', /comment/]] as const) {
      it(`where the kernel has no ${what}: all policies stay as they are`, async () => {
        const node = await synced(backend);
        node.kernel.refuseLines(pattern);
        await node.update(desired({ policies: [policy('p3', { ingress: [rule({ ...tcp, source: entity({ sets: ['s:a'], nets: ['10.0.0.0/8'] }), destination: entity({ ports: [{ first: 1, last: 9 }] }) })] })] }));
        await node.pass(10_000);
        assert.equal(warnings(node).length, 0);
        assert.equal(ingressOf(node, 'p3')?.length, 1);
        assert.equal(node.health?.ready, false);
      });
    }

    it('where the set is gone that a rule looks into', async () => {
      const node = await synced(backend);
      const unwatch = node.kernel.onWrite(({ text }) => {
        if (!text.startsWith('create cali40s:b')) return;
        unwatch();
        node.kernel.editSets('destroy cali40s:b');
      });
      await node.update(desired({ addedSets: [set('s:b', [])], policies: [policy('p3', { ingress: [rule({ source: entity({ sets: ['s:b'] }) })] })] }));
      await node.pass(3_000);
      assert.equal(warnings(node).length, 0);
      assert.match(ingressOf(node, 'p3')?.[0] ?? '', /s:b/);
      assert.equal(node.health?.ready, true);
    });

    it('where the closed form is refused, too', async () => {
      const node = await synced(backend);
      node.kernel.refuseLines(/NetworkPolicy default\/p3/);
      await node.update(desired({ policies: [policy('p3', { ingress: [rule({ ...sctp, action: 'deny' })] })] }));
      await node.pass(10_000);
      assert.equal(warnings(node).length, 1);
      assert.match(node.health?.detail ?? '', /iptables refuses a transaction.*; the kernel refuses rules of 1 policies/);
      assert.match(ingressOf(node, 'p3')?.[0] ?? '', /-p tcp/);
      node.kernel.refuseLines(undefined);
      await node.pass(40_000);
      assert.match(ingressOf(node, 'p3')?.at(-1) ?? '', /-j DROP/);
      assert.equal(node.health?.ready, true);
    });
  });

  describe(`a tool that dies while the kernel is asked (${backend})`, () => {
    for (const how of ['die-before-commit', 'die-after-commit'] as const) {
      for (const question of [1, 2, 3]) {
        it(`at question ${question}: the table is read, and it is found later (${how})`, async () => {
          const node = await synced(backend);
          // The two refusals, the questions before, then death.
          let asked = 0;
          const tool = node.kernel.ruleTool(4);
          const kernel = node.kernel;
          await node.driver.stop();
          const restore = async (text: string): Promise<void> => {
            if (text.includes(':cali-probe') && ++asked === question) kernel.failNext({ on: 'restore', how, matching: /:cali-probe/ });
            await tool.restore(text);
          };
          const next = await new Node(kernel, {}, { ruleTools: [{ ...tool, restore }] }).start();
          await next.update(world((i) => (i === 3 ? { ingress: [sctp] } : {})), another);
          await next.pass(20_000);
          assert.deepEqual(ingressOf(next, 'p3'), []);
          assert.ok(kernel.chains().includes('cali-fw-calic1'));
          assert.ok(!kernel.chains().includes('cali-probe'));
          assert.equal(next.health?.ready, true);
          assert.equal(warnings(next).length, 1);
        });
      }
    }
  });
}
