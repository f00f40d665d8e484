import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressKey, contains, isStrictlyWithin, parseAddress, parseCidr } from '../../src/verdict/cidr.ts';
import type { Address, Cidr } from '../../src/verdict/cidr.ts';

function address(text: string): Address {
  const parsed = parseAddress(text);
  assert.ok(parsed, text);
  return parsed;
}

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  assert.ok(parsed, text);
  return parsed;
}

test('IPv4 addresses are numbers in network order', () => {
  assert.equal(address('1.2.3.4').bits, 0x01020304n);
  assert.equal(address('255.255.255.255').bits, 0xffffffffn);
});

test('every way to write an IPv6 address gives the same number', () => {
  for (const text of ['fd00::1', 'FD00::1', 'fd00:0:0:0:0:0:0:1', 'fd00:0000::0001', 'fd00::0.0.0.1']) {
    assert.equal(addressKey(address(text)), addressKey(address('fd00::1')), text);
  }
  assert.equal(address('::').bits, 0n);
  assert.equal(address('1::').bits, 1n << 112n);
  assert.equal(address('64:ff9b::10.0.0.1').bits, (0x64n << 112n) | (0xff9bn << 96n) | 0x0a000001n);
});

test('addresses that are not written strictly are none', () => {
  for (const text of ['', '1.2.3', '1.2.3.04', '1.2.3.256', ' 1.2.3.4', '1.2.3.4\n', 'fe80::1%eth0', '::ffff:1.2.3.4', ':::', '1:2']) {
    assert.equal(parseAddress(text), undefined, JSON.stringify(text));
  }
});

test('CIDRs that are not written strictly are none', () => {
  for (const text of ['10.0.0.0', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '010.0.0.0/8', 'fd00::/129', '::ffff:10.0.0.0/104', '10.0.0.0/+8', '10.0.0.0/255.0.0.0']) {
    assert.equal(parseCidr(text), undefined, text);
  }
});

test('host bits of a CIDR are cleared', () => {
  assert.deepEqual(parseCidr('10.1.2.3/8'), parseCidr('10.0.0.0/8'));
  assert.deepEqual(parseCidr('fd00::7/64'), parseCidr('fd00::/64'));
});

test('a CIDR contains its first and last address, and not their neighbours', () => {
  const block = cidr('10.0.4.0/22');
  assert.deepEqual(['10.0.3.255', '10.0.4.0', '10.0.7.255', '10.0.8.0'].map((text) => contains(block, address(text))), [false, true, true, false]);
});

test('/0 contains its whole family and nothing of the other', () => {
  assert.ok(contains(cidr('0.0.0.0/0'), address('203.0.113.9')));
  assert.ok(contains(cidr('::/0'), address('fd00::1')));
  assert.ok(!contains(cidr('0.0.0.0/0'), address('fd00::1')));
  assert.ok(!contains(cidr('::/0'), address('1.2.3.4')));
});

test('strictly within means smaller, inside and of the same family', () => {
  const outer = cidr('10.0.0.0/16');
  assert.deepEqual(['10.0.0.0/17', '10.0.255.255/32', '10.0.0.0/16', '10.0.0.0/8', '10.1.0.0/24', 'fd00::/64'].map((text) => isStrictlyWithin(cidr(text), outer)), [true, true, false, false, false, false]);
});
