import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PacketStream, monotonicMicros, probe } from './harness/probe.ts';
import type { Attempt, Verdict } from './harness/probe.ts';
import type { Pod } from './harness/topology.ts';
import { Node, link } from './harness/topology.ts';

describe('packets between pods', () => {
  let here: Node;
  let there: Node;
  let a: Pod;
  let b: Pod;
  let far: Pod;

  before(async () => {
    [here, there] = await Promise.all([
      Node.create({ name: 'here', address: '172.31.0.1', podCidrs: ['10.65.0.0/24'] }),
      Node.create({ name: 'there', address: '172.31.0.2', podCidrs: ['10.65.1.0/24'] }),
    ]);
    await link(here, there);
    [a, b, far] = await Promise.all([
      here.addPod({ namespace: 'x', name: 'a', addresses: ['10.65.0.1', 'fd00:65::1'] }),
      here.addPod({ namespace: 'x', name: 'b', addresses: ['10.65.0.2', 'fd00:65::2'] }),
      there.addPod({ namespace: 'y', name: 'far', addresses: ['10.65.1.1'] }),
    ]);
    await Promise.all([a, b, far].map(async (pod) => {
      await pod.probe.listen('tcp', 80);
      await pod.probe.listen('udp', 53);
    }));
  });
  after(() => Promise.all([here.remove(), there.remove()]));

  const tcp = (address: string): Attempt => ({ protocol: 'tcp', address, port: 80 });
  const udp = (address: string): Attempt => ({ protocol: 'udp', address, port: 53 });
  const both = async (attempt: (kind: typeof tcp) => Promise<Verdict>): Promise<string[]> => [(await attempt(tcp)).how, (await attempt(udp)).how];

  test('pass on one node, both families, as Calico names the interfaces', async () => {
    assert.match(a.interfaceName, /^cali[0-9a-f]{11}$/);
    assert.deepEqual(await both((kind) => probe(a.probe, b.probe, kind('10.65.0.2'))), ['answered', 'answered']);
    assert.deepEqual(await both((kind) => probe(a.probe, b.probe, kind('fd00:65::2'))), ['answered', 'answered']);
  });

  test('pass between nodes, and from a node to its pod', async () => {
    assert.deepEqual(await both((kind) => probe(a.probe, far.probe, kind('10.65.1.1'))), ['answered', 'answered']);
    assert.deepEqual(await both((kind) => probe(far.probe, a.probe, kind('10.65.0.1'))), ['answered', 'answered']);
    assert.deepEqual(await both((kind) => probe(here.probe, a.probe, kind('10.65.0.1'))), ['answered', 'answered']);
  });

  test('without a listener are refused', async () => {
    const verdict = await probe(a.probe, b.probe, { protocol: 'tcp', address: '10.65.0.2', port: 81 });
    assert.equal(verdict.passed, false);
    assert.equal(verdict.code, 'ECONNREFUSED');
  });

  test('are silent behind DROP and refused behind REJECT, in the direction of the rule only', async () => {
    await here.netns.run('iptables-nft', ['-A', 'FORWARD', '-s', '10.65.0.1', '-m', 'conntrack', '--ctstate', 'NEW', '-j', 'DROP']);
    await here.netns.run('iptables-nft', ['-A', 'FORWARD', '-d', '10.65.0.2', '-j', 'REJECT']);
    assert.deepEqual(await both((kind) => probe(a.probe, b.probe, kind('10.65.0.2'))), ['silent', 'silent']);
    assert.deepEqual(await both((kind) => probe(b.probe, a.probe, kind('10.65.0.1'))), ['silent', 'answered'], 'a datagram has passed when it has arrived, a connection needs its answer');
    assert.deepEqual(await both((kind) => probe(far.probe, a.probe, kind('10.65.0.1'))), ['answered', 'answered']);
    assert.deepEqual(await both((kind) => probe(far.probe, b.probe, kind('10.65.0.2'))), ['refused', 'refused']);
    await here.netns.run('iptables-nft', ['-F', 'FORWARD']);
  });

  test('with a source address that is not the pod\'s own reach the rules', async () => {
    await b.netns.batch(['addr add 10.65.0.99/32 dev eth0']);
    await here.netns.run('iptables-nft', ['-A', 'FORWARD', '-s', '10.65.0.99', '-j', 'DROP']);
    await probe(b.probe, a.probe, { ...udp('10.65.0.1'), sourceAddress: '10.65.0.99' });
    const { stdout } = await here.netns.run('iptables-nft', ['-nvxL', 'FORWARD']);
    assert.match(stdout, /^\s+1 .* DROP .* 10\.65\.0\.99 /m);
    await here.netns.run('iptables-nft', ['-F', 'FORWARD']);
  });

  test('in a stream show when the verdict changes, and for good', async () => {
    const stream = await PacketStream.start(a.probe, b.probe, { address: '10.65.0.2', port: 9 });
    await stream.until(true, monotonicMicros());
    const before = monotonicMicros();
    await here.netns.run('iptables-nft', ['-A', 'FORWARD', '-j', 'DROP']);
    const after = monotonicMicros();
    const closed = await stream.until(false, before);
    assert.ok(closed >= before);
    assert.equal((await stream.count(Math.max(after, closed))).passed, 0);
    await here.netns.run('iptables-nft', ['-F', 'FORWARD']);
    await stream.until(true, monotonicMicros());
    await stream.stop();
  });
});
