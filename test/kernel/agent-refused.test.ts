// The kernel's tools refuse, wait or cannot read: it is reported with what was refused and what to do, nothing opens, everything
// else goes on, and when the cause is gone the agent comes right by itself.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { eventually } from './harness/eventually.ts';
import { sameAsFresh } from './harness/fresh-agent.ts';
import { allowRole, denyRole, NODE_NAME, podObject } from './harness/objects.ts';
import { ownState } from './harness/own-state.ts';
import { backends, Stage } from './harness/stage.ts';
import { SteadyTraffic } from './harness/steady-traffic.ts';

/** A pod of another node that the server takes traffic from. */
const far = (number: number) => podObject({ namespace: 'shop', name: `far-${number}`, addresses: [`10.70.9.${number}`], labels: { role: 'friend' }, node: `not-${NODE_NAME}` });

async function stageOf(backend: (typeof backends)[number]): Promise<Stage> {
  const stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
  stage.manifests.put(allowRole('shop', 'server', 'friend'));
  return stage;
}

async function friendsSet(stage: Stage): Promise<string> {
  const name = /^cali40s:\S+/m.exec(await stage.ipset('list', '-n'))?.[0];
  assert.ok(name !== undefined);
  return name;
}

describe('sets that ipset refuses', { concurrency: 2 }, () => {
  it('a set that is full is named with the remedy; other changes go in; it is filled when there is room', async () => {
    const verdicts = { 'friend > server': 'passes', 'stranger > server': 'drops' } as const;
    await using stage = await stageOf('nft');
    stage.manifests.put(far(1));
    const agent = await stage.readyAgent({ FELIX_MAXIPSETSIZE: '2' });
    await stage.expect(verdicts);
    const traffic = await SteadyTraffic.start(stage, verdicts);
    stage.manifests.put(far(2));
    const set = await friendsSet(stage);
    const line = await agent.logged('the full set', ({ msg }) => msg === 'ipset refused a change');
    assert.equal(line['set'], set);
    assert.match(String(line['description']), /role == "friend"/);
    assert.match(String(line['output']), /full/);
    assert.match(String(line['remedy']), /FELIX_MAXIPSETSIZE/);
    const { status } = await agent.readiness('the set to be named', ({ body }) => body.includes(`ipset refuses changes to ${set} (`));
    assert.equal(status, 503);

    stage.manifests.put(denyRole('shop', 'stranger'));
    await stage.become({ 'friend > stranger': 'drops' });
    stage.manifests.remove(far(1));
    await agent.ready();
    assert.match(await stage.ipset('save', set), /10\.70\.9\.2/);
    await stage.expect(verdicts);
    await traffic.finish();
  });

  it('a name that somebody else took is named; the policy that needs it closes, all else goes on; it opens when the name is free', async () => {
    const policy = allowRole('shop', 'server', 'friend');
    await using stage = await stageOf('nft');
    stage.manifests.put(allowRole('shop', 'stranger', 'server'));
    const agent = await stage.readyAgent();
    await stage.expect({ 'server > stranger': 'passes', 'friend > stranger': 'drops' });
    const names = (await stage.ipset('list', '-n')).split('\n').filter((name) => name.startsWith('cali40s:'));
    stage.manifests.remove(policy);
    const taken = await eventually('the set of the policy that went is gone', async () => {
      const left = await stage.ipset('list', '-n');
      return names.find((name) => !left.includes(name));
    });
    await stage.ipset('create', taken, 'hash:ip');
    await stage.iptables('', ['-w', '-N', 'FOREIGN']);
    await stage.iptables('', ['-w', '-A', 'FOREIGN', '-m', 'set', '--match-set', taken, 'src', '-j', 'ACCEPT']);
    const traffic = await SteadyTraffic.start(stage, { 'server > stranger': 'passes', 'friend > stranger': 'drops' });

    stage.manifests.put(policy);
    const line = await agent.logged('the name that is taken', ({ msg }) => msg === 'ipset refused a change');
    assert.equal(line['set'], taken);
    assert.match(String(line['remedy']), /somebody else/);
    await agent.readiness('the set to be named', ({ status, body }) => status === 503 && body.includes(`ipset refuses changes to ${taken} (`));
    const other = podObject({ namespace: 'shop', name: 'other', addresses: ['10.70.9.9'], labels: { role: 'server' }, node: `not-${NODE_NAME}` });
    stage.manifests.put(other);
    await eventually('a member of another set is in it', async () => (await stage.ipset('save')).includes(' 10.70.9.9'));
    await stage.become({ 'friend > server': 'drops', 'stranger > server': 'drops' });
    stage.manifests.put(denyRole('shop', 'friend'));
    await stage.become({ 'server > friend': 'drops' });

    await stage.iptables('', ['-w', '-F', 'FOREIGN']);
    await agent.ready(60_000);
    await stage.expect({ 'friend > server': 'passes', 'stranger > server': 'drops' });
    await traffic.finish();
    await sameAsFresh(stage, agent);
  });
});

for (const backend of backends) {
  describe(`rules that iptables-${backend} refuses`, () => {
    it('a transaction that deletes what somebody else has just deleted is refused whole, and made anew', async () => {
      await using stage = await stageOf(backend);
      const agent = await stage.readyAgent();
      const traffic = await SteadyTraffic.start(stage, { 'friend > server': 'passes' });
      const dispatch = /^-A (cali-from-wl-dispatch\S*) -i (\S+) .*-g cali-fw-/;
      const interfaceName = stage.pod('stranger').interfaceName;
      // Legacy is read once a second at most: behind this, what comes next is not seen before the agent writes.
      await stage.iptables('', ['-w', '-A', 'cali-wl-to-host', '-j', 'DROP']);
      await agent.logged('the repair', ({ msg }) => msg.includes('they are repaired'));
      const rule = (await stage.iptables('-save', ['-t', 'filter'])).split('\n').find((line) => dispatch.exec(line)?.[2] === interfaceName);
      assert.ok(rule !== undefined);
      await stage.iptables('-restore', ['-w', '--noflush'], `*filter\n${rule.replace('-A', '-D')}\nCOMMIT\n`);
      stage.manifests.remove(stage.object('stranger'));
      stage.manifests.put(denyRole('shop', 'friend'));
      await stage.become({ 'server > friend': 'drops', 'stranger > server': 'drops', 'friend > server': 'passes' });
      if (backend === 'legacy') {
        const line = await agent.logged('the refusal', ({ msg }) => msg.startsWith('iptables refused a transaction'));
        assert.equal(line.level, 'error');
        assert.notEqual(line['remedy'], undefined);
      }
      await agent.ready();
      await sameAsFresh(stage, agent);
      await traffic.finish();
    });
  });
}

describe('rules that cannot be read', { concurrency: 2 }, () => {
  const incompatible = 'add rule ip filter FORWARD fib saddr type local counter\n';
  const mend = async (stage: Stage): Promise<void> => {
    const listed = (await stage.node.netns.run('nft', ['-a', 'list', 'chain', 'ip', 'filter', 'FORWARD'])).stdout;
    const handle = /fib saddr type local .* handle (\d+)/.exec(listed)?.[1] ?? '';
    await stage.node.netns.run('nft', ['delete', 'rule', 'ip', 'filter', 'FORWARD', 'handle', handle]);
  };

  it('a running agent says why and where to look, goes on writing what changes, and reads them when it can', async () => {
    await using stage = await stageOf('nft');
    const agent = await stage.readyAgent();
    await stage.node.netns.run('nft', ['-f', '-'], { input: incompatible });
    const line = await agent.logged('why', ({ msg }) => msg.includes('the kernel could not be read'));
    assert.match(String(line['error']), /holds a rule that only nft can show.*nft list table ip filter/);
    await agent.readiness('readiness to say so', ({ status, body }) => status === 503 && body.includes('the kernel cannot be read'));
    stage.manifests.put(denyRole('shop', 'friend'));
    await stage.become({ 'friend > server': 'passes', 'stranger > server': 'drops', 'server > friend': 'drops' });
    await stage.iptables('-restore', ['-w', '--noflush'], `*filter\n:cali-tw-${stage.pod('server').interfaceName} - [0:0]\nCOMMIT\n`);
    await stage.become({ 'stranger > server': 'passes' });

    await mend(stage);
    await stage.become({ 'friend > server': 'passes', 'stranger > server': 'drops', 'server > friend': 'drops' });
    await agent.ready();
    await sameAsFresh(stage, agent);
  });

  it('an agent that starts writes nothing before it has read them', async () => {
    await using stage = await stageOf('nft');
    await stage.node.netns.run('nft', ['-f', '-'], { input: `add table ip filter\nadd chain ip filter FORWARD { type filter hook forward priority 0; }\n${incompatible}` });
    const agent = stage.startAgent();
    const { status } = await agent.readiness('it to be said', ({ body }) => body.includes('the kernel cannot be read'));
    assert.equal(status, 503);
    await mend(stage);
    assert.doesNotMatch(await ownState(stage.node.netns, 'nft'), /cali/);
    await agent.ready(60_000);
    await stage.expect({ 'friend > server': 'passes', 'stranger > server': 'drops' });
  });
});

describe('the xtables lock of iptables-legacy', () => {
  it('held by another for longer than we wait: the holder is named, nothing opens, and what waited goes in when it is free', async () => {
    await using stage = await stageOf('legacy');
    const agent = await stage.readyAgent({ FELIX_IPTABLESLOCKTIMEOUTSECS: '1' });
    const { netns } = stage.node;
    const traffic = await SteadyTraffic.start(stage, { 'friend > server': 'passes', 'stranger > server': 'drops' });
    const holder = netns.spawn('flock', ['--exclusive', '--no-fork', netns.lockFile, 'sh', '-c', 'echo held; exec cat']);
    await once(holder.stdout, 'data');
    stage.manifests.put(denyRole('shop', 'friend'));
    const line = await agent.logged('who holds the lock', ({ error, output }) => /lock/.test(String(error ?? output)));
    assert.match(String(line['error'] ?? line['output']), new RegExp(`process ${holder.pid} \\(cat\\)`));
    await stage.expect({ 'server > friend': 'passes' });
    holder.stdin.end();
    await stage.become({ 'server > friend': 'drops' });
    await agent.ready();
    await traffic.finish();
  });
});
