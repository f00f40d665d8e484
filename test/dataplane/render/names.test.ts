import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parameters } from '../../../src/config/parameters.ts';
import { endpointChainName, isOwnChain, limitedName, policyChainName, profileChainName } from '../../../src/dataplane/render/names.ts';
import { marksOf } from '../../../src/dataplane/render/marks.ts';

describe('chain names', () => {
  it('are the readable id where it fits', () => {
    assert.equal(policyChainName('ingress', 'knp/default/web'), 'cali-pi-knp/default/web');
    assert.equal(policyChainName('egress', 'gnp/web'), 'cali-po-gnp/web');
    assert.equal(profileChainName('ingress', 'kns.default'), 'cali-pri-kns.default');
    assert.equal(profileChainName('egress', 'kns.default'), 'cali-pro-kns.default');
    assert.equal(endpointChainName('ingress', 'cali0123456789a'), 'cali-tw-cali0123456789a');
    assert.equal(endpointChainName('egress', 'cali0123456789a'), 'cali-fw-cali0123456789a');
  });

  it('are shortened by a hash, as Felix does, where it does not fit', () => {
    // base64url(sha256("knp/default/a-policy-with-a-long-name")) begins with these characters (sha256sum, base64).
    const name = policyChainName('ingress', 'knp/default/a-policy-with-a-long-name');
    assert.equal(name.length, 28);
    assert.equal(name, 'cali-pi-_Lg2TwG2dFVBn-uoO_lF');
    assert.notEqual(name, policyChainName('ingress', 'knp/default/a-policy-with-a-long-namf'));
  });

  it('take exactly 28 characters as they are, unless they could be mistaken for a shortened one', () => {
    assert.equal(limitedName('cali-pi-', 'a'.repeat(20)), `cali-pi-${'a'.repeat(20)}`);
    assert.notEqual(limitedName('cali-pi-', `_${'a'.repeat(19)}`), `cali-pi-_${'a'.repeat(19)}`);
  });

  it('never show an odd character to iptables', () => {
    assert.match(limitedName('cali-pi-', 'a b'), /^cali-pi-_[A-Za-z0-9_-]{19}$/);
  });

  it('are recognised as ours under the current and the historic prefixes', () => {
    for (const name of ['cali-FORWARD', 'califw-x', 'calitw-x', 'califh-x', 'calith-x', 'calipi-x', 'calipo-x', 'felix-FORWARD']) assert.ok(isOwnChain(name), name);
    for (const name of ['FORWARD', 'KUBE-FORWARD', 'calico', 'DOCKER']) assert.ok(!isOwnChain(name), name);
  });
});

describe('marks', () => {
  it('are the lowest bits of the mask, in order', () => {
    assert.deepEqual(marksOf(0xffff0000), { accept: 0x10000, pass: 0x20000, drop: 0x40000, scratch0: 0x80000, scratch1: 0x100000, all: 0x1f0000 });
  });

  it("of the usual mask are nobody else's: kube-proxy has 0x4000 and 0x8000, the portmap plugin 0x2000", () => {
    assert.equal(marksOf(parameters.iptablesMarkMask.default).all & 0xe000, 0);
  });

  it('may lie apart, up to the highest bit', () => {
    assert.deepEqual(marksOf(0x80000f00), { accept: 0x100, pass: 0x200, drop: 0x400, scratch0: 0x800, scratch1: 0x80000000, all: 0x80000f00 });
  });

  it('need five bits', () => {
    assert.throws(() => marksOf(0xf), RangeError);
  });
});
