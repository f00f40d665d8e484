import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { chooseBackend } from '../../src/dataplane/backend.ts';
import { readHostRules } from '../../src/dataplane/host-rules.ts';
import { describeSurvey, isBlocking, missingTools, survey } from '../../src/dataplane/survey.ts';
import { createCommandRunner } from '../../src/dataplane/command.ts';
import { Namespace } from './harness/namespace.ts';

describe('backend detection on a node', () => {
  let netns: Namespace;

  beforeEach(async () => {
    netns = await Namespace.create('backend');
  });
  afterEach(() => netns.remove());

  const iptables = (command: string, ...args: string[]): Promise<unknown> => netns.run(command, args, { env: { XTABLES_LOCKFILE: netns.lockFile } });
  const detect = async (): Promise<string> => chooseBackend(await readHostRules(netns.runner(), [4, 6]), 'auto').backend;

  test("the kubelet's hint in nft wins over more legacy rules", async () => {
    await iptables('iptables-nft', '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT');
    await iptables('iptables-legacy', '-A', 'INPUT', '-j', 'ACCEPT');
    assert.equal(await detect(), 'nft');
  });

  test("the kubelet's hint in legacy, for IPv6 only, wins over more nft rules", async () => {
    await iptables('ip6tables-legacy', '-t', 'mangle', '-N', 'KUBE-KUBELET-CANARY');
    await iptables('iptables-nft', '-A', 'INPUT', '-j', 'ACCEPT');
    assert.equal(await detect(), 'legacy');
  });

  test('without a hint the backend with more rules is taken', async () => {
    await iptables('iptables-nft', '-A', 'INPUT', '-j', 'ACCEPT');
    assert.equal(await detect(), 'nft');
    await iptables('iptables-legacy', '-A', 'INPUT', '-j', 'ACCEPT');
    await iptables('iptables-legacy', '-A', 'INPUT', '-j', 'DROP');
    assert.equal(await detect(), 'legacy');
  });

  test('asking creates no table in either backend', async () => {
    await detect();
    assert.equal((await netns.run('nft', ['list', 'tables'])).stdout, '');
    const names = await netns.run('sh', ['-c', 'cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || true']);
    assert.equal(names.stdout, '');
  });

  test('a survey names what an earlier agent left, and where', async () => {
    await iptables('iptables-nft', '-N', 'cali-FORWARD');
    await iptables('iptables-nft', '-t', 'raw', '-N', 'cali-PREROUTING');
    await iptables('iptables-nft', '-t', 'nat', '-N', 'KUBE-SERVICES');
    await iptables('iptables-legacy', '-N', 'felix-FORWARD');
    await netns.run('nft', ['add table ip calico; add table arp calico-arp; add table inet firewalld']);
    const runner = netns.runner();
    const found = await survey({
      runner, rules: await readHostRules(runner, [4, 6]), backend: 'nft', written: new Set(['filter']), isOurs: (chain) => /^(cali|felix)-/.test(chain),
    });
    assert.deepEqual(found, {
      otherTables: [{ backend: 'nft', family: 4, table: 'raw', chains: ['cali-PREROUTING'] }],
      otherBackend: [{ backend: 'legacy', family: 4, table: 'filter', chains: ['felix-FORWARD'] }],
      nativeTables: [{ family: 'ip', name: 'calico', blocking: true }, { family: 'arp', name: 'calico-arp', blocking: false }],
      unknown: [],
    });
    const sentences = describeSurvey(found);
    assert.equal(sentences.length, 3);
    assert.match(sentences[0] ?? '', /nft raw \(IPv4: cali-PREROUTING\).*Remedy/);
    assert.match(sentences[2] ?? '', /Remedy: nft delete table ip calico/);
  });

  test('native tables that kept the node from being ready are not taken for gone when nft fails', async () => {
    const { run, spawn } = netns.runner();
    const rules = await readHostRules({ run, spawn }, [4]);
    const look = (file: string): ReturnType<typeof survey> =>
      survey({ runner: { spawn, run: (_, args, options) => run(file, args, options) }, rules, backend: 'nft', written: new Set(['filter']), isOurs: () => true });
    await netns.run('nft', ['add table ip calico']);
    assert.equal(isBlocking(await look('nft'), false), true);
    assert.equal(isBlocking(await look('false'), true), true);
    assert.equal(isBlocking(await look('no-such-program'), true), true);
    await netns.run('nft', ['delete table ip calico']);
    assert.equal(isBlocking(await look('nft'), true), false);
    assert.equal(isBlocking(await look('false'), false), false);
  });

  test('a table that cannot be read is not taken for empty', async () => {
    await netns.run('nft', ['add table ip filter; add chain ip filter native; add rule ip filter native fib saddr type local accept']);
    const runner = netns.runner();
    const { unknown } = await survey({ runner, rules: await readHostRules(runner, [4]), backend: 'nft', written: new Set(['filter']), isOurs: () => true });
    assert.match(unknown[0] ?? '', /incompatible/);
  });
});

test('tools that are not there are named with their package', async () => {
  const found = await missingTools(createCommandRunner(), 'nft', [4, 6]);
  assert.deepEqual(found, []);
  const nothing = createCommandRunner({ env: { PATH: '/nonexistent' } });
  const { run } = createCommandRunner();
  const runner = { spawn: nothing.spawn, run: (file: string, args: readonly string[]) => run('env', ['PATH=/nonexistent', `/bin/${file}`, ...args]) };
  const missing = await missingTools(runner, 'legacy', [4]);
  assert.deepEqual(missing.map(({ tool }) => tool), ['stdbuf', 'flock', 'ipset', 'inotifywait', 'iptables-legacy-restore', 'iptables-legacy-save']);
  assert.match(missing[3]?.message ?? '', /inotify-tools/);
});
