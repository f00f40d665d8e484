// What cannot be judged is an error that names the rule, never "no match".

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SimulationError } from '../../src/simulate/errors.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { kernelOf, packet } from './filter-table.ts';

const unknown = [
  '-m pkttype --pkt-type broadcast -j DROP',
  '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP',
  '-m addrtype --dst-type BROADCAST -j DROP',
  '-m addrtype --src-type LOCAL --limit-iface-out -j DROP',
  '-m conntrack --ctstate NEW --ctstatus ASSURED -j DROP',
  '-m set --match-set nets src --return-nomatch -j DROP',
  '-m set --match-set nowhere src -j DROP',
  '-s 10.0.0.0/255.0.255.0 -j DROP',
  '-f -j DROP',
  '-j NFQUEUE --queue-num 1',
  '-j TRACE',
  '-m constructor --x -j DROP',
  '-m mark --constructor 1 -j DROP',
  '-j toString',
  '-j no-such-chain',
  '-g no-such-chain',
  '-j ACCEPT --with-something',
  '-m multiport --dports 80 -j DROP',
  '-m tcp --dport 80 -j DROP',
  '-p udp -m icmp --icmp-type 8 -j DROP',
  '-m set --match-set matchless src -j DROP',
  '-m set --match-set ports src -j DROP',
  '-m set --match-set netmask src -j DROP',
  '-p 300 -j DROP',
];

const sets = [
  'create nets hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
  'create matchless hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1',
  'add matchless 10.0.0.0/8',
  'add matchless 10.1.0.0/16 nomatch',
  'create ports bitmap:port range 0-65535',
  'add ports 80',
  'create netmask hash:ip family inet hashsize 1024 maxelem 65536 netmask 24 bucketsize 12 initval 0x1',
  'add netmask 10.0.0.0',
];

for (const rule of unknown) {
  describe(`"${rule}"`, () => {
    it('is an error that names it when a packet reaches it', () => {
      const kernel = kernelOf([`-A FORWARD ${rule}`], sets);
      assert.throws(() => simulate(kernel, packet()), (error) => error instanceof SimulationError && error.rule === `-A FORWARD ${rule}`);
    });

    it('does no harm in a foreign chain that no packet reaches', () => {
      const kernel = kernelOf([`-A KUBE-X ${rule}`, '-A FORWARD -p udp -j KUBE-X'], sets);
      assert.equal(simulate(kernel, packet()).action, 'allow');
    });

    it('is an error in a chain of ours, reached or not', () => {
      assert.throws(() => kernelOf([`-A cali-x ${rule}`], sets), (error) => error instanceof SimulationError && error.rule === `-A cali-x ${rule}`);
    });
  });
}

describe('a packet that lacks what a rule looks at', () => {
  const { sourcePort: _s, destinationPort: _d, ...portless } = packet();

  for (const rule of ['-p tcp -m tcp --dport 80 -j DROP', '-p tcp -m multiport --dports 80 -j DROP']) {
    it(`is an error with "${rule}"`, () => {
      assert.throws(() => simulate(kernelOf([`-A FORWARD ${rule}`]), portless), SimulationError);
    });
  }

  it('is an error with an ICMP type', () => {
    const kernel = kernelOf(['-A FORWARD -p icmp -m icmp --icmp-type 8 -j DROP']);
    assert.throws(() => simulate(kernel, { ...portless, protocol: 1 }), SimulationError);
  });

  it('is an error where the rule asks for the node\'s addresses and none were given', () => {
    assert.throws(() => simulate(kernelOf(['-A FORWARD -m addrtype --dst-type LOCAL -j DROP']), packet()), SimulationError);
    assert.throws(() => simulate(kernelOf(['-A FORWARD -m rpfilter -j DROP']), packet()), SimulationError);
  });

  it('is an error where its addresses are none of its family', () => {
    assert.throws(() => simulate(kernelOf([]), packet({ source: 'fd00::1' })), SimulationError);
    assert.throws(() => simulate(kernelOf([]), packet({ source: '10.0.0.01' })), SimulationError);
  });

  it('is an error where no rules of its family were read', () => {
    assert.throws(() => simulate(kernelOf([]), packet({ family: 6, source: 'fd00::1', destination: 'fd00::2' })), SimulationError);
  });
});
