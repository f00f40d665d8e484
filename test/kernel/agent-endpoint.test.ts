// What holds for a pod's packets beside its policies: the host, interfaces that nobody knows, addresses that are not the pod's own,
// and marks that somebody else has set.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowRole, denyRole, policyObject } from './harness/objects.ts';
import { backends, ports, Stage } from './harness/stage.ts';
import { probe } from './harness/probe.ts';

for (const backend of backends) {
  describe(`packets of pods, ${backend}`, { concurrency: 3 }, () => {
    it('the host reaches its own pods, whatever their policies say', async () => {
      await using stage = await Stage.build({ backend, pods: { server: {}, stranger: {} } });
      stage.manifests.put(denyRole('shop', 'server'));
      await stage.readyAgent();
      await stage.expect({ 'node > server': 'passes', 'stranger > server': 'drops' });
    });

    it('a pod reaches its host as DefaultEndpointToHostAction says, if its egress policy lets it', async () => {
      await using stage = await Stage.build({ backend, pods: { free: {}, caged: {} } });
      stage.manifests.put(policyObject('shop', 'caged', { podSelector: { matchLabels: { role: 'caged' } }, policyTypes: ['Egress'] }));
      // The host's own rule: it decides only where ours leave the packet to it.
      await stage.iptables('', ['-w', '-A', 'INPUT', '-i', 'cali+', '-p', 'udp', '-j', 'DROP']);
      const cases = [
        { action: 'DROP', tcp: false, udp: false },
        { action: 'ACCEPT', tcp: true, udp: true },
        { action: 'RETURN', tcp: true, udp: false },
      ];
      for (const { action, tcp, udp } of cases) {
        const agent = await stage.readyAgent({ FELIX_DEFAULTENDPOINTTOHOSTACTION: action });
        assert.equal((await stage.send('free', 'node', 'tcp')).passed, tcp, `TCP with ${action}`);
        assert.equal((await stage.send('free', 'node', 'udp')).passed, udp, `UDP with ${action}`);
        await stage.expect({ 'caged > node': 'drops', 'node > caged': 'passes', 'node > free': 'passes' });
        await agent.stop();
      }
    });

    it('an interface of our prefix that belongs to no known pod is cut off', async () => {
      await using stage = await Stage.build({ backend, pods: { server: {}, newcomer: {} } });
      stage.manifests.remove(stage.object('newcomer'));
      await stage.readyAgent({ FELIX_DEFAULTENDPOINTTOHOSTACTION: 'ACCEPT' });
      await stage.expect({ 'newcomer > server': 'drops', 'server > newcomer': 'drops', 'newcomer > node': 'drops' });

      stage.manifests.put(stage.object('newcomer'));
      await stage.become({ 'newcomer > server': 'passes', 'server > newcomer': 'passes', 'newcomer > node': 'passes' });
    });

    it("a packet with another pod's address is dropped, on an established connection too", async () => {
      await using stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
      stage.manifests.put(allowRole('shop', 'server', 'friend'));
      await stage.readyAgent();
      const sourceAddress = stage.address('friend');
      await stage.pod('stranger').netns.batch([`addr add ${sourceAddress}/32 dev eth0`]);
      await stage.expect({ 'friend > server': 'passes' });
      assert.equal((await stage.send('stranger', 'server', 'udp', { sourceAddress })).passed, false);
      assert.equal((await stage.send('stranger', 'server', 'tcp', { sourceAddress })).passed, false);

      // The friend's connection, as connection tracking knows it by its addresses and ports.
      const connection = { sourceAddress, sourcePort: 40_000 };
      assert.equal((await stage.send('friend', 'server', 'udp', connection)).passed, true);
      assert.equal((await stage.send('stranger', 'server', 'udp', connection)).passed, false);
      assert.equal((await stage.send('friend', 'server', 'udp', connection)).passed, true);
    });

    it('a pod that has got another address cannot go on with connections of its old one', async () => {
      await using stage = await Stage.build({ backend, pods: { client: {}, server: {} } });
      await stage.readyAgent();
      const connection = { sourceAddress: stage.address('client'), sourcePort: 40_000 };
      assert.equal((await stage.send('client', 'server', 'udp', connection)).passed, true);

      const address = '10.70.0.99';
      await stage.pod('client').netns.batch([`addr add ${address}/32 dev eth0`]);
      await stage.node.netns.batch([`route add ${address}/32 dev ${stage.pod('client').interfaceName} scope link`]);
      const client = stage.object('client');
      stage.manifests.put({ ...client, status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } });
      await stage.become({ 'client > server': 'drops' });
      assert.equal((await stage.send('client', 'server', 'udp', { sourceAddress: address })).passed, true);
      assert.equal((await stage.send('client', 'server', 'udp', connection)).passed, false);
    });

    it('a mark that somebody set before us is not believed', async () => {
      await using stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
      // Neither of them is a pod: the host routes between them, and its FORWARD chain says no.
      const [left, right] = await Promise.all([['left', '10.71.0.1'], ['right', '10.71.0.2']].map(([name = '', address = '']) =>
        stage.node.addPod({ namespace: 'none', name, addresses: [address], interfaceName: `veth${name}` })));
      await right?.probe.listen('udp', ports.udp);
      await stage.iptables('', ['-w', '-P', 'FORWARD', 'DROP']);
      stage.manifests.put(allowRole('shop', 'server', 'friend'));
      await stage.readyAgent();
      for (const mark of ['0x10000', '0xffff0000']) {
        await stage.iptables('', ['-w', '-t', 'mangle', '-F']);
        for (const chain of ['PREROUTING', 'OUTPUT']) await stage.iptables('', ['-w', '-t', 'mangle', '-A', chain, '-j', 'MARK', '--set-mark', mark]);
        await stage.expect({ 'friend > server': 'passes', 'stranger > server': 'drops', 'friend > node': 'drops', 'node > server': 'passes' });
        assert.ok(left !== undefined && right !== undefined);
        const { passed } = await probe(left.probe, right.probe, { protocol: 'udp', address: '10.71.0.2', port: ports.udp });
        assert.equal(passed, false, `a packet with the mark ${mark} was accepted as if policy had allowed it`);
      }
    });
  });
}

