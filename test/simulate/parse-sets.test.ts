// Reading ipset save text.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIpv4, parseIpv6 } from '../../src/simulate/address.ts';
import { UnreadableState } from '../../src/simulate/errors.ts';
import { parseSets } from '../../src/simulate/parse-sets.ts';

const header = 'family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x7f3b0e4f';

describe('the text of ipset save', () => {
  it('gives sets with their types, families and entries', () => {
    const sets = parseSets(
      `create a hash:net ${header}\nadd a 10.0.0.0/8\nadd a 10.0.0.1\ncreate b hash:ip,port ${header.replace('inet', 'inet6')}\nadd b fd00::1,tcp:80\n`,
    );
    assert.deepEqual(
      [...sets.values()].map(({ name, type, family, entries }) => ({ name, type, family, entries })),
      [
        { name: 'a', type: 'hash:net', family: 4, entries: 2 },
        { name: 'b', type: 'hash:ip,port', family: 6, entries: 1 },
      ],
    );
    assert.equal(sets.get('b')?.has(parseIpv6('fd00::1') ?? 0n, 6, 80), true);
  });

  it('may carry options behind the elements', () => {
    const sets = parseSets(`create a hash:net ${header} timeout 10 counters comment\nadd a 10.0.0.1 timeout 9 packets 0 bytes 0 comment "x y"\n`);
    assert.equal(sets.get('a')?.has(parseIpv4('10.0.0.1') ?? 0, 0, 0), true);
    assert.equal(sets.get('a')?.problem, undefined);
  });

  it('leaves types and elements that are not known to be asked about never', () => {
    const sets = parseSets(
      [
        'create p bitmap:port range 0-65535',
        'add p 80',
        'create l list:set size 8',
        'add l p',
        `create n hash:net ${header}`,
        'add n 10.0.0.0/8 nomatch',
        `create i hash:ip,port ${header}`,
        'add i 10.0.0.1,icmp:echo-request',
        '',
      ].join('\n'),
    );
    assert.deepEqual([...sets.values()].map((set) => set.problem !== undefined), [true, true, true, true]);
  });

  for (const text of ['add a 10.0.0.1\n', 'create a\n', 'hello\n', `create a hash:net ${header}\ncreate a hash:net ${header}\n`]) {
    it(`is refused with ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSets(text), UnreadableState);
    });
  }
});
