// Somebody else changes our rules and sets: the agent notices, says in one line what was undone (and on nft by whom), and repairs it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AgentProcess } from './harness/agent-process.ts';
import { allowRole } from './harness/objects.ts';
import { backends, Stage } from './harness/stage.ts';
import type { Expectation } from './harness/stage.ts';

const VERDICTS: Readonly<Record<string, Expectation>> = {
  'friend > server': 'passes',
  'stranger > server': 'drops',
  'friend > node': 'drops',
};
const DRIFT_LINE = 'somebody changed our rules or sets; they are repaired';

for (const backend of backends) {
  describe(`what others undo, ${backend}`, () => {
    let stage: Stage;
    let agent: AgentProcess;
    before(async () => {
      stage = await Stage.build({ backend, pods: { friend: {}, server: {}, stranger: {} } });
      stage.manifests.put(allowRole('shop', 'server', 'friend'));
      agent = await stage.readyAgent();
      await stage.expect(VERDICTS);
    });
    after(() => stage.close());

    /** Makes the change, waits until it is repaired, and checks the line about it. */
    async function undo(object: string | RegExp, byRules: boolean, change: () => Promise<unknown>): Promise<void> {
      const linesBefore = agent.log.length;
      await change();
      await agent.logged('what was undone', (line) => agent.log.indexOf(line) >= linesBefore && line.msg === DRIFT_LINE);
      await stage.become(VERDICTS);
      const lines = agent.log.slice(linesBefore).filter(({ msg }) => msg === DRIFT_LINE);
      assert.equal(lines.length, 1, agent.tail());
      assert.match(String(lines[0]?.['undone']), object instanceof RegExp ? object : new RegExp(`^${object}$`));
      const by = lines[0]?.['by'];
      if (backend === 'nft' && byRules) assert.match(String(by), /^iptables-nft\[\d+\]$/);
      else assert.equal(by, undefined);
    }

    const chainOf = (pod: string): string => `cali-tw-${stage.pod(pod).interfaceName}`;
    const onlySet = async (): Promise<string> => {
      const names = (await stage.ipset('list', '-n')).split('\n').filter((name) => name.startsWith('cali40'));
      assert.equal(names.length, 1);
      return names[0] ?? '';
    };

    it('a chain that is flushed is filled again', async () => {
      await undo(/^cali-tw-\S+: \d+ of \d+ rules gone$/, true, () => stage.iptables('', ['-w', '-F', chainOf('server')]));
    });

    it('our jump that is deleted is back', async () => {
      await undo('top of FORWARD: our jump is gone', true, () => stage.iptables('', ['-w', '-D', 'FORWARD', '1']));
    });

    it('our accepting rule at the end that is deleted is back', async () => {
      await undo('end of FORWARD: our rule is gone', true, () => stage.iptables('', ['-w', '-D', 'FORWARD', '2']));
    });

    it('our jump is first again after a foreign insert, and the foreign rule is still there', async () => {
      const foreign = ['FORWARD', '-p', 'udp', '-m', 'comment', '--comment', 'a foreign rule', '-j', 'ACCEPT'];
      await undo('top of FORWARD: our jump is not first any more', true, () => stage.iptables('', ['-w', '-I', ...foreign]));
      assert.match(await stage.iptables('-save', ['-t', 'filter']), /-A FORWARD -p udp -m comment --comment "a foreign rule" -j ACCEPT/);
      await stage.iptables('', ['-w', '-D', ...foreign]);
    });

    it('a foreign rule at the top of our chain is gone', async () => {
      await undo('cali-FORWARD: 1 unknown rules', true, () => stage.iptables('', ['-w', '-I', 'cali-FORWARD', '-j', 'ACCEPT']));
    });

    it('a foreign rule at the end of our chain is gone', async () => {
      await undo('cali-wl-to-host: 1 unknown rules', true, () => stage.iptables('', ['-w', '-A', 'cali-wl-to-host', '-j', 'ACCEPT']));
    });

    it('a member that is deleted is in its set again', async () => {
      const set = await onlySet();
      await undo(`${set}: 1 members gone`, false, () => stage.ipset('del', set, stage.address('friend')));
    });

    it('a foreign member is not in our set any more', async () => {
      const set = await onlySet();
      await undo(`${set}: 1 unknown members`, false, () => stage.ipset('add', set, stage.address('stranger')));
    });

    it("a kernel chain's policy is not ours: it stays, and allowed packets pass all the same", async () => {
      const linesBefore = agent.log.length;
      await stage.iptables('', ['-w', '-P', 'FORWARD', 'DROP']);
      await stage.become(VERDICTS);
      assert.match(await stage.iptables('-save', ['-t', 'filter']), /^:FORWARD DROP /m);
      assert.deepEqual(agent.log.slice(linesBefore), []);
    });
  });
}
