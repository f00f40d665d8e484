import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertPrintable, encodeCidr, encodeComment, encodeInterface, encodeMember, encodeSetName } from '../../src/dataplane/encoding.ts';
import { EncodingRefused } from '../../src/dataplane/errors.ts';

describe('encoding', () => {
  it('passes canonical addresses, networks and ports', () => {
    for (const member of ['10.0.0.1', '10.0.0.0/8', 'fd00::1', 'fd00::/64', '10.0.0.1,tcp:80', '10.0.0.1,sctp:65535', 'fd00::1,udp:53']) {
      assert.equal(encodeMember(member), member);
    }
  });

  it('refuses members that are not canonical, or that carry a command', () => {
    for (const member of ['10.0.0.01', '10.0.0.1/8', 'example.org', '10.0.0.1\nflush x', '10.0.0.1 timeout 5', 'FD00::1', '10.0.0.1,http:80', '10.0.0.1,tcp:080', '10.0.0.0/8,tcp:80', '']) {
      assert.throws(() => encodeMember(member), EncodingRefused, member);
    }
  });

  it('refuses networks with host bits or without a prefix length', () => {
    for (const cidr of ['10.0.0.1/8', '10.0.0.1', '0.0.0.0/33', '10.0.0.0/8 -j ACCEPT']) assert.throws(() => encodeCidr(cidr), EncodingRefused, cidr);
  });

  it('refuses interface names that iptables reads as patterns, options or several words', () => {
    assert.equal(encodeInterface('cali0123456789a'), 'cali0123456789a');
    for (const name of ['cali+', 'cali0123456789ab', '', 'ca li', '-j', 'cali\n', '!']) assert.throws(() => encodeInterface(name), EncodingRefused, name);
  });

  it('refuses set names longer than the kernel takes', () => {
    assert.throws(() => encodeSetName('a'.repeat(32)), EncodingRefused);
    assert.throws(() => encodeSetName('a b'), EncodingRefused);
  });

  it('makes comments harmless: quotes, backslashes, newlines and what is not ASCII become underscores', () => {
    assert.equal(encodeComment('a "b" \\ c\nd é'), 'a _b_ _ c_d _');
    assert.equal(encodeComment('x'.repeat(300)).length, 255);
  });

  it('lets no control character through in a line', () => {
    assert.throws(() => assertPrintable('-A a\n-A b'), EncodingRefused);
    assert.throws(() => assertPrintable('-A a\tb'), EncodingRefused);
    assertPrintable('-A cali-FORWARD -j DROP');
  });
});
