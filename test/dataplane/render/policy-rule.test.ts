// Expected texts are written by hand from iptables' manual.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ActiveRule } from '../../../src/model/desired.ts';
import { EncodingRefused } from '../../../src/dataplane/errors.ts';
import { policyRule } from '../../../src/dataplane/render/policy-rule.ts';
import type { DataplaneOptions } from '../../../src/dataplane/options.ts';
import { entity, options, ports, rule } from '../objects.ts';

const accept = '-j MARK --set-xmark 0x10000/0x10000';
const returnAccepted = '-m mark --mark 0x10000/0x10000 -j RETURN';
const clearScratch = '-j MARK --set-xmark 0x0/0x180000';
const setScratch0 = '-j MARK --set-xmark 0x80000/0x80000';
const setScratch1 = '-j MARK --set-xmark 0x100000/0x100000';
const dropScratch0 = '-j MARK --set-xmark 0x0/0x80000';
const ifScratch0 = '-m mark --mark 0x80000/0x80000';

function render(fields: Partial<ActiveRule>, changed: Partial<DataplaneOptions> = {}, family: 4 | 6 = 4): string[] {
  return policyRule(rule(fields), options(changed, family), (id) => `cali${family}0${id}`, 'calico-packet').map(({ text }) => text);
}

/** Of an Allow rule, without its two last words: only the matches are of interest. */
function matchesOf(fields: Partial<ActiveRule>, family: 4 | 6 = 4): string[] {
  const rules = render(fields, {}, family);
  assert.equal(rules.pop(), returnAccepted);
  return rules;
}

describe('actions', () => {
  it('Allow sets the accept mark and returns', () => {
    assert.deepEqual(render({}), [accept, returnAccepted]);
  });

  it('Pass sets the pass mark and returns', () => {
    assert.deepEqual(render({ action: 'pass' }), ['-j MARK --set-xmark 0x20000/0x20000', '-m mark --mark 0x20000/0x20000 -j RETURN']);
  });

  it('Deny drops, or rejects where it is configured so', () => {
    assert.deepEqual(render({ action: 'deny' }), ['-j DROP']);
    assert.deepEqual(render({ action: 'deny' }, { denyAction: 'REJECT' }), ['-j REJECT']);
  });

  it('Log logs and goes on, at a limited rate where one is configured', () => {
    assert.deepEqual(render({ action: 'log' }), ['-j LOG --log-prefix "calico-packet: " --log-level 5']);
    assert.deepEqual(render({ action: 'log', protocol: 6 }, { logRateLimit: '10/minute' }), [
      '-p tcp -m limit --limit 10/minute --limit-burst 5 -j LOG --log-prefix "calico-packet: " --log-level 5',
    ]);
  });
});

describe('matches of one rule', () => {
  it('come in the order protocol, source, destination', () => {
    const source = entity({ nets: ['10.0.0.0/8'], sets: ['s:a', 's:b'], ports: ports(1024) });
    const destination = entity({ nets: ['10.1.0.0/16'], sets: ['s:c'], ports: ports(80, [8000, 8080]) });
    assert.deepEqual(matchesOf({ protocol: 6, source, destination }), [
      '-p tcp -s 10.0.0.0/8 -m set --match-set cali40s:a src -m set --match-set cali40s:b src -m multiport --sports 1024 ' +
        `-d 10.1.0.0/16 -m set --match-set cali40s:c dst -m multiport --dports 80,8000:8080 ${accept}`,
    ]);
  });

  it('are negated one by one', () => {
    const source = entity({ notNets: ['10.0.0.0/8'], notSets: ['s:a'], notPorts: ports(1024), notPortSets: ['n:a'] });
    assert.deepEqual(matchesOf({ protocol: 17, source }), [
      `-p udp ! -s 10.0.0.0/8 -m set ! --match-set cali40s:a src -m multiport ! --sports 1024 -m set ! --match-set cali40n:a src,src ${accept}`,
    ]);
  });

  it('name a protocol, or exclude one', () => {
    assert.deepEqual(matchesOf({ protocol: 132 }), [`-p sctp ${accept}`]);
    assert.deepEqual(matchesOf({ protocol: 47 }), [`-p 47 ${accept}`]);
    assert.deepEqual(matchesOf({ notProtocol: 6 }), [`! -p tcp ${accept}`]);
    assert.deepEqual(matchesOf({ protocol: 6, notProtocol: 17 }), [`-p tcp ${accept}`]);
  });

  it('a protocol that is also excluded matches nothing', () => {
    assert.deepEqual(render({ protocol: 6, notProtocol: 6 }), []);
  });

  it('look at ICMP type and code, and at neither of those excluded', () => {
    assert.deepEqual(matchesOf({ protocol: 1, icmp: { type: 8 } }), [`-p icmp -m icmp --icmp-type 8 ${accept}`]);
    assert.deepEqual(matchesOf({ protocol: 1, icmp: { type: 3, code: 4 }, notIcmp: { type: 3, code: 1 } }), [
      `-p icmp -m icmp --icmp-type 3/4 -m icmp ! --icmp-type 3/1 ${accept}`,
    ]);
    assert.deepEqual(matchesOf({ protocol: 58, icmp: { type: 128 } }, 6), [`-p icmpv6 -m icmp6 --icmpv6-type 128 ${accept}`]);
  });

  it('a single named port is one set match on address and port', () => {
    assert.deepEqual(matchesOf({ protocol: 6, destination: entity({ portSets: ['n:http'] }) }), [
      `-p tcp -m set --match-set cali40n:http dst,dst ${accept}`,
    ]);
  });
});

describe('services and comments', () => {
  it('the endpoints of a service are one set match on address, protocol and port', () => {
    assert.deepEqual(matchesOf({ protocol: 6, destination: entity({ serviceSets: ['svc:a'] }) }), [`-p tcp -m set --match-set cali40svc:a dst,dst ${accept}`]);
    assert.deepEqual(matchesOf({ destination: entity({ serviceSets: ['svc:a'] }) }, 6), [`-m set --match-set cali60svc:a dst,dst ${accept}`]);
  });

  it('a service and ports are ANDed', () => {
    assert.deepEqual(matchesOf({ protocol: 6, source: entity({ serviceSets: ['svc:a'], ports: ports(80) }) }), [
      `-p tcp -m multiport --sports 80 -m set --match-set cali40svc:a src,src ${accept}`,
    ]);
  });

  it('comments stand on the rule that decides, without what a tool could misread', () => {
    assert.deepEqual(matchesOf({ protocol: 6, comments: ['owner=team a', 'why="x"; -j ACCEPT\n'] }), [
      `-m comment --comment "owner=team a" -m comment --comment "why=_x__ -j ACCEPT_" -p tcp ${accept}`,
    ]);
    assert.deepEqual(matchesOf({ source: entity({ nets: ['10.0.0.0/8', '192.168.0.0/16'] }), comments: ['a=b'] }).at(-1), `-m comment --comment "a=b" ${ifScratch0} ${accept}`);
  });

  it('comments are cut at 255 characters, and end after eight or a thousand characters', () => {
    const count = (comments: readonly string[]): number => (matchesOf({ comments })[0] ?? '').split('-m comment').length - 1;
    assert.match(matchesOf({ comments: ['x'.repeat(300)] })[0] ?? '', /--comment "x{255}"/);
    assert.equal(count(Array.from({ length: 20 }, (_, i) => `k=${i}`)), 8);
    assert.equal(count(Array.from({ length: 8 }, () => 'x'.repeat(255))), 3);
    assert.equal(count(['', 'a=b', '']), 1);
  });
});

describe('lists that one rule cannot express', () => {
  it('several networks set a scratch mark, which the final rule requires', () => {
    assert.deepEqual(matchesOf({ source: entity({ nets: ['10.0.0.0/8', '192.168.0.0/16'] }) }), [
      clearScratch,
      `-s 10.0.0.0/8 ${setScratch0}`,
      `-s 192.168.0.0/16 ${setScratch0}`,
      `${ifScratch0} ${accept}`,
    ]);
  });

  it('two lists are ANDed', () => {
    const nets = ['10.0.0.0/8', '192.168.0.0/16'];
    assert.deepEqual(matchesOf({ source: entity({ nets }), destination: entity({ nets }) }), [
      clearScratch,
      `-s 10.0.0.0/8 ${setScratch0}`,
      `-s 192.168.0.0/16 ${setScratch0}`,
      `-d 10.0.0.0/8 ${setScratch1}`,
      `-d 192.168.0.0/16 ${setScratch1}`,
      `-m mark --mark 0x0/0x100000 ${dropScratch0}`,
      `${ifScratch0} ${accept}`,
    ]);
  });

  it('a third list begins with a clear mark', () => {
    const nets = ['10.0.0.0/8', '192.168.0.0/16'];
    const destination = entity({ nets, ports: ports(80), portSets: ['n:http'] });
    assert.deepEqual(matchesOf({ protocol: 6, source: entity({ nets }), destination }), [
      clearScratch,
      `-s 10.0.0.0/8 ${setScratch0}`,
      `-s 192.168.0.0/16 ${setScratch0}`,
      `-d 10.0.0.0/8 ${setScratch1}`,
      `-d 192.168.0.0/16 ${setScratch1}`,
      `-m mark --mark 0x0/0x100000 ${dropScratch0}`,
      '-j MARK --set-xmark 0x0/0x100000',
      `-p tcp -m multiport --dports 80 ${setScratch1}`,
      `-m set --match-set cali40n:http dst,dst ${setScratch1}`,
      `-m mark --mark 0x0/0x100000 ${dropScratch0}`,
      `-p tcp ${ifScratch0} ${accept}`,
    ]);
  });

  it('several excluded networks clear a mark that was set', () => {
    assert.deepEqual(matchesOf({ source: entity({ notNets: ['10.0.0.0/8', '192.168.0.0/16'] }) }), [
      '-j MARK --set-xmark 0x80000/0x180000',
      `-s 10.0.0.0/8 ${dropScratch0}`,
      `-s 192.168.0.0/16 ${dropScratch0}`,
      `${ifScratch0} ${accept}`,
    ]);
  });

  it('an ipBlock with one exception needs a mark, because iptables takes one source', () => {
    assert.deepEqual(matchesOf({ source: entity({ nets: ['10.0.0.0/8'], notNets: ['10.1.0.0/16'] }) }), [
      '-j MARK --set-xmark 0x80000/0x180000',
      `-s 10.1.0.0/16 ${dropScratch0}`,
      `-s 10.0.0.0/8 ${ifScratch0} ${accept}`,
    ]);
  });

  it('fifteen ports fit into one match', () => {
    const fifteen = Array.from({ length: 15 }, (_, i) => i + 1);
    assert.deepEqual(matchesOf({ protocol: 6, destination: entity({ ports: ports(...fifteen) }) }), [
      `-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 ${accept}`,
    ]);
  });

  it('a range takes two of the fifteen slots, and more ports than slots are alternatives', () => {
    const fourteen = Array.from({ length: 14 }, (_, i) => i + 1);
    assert.deepEqual(matchesOf({ protocol: 6, destination: entity({ ports: ports(...fourteen, [100, 200]) }) }), [
      clearScratch,
      `-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14 ${setScratch0}`,
      `-p tcp -m multiport --dports 100:200 ${setScratch0}`,
      `-p tcp ${ifScratch0} ${accept}`,
    ]);
  });

  it('more than fifteen excluded ports are ANDed in one rule', () => {
    const sixteen = Array.from({ length: 16 }, (_, i) => i + 1);
    assert.deepEqual(matchesOf({ protocol: 6, destination: entity({ notPorts: ports(...sixteen) }) }), [
      `-p tcp -m multiport ! --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -m multiport ! --dports 16 ${accept}`,
    ]);
  });

  it('of many exceptions those that do not fit into a rule clear a mark that was set', () => {
    const many = Array.from({ length: 46 }, (_, i) => i + 1);
    assert.deepEqual(matchesOf({ protocol: 6, destination: entity({ notPorts: ports(...many), notPortSets: ['n:a', 'n:b', 'n:c'] }) }), [
      '-j MARK --set-xmark 0x80000/0x180000',
      `-p tcp -m multiport --dports 31,32,33,34,35,36,37,38,39,40,41,42,43,44,45 ${dropScratch0}`,
      `-p tcp -m multiport --dports 46 ${dropScratch0}`,
      `-p tcp -m set --match-set cali40n:c dst,dst ${dropScratch0}`,
      '-p tcp -m multiport ! --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 -m multiport ! --dports 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30 ' +
        `-m set ! --match-set cali40n:a dst,dst -m set ! --match-set cali40n:b dst,dst ${ifScratch0} ${accept}`,
    ]);
  });

  it('numbered and named ports are alternatives', () => {
    assert.deepEqual(matchesOf({ protocol: 17, destination: entity({ ports: ports(53), portSets: ['n:dns'] }) }), [
      clearScratch,
      `-p udp -m multiport --dports 53 ${setScratch0}`,
      `-m set --match-set cali40n:dns dst,dst ${setScratch0}`,
      `-p udp ${ifScratch0} ${accept}`,
    ]);
  });
});

describe('address families', () => {
  it('a rule for the other family disappears', () => {
    assert.deepEqual(render({ ipVersion: 6 }), []);
    assert.deepEqual(matchesOf({ ipVersion: 4 }), [accept]);
  });

  it('a list of networks that holds only the other family matches nothing', () => {
    assert.deepEqual(render({ source: entity({ nets: ['fd00::/8'] }) }), []);
    assert.deepEqual(matchesOf({ source: entity({ nets: ['fd00::/8', '10.0.0.0/8'] }) }), [`-s 10.0.0.0/8 ${accept}`]);
  });

  it('a list of excluded networks that holds only the other family matches nothing', () => {
    assert.deepEqual(render({ source: entity({ notNets: ['fd00::/8'] }) }), []);
    assert.deepEqual(render({ action: 'deny', destination: entity({ nets: ['10.0.0.0/8'], notNets: ['fd00::/8'] }) }), []);
    assert.deepEqual(render({ source: entity({ notNets: ['10.0.0.0/8'] }) }, {}, 6), []);
    assert.deepEqual(matchesOf({ source: entity({ notNets: ['fd00::/8', '10.0.0.0/8'] }) }), [`! -s 10.0.0.0/8 ${accept}`]);
  });

  it('every address excluded matches nothing, every address included is no condition', () => {
    assert.deepEqual(render({ source: entity({ notNets: ['10.0.0.0/8', '0.0.0.0/0'] }) }), []);
    assert.deepEqual(matchesOf({ source: entity({ nets: ['10.0.0.0/8', '0.0.0.0/0'] }) }), [accept]);
    assert.deepEqual(matchesOf({ source: entity({ nets: ['0.0.0.0/0'], notNets: ['10.0.0.0/8'] }) }), [`! -s 10.0.0.0/8 ${accept}`]);
  });

  it('ICMP types of the other family match nothing', () => {
    assert.deepEqual(render({ protocol: 58, icmp: { type: 128 } }), []);
    assert.deepEqual(render({ protocol: 1, icmp: { type: 8 } }, {}, 6), []);
  });
});

describe('what could be read in another way is refused', () => {
  const refused: readonly [string, Partial<ActiveRule>][] = [
    ['ports without a protocol', { destination: entity({ ports: ports(80) }) }],
    ['ports of a protocol that has none', { protocol: 1, destination: entity({ ports: ports(80) }) }],
    ['a port range upside down', { protocol: 6, destination: entity({ ports: ports([90, 80]) }) }],
    ['ICMP type 255, which means any to iptables', { protocol: 1, icmp: { type: 255 } }],
    ['ICMP types without the protocol', { icmp: { type: 8 } }],
    ['protocol 0, which means any to iptables', { protocol: 0 }],
    ['a network with host bits', { source: entity({ nets: ['10.0.0.1/8'] }) }],
  ];
  for (const [name, fields] of refused) it(name, () => void assert.throws(() => render(fields), EncodingRefused));
});
