// Addresses and CIDRs: strict reading, one canonical text, containment. Oracles: Node's own address parser, and the URL standard's
// serializer of IPv6 hosts, which follows RFC 5952.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';

import fc from 'fast-check';

import { canonicalAddress, canonicalCidr, contains, containsCidr, familyOf, formatCidr, parseAddress, parseCidr } from '../../../src/model/net/cidr.ts';

function parsed<T>(value: T | undefined): T {
  assert.ok(value !== undefined);
  return value;
}

test('IPv4 text that readers could take differently is refused', () => {
  for (const text of ['', '1', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.04', '1.2.3.256', '1.2.3.-4', '1.2.3.+4', '1.2.3. 4', ' 1.2.3.4', '1.2.3.4\n', '0x1.2.3.4', '1..2.3', '1.2.3.4/32']) {
    assert.equal(canonicalAddress(text), undefined, text);
  }
});

test('IPv6 text is written as RFC 5952 says', () => {
  const cases = {
    '::': '::',
    '0:0:0:0:0:0:0:1': '::1',
    'FD00:0:0:0:0:0:0:A': 'fd00::a',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '1:0:0:2:0:0:0:3': '1:0:0:2::3',
    '2001:0DB8::0001': '2001:db8::1',
    '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    '1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
  };
  for (const [text, canonical] of Object.entries(cases)) assert.equal(canonicalAddress(text), canonical, text);
});

test('what is no IPv6 address is refused, and so are zones', () => {
  for (const text of [':', ':::', '1:', ':1', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4::5:6:7:8', '12345::', 'g::', '::1%eth0', '1.2.3.4::', '::1.2.3', '::01.2.3.4', '[::1]']) {
    assert.equal(canonicalAddress(text), undefined, text);
  }
});

test('IPv4-mapped addresses are refused: they mean IPv4 to some and IPv6 to others', () => {
  for (const text of ['::ffff:10.0.0.1', '::FFFF:a00:1', '0:0:0:0:0:ffff:a00:1', '::ffff:0:0/96']) assert.equal(canonicalCidr(text), undefined, text);
  assert.equal(canonicalAddress('::fffe:a00:1'), '::fffe:a00:1');
});

test('a CIDR has its host bits cleared, and a bare address is the network of itself', () => {
  const cases = {
    '10.1.2.3/8': '10.0.0.0/8',
    '10.1.2.3/0': '0.0.0.0/0',
    '255.255.255.255/31': '255.255.255.254/31',
    '10.1.2.3': '10.1.2.3/32',
    'fd00::1': 'fd00::1/128',
    'fd00:1:2:ffff::/50': 'fd00:1:2:c000::/50',
    'ffff::1/0': '::/0',
    'fd00::ffff:ffff/97': 'fd00::8000:0/97',
  };
  for (const [text, canonical] of Object.entries(cases)) assert.equal(canonicalCidr(text), canonical, text);
});

test('prefix lengths are decimal, without signs or leading zeros, and fit the family', () => {
  for (const text of ['10.0.0.0/', '10.0.0.0/08', '10.0.0.0/+8', '10.0.0.0/-1', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/8 ', '10.0.0.0/1e1', 'fd00::/129', '/8']) {
    assert.equal(canonicalCidr(text), undefined, text);
  }
});

test('what is read as an address is exactly what Node reads, zones and mapped addresses apart', () => {
  const nearly = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(fc.constantFrom('0', '1', '10', 'ff', 'FFFF', '00a', '255', '256', '.', ':', '::', '1.2.3.4'), { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(nearly, (text) => {
      const canonical = canonicalAddress(text);
      const isMapped = isIP(text) === 6 && /^\[::ffff:[0-9a-f]+:[0-9a-f]+\]$/.test(new URL(`http://[${text}]`).hostname);
      assert.equal(canonical !== undefined, isIP(text) !== 0 && !isMapped, text);
      if (canonical !== undefined) assert.equal(familyOf(canonical), isIP(text));
      if (canonical !== undefined && isIP(text) === 6) assert.equal(`[${canonical}]`, new URL(`http://[${text}]`).hostname);
    }),
    // Two groups after ffff are a mapped address, one is not.
    { numRuns: 20_000, examples: [['::FFFF:0'], ['::ffff:1.2.3.4']] },
  );
});

test('containment is that of the first bits, as text of bits says', () => {
  const bitsOf = (words: readonly number[]): string => words.map((word) => word.toString(2).padStart(32, '0')).join('');
  const cidr = fc.oneof(
    fc.tuple(fc.constantFrom('10.0.0.0', '10.0.0.128', '11.2.3.4', '10.0.1.0'), fc.nat(32)),
    fc.tuple(fc.constantFrom('fd00::', 'fd00:0:0:1::', 'fd00::8000:0:0:1', 'fe00::1'), fc.nat(128)),
  );
  fc.assert(
    fc.property(cidr, cidr, ([outerAddress, outerPrefix], [innerAddress, innerPrefix]) => {
      const outer = parsed(parseCidr(`${outerAddress}/${outerPrefix}`));
      const inner = parsed(parseCidr(`${innerAddress}/${innerPrefix}`));
      const address = parsed(parseAddress(innerAddress));
      const same = outer.family === inner.family;
      const prefix = bitsOf(outer.words).slice(0, outerPrefix);
      assert.equal(contains(outer, address), same && bitsOf(address.words).startsWith(prefix));
      assert.equal(containsCidr(outer, inner), same && outerPrefix <= innerPrefix && bitsOf(inner.words).startsWith(prefix));
      assert.equal(formatCidr(outer), canonicalCidr(formatCidr(outer)));
    }),
    { numRuns: 5000 },
  );
});
