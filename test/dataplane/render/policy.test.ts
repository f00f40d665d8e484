import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failClosedChain, policyChains, profileChains } from '../../../src/dataplane/render/policy.ts';
import { entity, options, policy, profile, rule } from '../objects.ts';

const accept = '-j MARK --set-xmark 0x10000/0x10000';
const setName = (id: string): string => `cali40${id}`;

describe('policy chains', () => {
  it('are one for each direction, the first rule naming the object', () => {
    const chains = policyChains(policy('web', { ingress: [rule({ protocol: 6 })], egress: [rule({ protocol: 17 })] }), options(), setName);
    assert.deepEqual(
      chains.map(({ name, rules }) => [name, rules.map(({ text }) => text)]),
      [
        ['cali-pi-knp/default/web', [`-m comment --comment "NetworkPolicy default/web ingress" -p tcp ${accept}`]],
        ['cali-po-knp/default/web', [`-m comment --comment "NetworkPolicy default/web egress" -p udp ${accept}`]],
      ],
    );
  });

  it('return between rules, but not at the end', () => {
    const [ingress] = policyChains(policy('web', { ingress: [rule({ protocol: 6 }), rule({ protocol: 17 })] }), options(), setName);
    assert.deepEqual(ingress?.rules.map(({ text }) => text), [
      `-m comment --comment "NetworkPolicy default/web ingress" -p tcp ${accept}`,
      '-m mark --mark 0x10000/0x10000 -j RETURN',
      `-p udp ${accept}`,
    ]);
  });

  it('are empty without rules', () => {
    assert.deepEqual(policyChains(policy('web'), options(), setName).map(({ rules }) => rules), [[], []]);
  });

  it('carry their origin and name the sets that they look into', () => {
    const [ingress] = policyChains(policy('web', { ingress: [rule({ source: entity({ sets: ['s:a', 's:b'] }) })] }), options(), setName);
    assert.equal(ingress?.origin?.name, 'web');
    assert.deepEqual(ingress?.rules[0]?.sets, ['cali40s:a', 'cali40s:b']);
  });

  it('expand the prefix of Log rules', () => {
    const [ingress] = policyChains(policy('web', { ingress: [rule({ action: 'log' })] }), options({ logPrefix: '%t %k %n' }), setName);
    assert.match(ingress?.rules[0]?.text ?? '', /--log-prefix "default knp web: "/);
  });

  it('keep what the operator wrote into the prefix, and cut it at what the kernel keeps', () => {
    const prefixOf = (logPrefix: string): string => {
      const [ingress] = policyChains(policy('web', { ingress: [rule({ action: 'log' })] }), options({ logPrefix }), setName);
      return /--log-prefix "([^"]*)"/.exec(ingress?.rules[0]?.text ?? '')?.[1] ?? '';
    };
    assert.equal(prefixOf('[%k] <%p> %x'), '[knp] <default/web> %x: ');
    assert.equal(prefixOf('calico-packet %t %k %p'), 'calico-packet default knp d: ');
  });
});

describe('profile chains', () => {
  it('are named pri and pro', () => {
    assert.deepEqual(profileChains(profile('kns.default'), options(), setName).map(({ name }) => name), ['cali-pri-kns.default', 'cali-pro-kns.default']);
  });

  it('of a profile that does not exist accept nothing', () => {
    assert.deepEqual(profileChains(profile('kns.gone', { ingress: [], egress: [] }), options(), setName).map(({ rules }) => rules), [[], []]);
  });
});

describe('a chain that cannot be rendered', () => {
  it('denies', () => {
    assert.deepEqual(failClosedChain('cali-pi-x', options(), 'No such object').rules.map(({ text }) => text), ['-m comment --comment "No such object" -j DROP']);
  });
});
