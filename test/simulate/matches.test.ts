// What each match of a rule matches. Every row: the match, a change of the packet (a forwarded TCP packet from 10.0.0.1:40000 on cali1
// to 10.0.0.2:80 on cali2), and whether the rule must match it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Packet } from '../../src/model/packet.ts';
import type { Circumstances } from '../../src/simulate/packet-facts.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { kernel6Of, kernelOf, packet } from './filter-table.ts';

type Row = readonly [match: string, changes: Partial<Packet>, matches: boolean, circumstances?: Circumstances];

const noPorts = { sourcePort: undefined, destinationPort: undefined } as unknown as Partial<Packet>;
const icmp = (type: number, code = 0): Partial<Packet> => ({ ...noPorts, protocol: 1, icmp: { type, code } });

const sets = [
  'create nets hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
  'add nets 10.0.0.2',
  'add nets 192.168.0.0/16',
  'add nets 200.0.0.0/7',
  'create all hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
  'add all 0.0.0.0/1',
  'add all 128.0.0.0/1',
  'create empty hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
  'create ips hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
  'add ips 10.0.0.1',
  'create pairs hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
  'add pairs 10.0.0.2,tcp:80',
  'add pairs 10.0.0.2,udp:53',
  'add pairs 10.0.0.2,sctp:9',
  'add pairs 10.0.0.2,udplite:7',
  'add pairs 10.0.0.3,ospf:0',
  'add pairs 10.0.0.1,tcp:40000',
  'add pairs 200.1.2.3,tcp:65535',
];

const rows: Readonly<Record<string, readonly Row[]>> = {
  addresses: [
    ['-s 10.0.0.1/32', {}, true],
    ['-s 10.0.0.1/32', { source: '10.0.0.2' }, false],
    ['! -s 10.0.0.1/32', {}, false],
    ['! -s 10.0.0.0/8', { source: '11.0.0.1' }, true],
    ['-d 10.0.0.0/31', {}, false],
    ['-d 10.0.0.2/31', { destination: '10.0.0.3' }, true],
    ['-d 128.0.0.0/1', { destination: '255.255.255.255' }, true],
    ['-d 128.0.0.0/1', { destination: '127.255.255.255' }, false],
    ['-s 10.0.0.0/8 -d 10.0.0.1/32', {}, false],
    ['-s 0.0.0.0/0', {}, true],
    ['! -s 0.0.0.0/0', {}, false],
  ],
  interfaces: [
    ['-i cali1', {}, true],
    ['-i cali', {}, false],
    ['-i cali+', {}, true],
    ['-i cali+', { inInterface: 'cali' }, true],
    ['-i cali+', { inInterface: 'eth0' }, false],
    ['! -i cali+', {}, false],
    ['! -i cali+', { inInterface: 'eth0' }, true],
    ['-o cali2', {}, true],
    ['-i +', {}, true],
    ['! -i +', {}, false],
    ['! -o cali2', {}, false],
    ['-i cali2 -o cali2', {}, false],
  ],
  protocols: [
    ['-p tcp', {}, true],
    ['-p 6', {}, true],
    ['! -p tcp', {}, false],
    ['! -p udp', {}, true],
    ['-p sctp', { protocol: 132 }, true],
    ['-p udplite', { protocol: 136 }, true],
    ['-p ipencap', { protocol: 4 }, true],
    ['-p 4', { protocol: 4 }, true],
    ['-p ipv4', { protocol: 4 }, true],
    ['-p icmp', icmp(8), true],
    ['-p ipv6-icmp', { ...noPorts, protocol: 58 }, true],
    ['-p 200', { ...noPorts, protocol: 200 }, true],
    ['! -p 4', { ...noPorts, protocol: 4 }, false],
  ],
  ports: [
    ['-p tcp -m tcp --dport 80', {}, true],
    ['-p tcp -m tcp --dport 81', {}, false],
    ['-p tcp -m tcp --dport 79:81', {}, true],
    ['-p tcp -m tcp --dport 0:79', {}, false],
    ['-p tcp -m tcp ! --dport 80', {}, false],
    ['-p tcp -m tcp --sport 40000 --dport 80', {}, true],
    ['-p tcp -m tcp ! --sport 40000 --dport 80', {}, false],
    ['-p tcp -m tcp', {}, true],
    ['-p udp -m udp --dport 80', {}, false],
    ['-p udp -m udp --dport 80', { protocol: 17 }, true],
    ['-p sctp -m sctp --dport 9:10', { protocol: 132, destinationPort: 10 }, true],
    ['-p tcp -m tcp --dport 0', { destinationPort: 0 }, true],
    ['-p tcp -m tcp --dport 65535', { destinationPort: 65_535 }, true],
  ],
  multiport: [
    ['-p tcp -m multiport --dports 80,443', {}, true],
    ['-p tcp -m multiport --dports 81,443', {}, false],
    ['-p tcp -m multiport --dports 443,70:90', {}, true],
    ['-p tcp -m multiport ! --dports 80,443', {}, false],
    ['-p tcp -m multiport ! --dports 81', {}, true],
    ['-p tcp -m multiport --sports 40000', {}, true],
    ['-p tcp -m multiport --sports 80', {}, false],
    ['-p tcp -m multiport --ports 80', {}, true],
    ['-p tcp -m multiport --ports 40000', {}, true],
    ['-p tcp -m multiport --ports 1', {}, false],
    ['-p tcp -m multiport ! --ports 40000', {}, false],
    ['-p udplite -m multiport --dports 80', { protocol: 136 }, true],
    ['-p udp -m multiport --dports 80', {}, false],
  ],
  sets: [
    ['-m set --match-set nets dst', {}, true],
    ['-m set --match-set nets src', {}, false],
    ['-m set ! --match-set nets dst', {}, false],
    ['-m set ! --match-set nets src', {}, true],
    ['-m set --match-set nets src', { source: '192.168.255.255' }, true],
    ['-m set --match-set nets src', { source: '201.255.255.255' }, true],
    ['-m set --match-set nets src', { source: '202.0.0.0' }, false],
    ['-m set --match-set nets dst,dst', {}, true],
    ['-m set --match-set all src -m set --match-set all dst', { source: '255.0.0.1', destination: '1.0.0.0' }, true],
    ['-m set --match-set empty dst', {}, false],
    ['-m set ! --match-set empty dst', {}, true],
    ['-m set --match-set ips src', {}, true],
    ['-m set --match-set ips dst', {}, false],
    ['-m set --match-set nets dst -m set --match-set ips dst', {}, false],
  ],
  'sets of addresses and ports': [
    ['-m set --match-set pairs dst,dst', {}, true],
    ['-m set --match-set pairs dst,dst', { destinationPort: 81 }, false],
    ['-m set --match-set pairs dst,dst', { protocol: 17 }, false],
    ['-m set --match-set pairs dst,dst', { protocol: 17, destinationPort: 53 }, true],
    ['-m set --match-set pairs dst,dst', { protocol: 132, destinationPort: 9 }, true],
    ['-m set --match-set pairs dst,dst', { protocol: 136, destinationPort: 7 }, true],
    ['-m set --match-set pairs dst,dst', { destination: '10.0.0.3' }, false],
    ['-m set --match-set pairs dst,dst', { destination: '200.1.2.3', destinationPort: 65_535 }, true],
    ['-m set ! --match-set pairs dst,dst', {}, false],
    ['-m set ! --match-set pairs dst,dst', { destinationPort: 81 }, true],
    ['-m set --match-set pairs src,src', {}, true],
    ['-m set --match-set pairs src,dst', {}, false],
    ['-m set --match-set pairs dst,src', { sourcePort: 80 }, true],
    // Protocols without ports have port 0, and ICMP its type and code.
    ['-m set --match-set pairs dst,dst', { ...noPorts, protocol: 89, destination: '10.0.0.3' }, true],
    ['-m set --match-set pairs dst,dst', { ...noPorts, protocol: 89 }, false],
    ['-m set --match-set pairs dst,dst', icmp(0, 80), false],
    // A match that names fewer directions than the set has is never in it.
    ['-m set --match-set pairs dst', {}, false],
    ['-m set ! --match-set pairs dst', {}, true],
  ],
  conntrack: [
    ['-m conntrack --ctstate RELATED,ESTABLISHED', {}, false],
    ['-m conntrack --ctstate RELATED,ESTABLISHED', { connection: 'established' }, true],
    ['-m conntrack --ctstate RELATED,ESTABLISHED', { connection: 'related' }, true],
    ['-m conntrack --ctstate INVALID', { connection: 'invalid' }, true],
    ['-m conntrack --ctstate NEW', {}, true],
    ['-m conntrack --ctstate UNTRACKED', { connection: 'untracked' }, true],
    ['-m conntrack ! --ctstate INVALID,NEW', {}, false],
    ['-m conntrack ! --ctstate INVALID,NEW', { connection: 'established' }, true],
    ['-m state --state NEW,ESTABLISHED', {}, true],
    ['-m conntrack --ctstate DNAT', {}, false],
    ['-m conntrack ! --ctstate DNAT', {}, true],
    ['-m conntrack --ctstate DNAT', {}, true, { translated: { destination: true } }],
    ['-m conntrack --ctstate SNAT', {}, true, { translated: { source: true } }],
  ],
  icmp: [
    ['-p icmp -m icmp --icmp-type 8', icmp(8), true],
    ['-p icmp -m icmp --icmp-type 8', icmp(8, 3), true],
    ['-p icmp -m icmp --icmp-type 8/0', icmp(8, 3), false],
    ['-p icmp -m icmp --icmp-type 8/0', icmp(8), true],
    ['-p icmp -m icmp ! --icmp-type 8/0', icmp(8), false],
    ['-p icmp -m icmp ! --icmp-type 8', icmp(0), true],
    ['-p icmp -m icmp --icmp-type any', icmp(200, 7), true],
    ['-p icmp -m icmp --icmp-type 0', icmp(0), true],
    ['-p icmp -m icmp --icmp-type 0', {}, false],
  ],
  circumstances: [
    ['-m limit --limit 10/sec', {}, true],
    ['-m limit --limit 10/sec', {}, false, { limitsPermit: false }],
    ['-m addrtype --dst-type LOCAL', {}, true, { localAddresses: new Set(['10.0.0.2']) }],
    ['-m addrtype --src-type LOCAL', {}, false, { localAddresses: new Set(['10.0.0.2']) }],
    ['-m addrtype ! --src-type LOCAL', {}, true, { localAddresses: new Set() }],
    ['-m addrtype --src-type LOCAL --dst-type LOCAL', {}, false, { localAddresses: new Set(['10.0.0.2']) }],
    ['-m rpfilter', {}, true, { reversePathValid: true }],
    ['-m rpfilter --validmark --invert', {}, false, { reversePathValid: true }],
    ['-m rpfilter --validmark --invert', {}, true, { reversePathValid: false }],
  ],
  conjunctions: [
    ['-s 10.0.0.1/32 -d 10.0.0.2/32 -i cali1 -o cali2 -p tcp -m comment --comment x -m tcp --dport 80 -m mark --mark 0x0/0x1', {}, true],
    ['-s 10.0.0.1/32 -d 10.0.0.2/32 -i cali1 -o cali2 -p tcp -m comment --comment x -m tcp --dport 80 -m mark --mark 0x1/0x1', {}, false],
    ['-s 10.0.0.9/32 -d 10.0.0.2/32 -i cali1 -o cali2 -p tcp', {}, false],
    ['-m comment --comment "only a comment"', {}, true],
  ],
};

for (const [subject, cases] of Object.entries(rows)) {
  describe(subject, () => {
    for (const [match, changes, matches, circumstances] of cases) {
      const { connection, ...rest } = changes;
      const what = [connection, ...Object.entries(rest).map(([field, value]) => `${field} ${JSON.stringify(value)}`)].filter((word) => word !== undefined);
      it(`"${match}" ${matches ? 'matches' : 'does not match'}${what.length > 0 ? ` with ${what.join(', ')}` : ''}`, () => {
        const kernel = kernelOf([`-A FORWARD ${match} -j DROP`], sets);
        assert.equal(simulate(kernel, packet(changes), circumstances).action === 'deny', matches);
      });
    }
  });
}

describe('an interface that the packet does not have', () => {
  const { outInterface: _, ...toHost } = packet();

  it('is matched by no name', () => {
    assert.equal(simulate(kernelOf(['-A INPUT -j a', '-A a -o cali+ -j DROP']), toHost).action, 'allow');
  });

  it('is matched by a negated name', () => {
    assert.equal(simulate(kernelOf(['-A INPUT -j a', '-A a ! -o cali+ -j DROP']), toHost).action, 'deny');
  });
});

describe('IPv6', () => {
  const packet6 = packet({ family: 6, source: 'fd00::1', destination: 'fd00:0:0:1::2' });
  const sets6 = [
    'create nets6 hash:net family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
    'add nets6 fd00::/64',
    'create pairs6 hash:ip,port family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
    'add pairs6 fd00:0:0:1::2,tcp:80',
    'add pairs6 fd00::2,ipv6-icmp:128/0',
  ];
  const denies = (match: string, changes: Partial<Packet> = {}): boolean =>
    simulate(kernel6Of([`-A FORWARD ${match} -j DROP`], sets6), { ...packet6, ...changes }).action === 'deny';

  it('compares prefixes', () => {
    assert.equal(denies('-s fd00::/64'), true);
    assert.equal(denies('-d fd00::/64'), false);
    assert.equal(denies('! -d fd00::/64'), true);
    assert.equal(denies('-s fd00::1/128'), true);
  });

  it('asks sets of its family', () => {
    assert.equal(denies('-m set --match-set nets6 src'), true);
    assert.equal(denies('-m set --match-set nets6 dst'), false);
    assert.equal(denies('-m set --match-set pairs6 dst,dst'), true);
    assert.equal(denies('-m set --match-set pairs6 dst,dst', { destination: 'fd00::2', protocol: 58, icmp: { type: 128, code: 0 } }), true);
  });

  it('matches ICMPv6 by type and code', () => {
    const echo = { protocol: 58, icmp: { type: 128, code: 0 } };
    assert.equal(denies('-p ipv6-icmp -m icmp6 --icmpv6-type 128', echo), true);
    assert.equal(denies('-p ipv6-icmp -m icmp6 --icmpv6-type 128/1', echo), false);
    assert.equal(denies('-p ipv6-icmp -m icmp6 ! --icmpv6-type 129', echo), true);
    // 255 is a type here, not "any".
    assert.equal(denies('-p ipv6-icmp -m icmp6 --icmpv6-type 255', echo), false);
  });

  it('never finds an IPv4 packet in a set of its own', () => {
    const kernel = kernelOf(['-A FORWARD -m set --match-set nets6 src -j DROP', '-A FORWARD -m set ! --match-set nets6 src -j DROP'], sets6);
    const { decidedBy } = simulate(kernel, packet());
    assert.equal(decidedBy.kind === 'rule' ? decidedBy.rule.number : 0, 2);
  });
});
