// Addresses as numbers, and back.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ipv6Text, parseIpv4, parseIpv6, parsePrefix, prefixText } from '../../src/simulate/address.ts';

describe('an IPv4 address', () => {
  it('is four octets without leading zeros', () => {
    assert.equal(parseIpv4('10.0.0.1'), 0x0a000001);
    assert.equal(parseIpv4('255.255.255.255'), 0xffffffff);
    assert.equal(parseIpv4('0.0.0.0'), 0);
    for (const text of ['', '10', '10.0.0', '10.0.0.0.0', '256.0.0.1', '01.0.0.1', '10.0.0.', '.10.0.0', '10..0.1', '10.0.0.1 ', 'a.b.c.d']) {
      assert.equal(parseIpv4(text), undefined, text);
    }
  });
});

describe('an IPv6 address', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['FD00:0:0::2', 'fd00::2'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['::ffff:a00:1', '::ffff:10.0.0.1'],
    ['2001:db8::10.0.0.1', '2001:db8::a00:1'],
  ];
  for (const [text, canonical] of rows) {
    it(`${text} is printed as ${canonical}`, () => {
      assert.equal(ipv6Text(parseIpv6(text) ?? -1n), canonical);
    });
  }

  it('is nothing else', () => {
    for (const text of ['', ':', ':::', '1:2', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', '1:2:3:4:5:6:7:8::', 'fe80::1%eth0', '10.0.0.1', '::10.0.0', '10.0.0.1::']) {
      assert.equal(parseIpv6(text), undefined, text);
    }
  });
});

describe('a prefix', () => {
  it('has its host bits cleared', () => {
    const rows: readonly (readonly [string, string])[] = [
      ['10.1.2.3/8', '10.0.0.0/8'],
      ['10.1.2.3', '10.1.2.3/32'],
      ['255.255.255.255/1', '128.0.0.0/1'],
      ['1.2.3.4/0', '0.0.0.0/0'],
      ['10.1.2.3/255.255.0.0', '10.1.0.0/16'],
      ['fd00:1:2:3:4:5:6:7/64', 'fd00:1:2:3::/64'],
      ['ffff::/1', '8000::/1'],
      ['fd00::1', 'fd00::1/128'],
    ];
    for (const [text, canonical] of rows) {
      const prefix = parsePrefix(text);
      assert.equal(prefix && prefixText(prefix), canonical);
    }
  });

  it('has a length that its family allows and a mask without gaps', () => {
    for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/255.0.255.0', 'fd00::/129', 'fd00::/ffff::', 'x/8']) {
      assert.equal(parsePrefix(text), undefined, text);
    }
  });
});
