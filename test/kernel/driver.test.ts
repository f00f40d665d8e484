// The driver on the real kernel, both backends, with coprocesses: what it writes is accepted, found again as it was written, edited by
// value and removed. Every match that the renderer knows is in it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { noMetrics } from '../../src/lib/metrics.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { ComponentHealth } from '../../src/lib/health.ts';
import type { RuleTool, SetTool } from '../../src/dataplane/kernel.ts';
import { Driver } from '../../src/dataplane/driver.ts';
import { defaultOptions } from '../../src/dataplane/options.ts';
import { openRules, openSets, toolName } from '../../src/dataplane/tools.ts';
import { desired, endpoint, entity, policy, ports, profile, rule, set, tier } from '../dataplane/objects.ts';
import { eventually } from './harness/eventually.ts';
import { Namespace } from './harness/namespace.ts';

const sixteen = Array.from({ length: 16 }, (_, i) => 1_000 + i);
const nets = ['10.0.0.0/8', '192.168.0.0/16'];

/** Every shape of rule. */
const shapes = policy('shapes', {
  ingress: [
    rule({ protocol: 6, source: entity({ sets: ['s:a', 's:b'], notSets: ['s:c'] }), destination: entity({ ports: ports(80, [8000, 8080]) }) }),
    rule({ protocol: 17, source: entity({ nets, ports: ports(...sixteen) }), destination: entity({ ports: ports(53), portSets: ['n:a', 'n:b'] }) }),
    rule({ protocol: 132, source: entity({ nets: ['10.0.0.0/8'], notNets: ['10.1.0.0/16', '10.2.0.0/16'] }), destination: entity({ notPorts: ports(...sixteen), notPortSets: ['n:a'] }) }),
    rule({ action: 'deny', protocol: 1, icmp: { type: 8 }, notIcmp: { type: 3, code: 4 } }),
    rule({ action: 'pass', notProtocol: 6, source: entity({ notNets: nets }), destination: entity({ nets, notNets: ['10.3.0.0/16'] }) }),
    rule({ action: 'log', protocol: 47 }),
    rule({ protocol: 136, destination: entity({ ports: ports(0, 65_535) }) }),
    rule({}),
    rule({}),
  ],
  egress: [rule({ destination: entity({ nets: ['10.0.0.0/8'], notNets: ['10.1.0.0/16'] }) })],
});

function world(webRules = 100): ReturnType<typeof desired> {
  return desired({
    addedSets: [
      set('s:a', ['10.0.0.9', '10.5.0.0/16']),
      set('s:b', ['10.0.0.9']),
      set('s:c', [], { use: 'deny' }),
      set('n:a', ['10.0.0.9,udp:53', '10.0.0.9,sctp:7'], { type: 'ip-port' }),
      set('n:b', [], { type: 'ip-port' }),
    ],
    policies: [shapes, long(webRules)],
    profiles: [profile('kns.default')],
    endpoints: [
      endpoint('web', 'a1', { addresses: ['10.0.0.1', '10.0.0.2'], tiers: [tier({ name: 'first', defaultAction: 'pass', ingress: [shapes.key] }), tier({ ingress: ['knp/default/long'], egress: [shapes.key] })] }),
      endpoint('db', 'x1', { addresses: ['fd00::1'] }),
    ],
  });
}

function long(count: number, first = 0): ReturnType<typeof policy> {
  return policy('long', { ingress: Array.from({ length: count }, (_, i) => rule({ action: 'deny', source: entity({ nets: [`172.16.${first + i}.0/24`] }) })) });
}

for (const backend of ['nft', 'legacy'] as const) {
  describe(`the driver on ${backend}`, () => {
    let netns: Namespace;
    let rules: RuleTool;
    let sets: SetTool;
    let driver: Driver;
    let health: ComponentHealth | undefined;
    let sent = 0;
    let acknowledged = 0;
    const written: string[] = [];
    const problems: unknown[] = [];
    const logger: Logger = { ...silentLogger, error: (fields, message) => void problems.push({ message, ...fields }) };

    function start(): void {
      health = undefined;
      driver = new Driver(
        {
          ruleTools: [{ ...rules, family: 4, save: (table) => rules.save(table), close: () => rules.close(), restore: (text) => (written.push(text), rules.restore(text)) }],
          sets: { save: (name) => sets.save(name), headers: () => sets.headers(), close: () => sets.close(), run: (commands) => (written.push(...commands), sets.run(commands)) },
          clock: systemClock,
          logger,
          metrics: noMetrics,
          health: { report: (_, reported) => void (health = reported) },
          onApplied: (receivedAt) => void (acknowledged = receivedAt),
        },
        { ...defaultOptions, allowAction: 'ACCEPT', denyAction: 'DROP' },
      );
      driver.start();
    }

    async function applied(change: ReturnType<typeof desired>): Promise<void> {
      sent += 1;
      const receivedAt = sent;
      driver.update({ ...change, receivedAt });
      await eventually('the change is acknowledged', () => acknowledged >= receivedAt);
    }

    const save = (): Promise<string> => rules.save('filter');
    const iptables = (...args: string[]): Promise<unknown> => netns.run(toolName(backend, 4), args, { env: { XTABLES_LOCKFILE: netns.lockFile } });
    const chainOf = async (name: string): Promise<string[]> => (await save()).split('\n').filter((line) => line.startsWith(`-A ${name} `));

    before(async () => {
      netns = await Namespace.create(`driver-${backend}`);
      const options = { runner: netns.runner(), coprocess: true };
      rules = await openRules({ ...options, backend, family: 4, lockFile: netns.lockFile });
      sets = await openSets(options);
      await iptables('-N', 'FOREIGN');
      await iptables('-A', 'FORWARD', '-j', 'FOREIGN');
      start();
    });
    after(async () => {
      await driver.stop();
      await rules.close();
      await sets.close();
      await netns.remove();
    });

    test('every shape of rule and set is accepted', async () => {
      await applied(world());
      assert.deepEqual(problems, []);
      const forward = await chainOf('FORWARD');
      assert.match(forward[0] ?? '', /-j cali-FORWARD$/);
      assert.match(forward[1] ?? '', /-j FOREIGN$/);
      assert.match(forward[2] ?? '', /-m mark --mark 0x10000\/0x10000 -j ACCEPT$/);
      assert.equal((await chainOf('cali-pi-knp/default/long')).length, 100);
      assert.match(await sets.save('cali40n:a'), /^add cali40n:a 10\.0\.0\.9,udp:53$/m);
    });

    test('a restart finds it as it was written and writes nothing', async () => {
      await driver.stop();
      start();
      written.length = 0;
      await applied(world());
      assert.equal(health?.ready, true);
      assert.deepEqual(written, []);
    });

    test('a long chain is edited by value and number, and is then in order', async () => {
      written.length = 0;
      await applied(desired({ policies: [long(100, 3)] }));
      const sources = (await chainOf('cali-pi-knp/default/long')).map((line) => /-s 172\.16\.(\d+)\.0\/24/.exec(line)?.[1]);
      assert.deepEqual(sources, Array.from({ length: 100 }, (_, i) => String(i + 3)));
      assert.ok((written[0] ?? '').split('\n').length < 15, written[0]);
    });

    test('what somebody flushed and deleted comes back', async () => {
      const wanted = await save();
      await iptables('-F');
      driver.ring({ touched: 'everything', reason: 'flushed' });
      const rulesOf = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('-A cali-')).sort();
      await eventually('all rules are back', async () => isDeepStrictEqual(rulesOf(await save()), rulesOf(wanted)));
      assert.match((await chainOf('FORWARD'))[0] ?? '', /-j cali-FORWARD$/);
    });

    test('a pod that goes takes its chains and sets with it', async () => {
      await applied(desired({ removedEndpoints: ['default/web'], removedPolicies: [shapes.key, 'knp/default/long'], removedSets: ['s:a', 's:b', 's:c', 'n:a', 'n:b'] }));
      await eventually('the chains are gone', async () => !/calia1|knp/.test(await save()));
      await eventually('the sets are gone', async () => !/cali4/.test(await sets.save()));
      assert.deepEqual(problems, []);
    });

    test("Felix's rules are taken over in one transaction, and its leftovers go", async () => {
      await driver.stop();
      await netns.run(toolName(backend, 4, 'restore'), [], { input: felix, env: { XTABLES_LOCKFILE: netns.lockFile } });
      start();
      written.length = 0;
      await applied(world());
      assert.equal(written.filter((text) => text.startsWith('*filter')).length, 1);
      await eventually('the leftovers are gone', async () => !/cali-failsafe-in|cali-cidr-block|wUHhoiAYhphO9Mso/.test(await save()));
      assert.equal((await chainOf('FORWARD')).length, 2);
      assert.deepEqual(problems, []);
    });
  });
}

/** As Felix leaves it. */
const felix = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:cali-FORWARD - [0:0]
:cali-INPUT - [0:0]
:cali-OUTPUT - [0:0]
:cali-cidr-block - [0:0]
:cali-failsafe-in - [0:0]
:cali-from-wl-dispatch - [0:0]
:cali-to-wl-dispatch - [0:0]
-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT
-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD
-A FORWARD -m comment --comment "cali:S93hcgKJrXEqnTfs" -m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
-A FORWARD -m comment --comment "cali:mp77cMpurHhyjLrM" -j MARK --set-xmark 0x10000/0x10000
-A OUTPUT -m comment --comment "cali:tVnHkvAo15HuiPy0" -j cali-OUTPUT
-A cali-FORWARD -m comment --comment "cali:vjrMJCRpqwy5oRoX" -j MARK --set-xmark 0x0/0xe0000
-A cali-FORWARD -i cali+ -m comment --comment "cali:EvU-kcVAmrFJPfSe" -j cali-from-wl-dispatch
-A cali-FORWARD -o cali+ -m comment --comment "cali:A_ymE5vsPR-pT4vs" -j cali-to-wl-dispatch
-A cali-FORWARD -m comment --comment "cali:9jBS9kmuQwfkHgqZ" -j cali-cidr-block
-A cali-INPUT -p tcp -m comment --comment "cali:BBBBBBBBBBBBBBB0" -m tcp --dport 22 -j cali-failsafe-in
-A cali-from-wl-dispatch -m comment --comment "cali:zTj6P0TIgYvgz-md" -m comment --comment "Unknown interface" -j DROP
-A cali-to-wl-dispatch -m comment --comment "cali:7KNphB1nNHw80nIO" -m comment --comment "Unknown interface" -j DROP
COMMIT
`;
