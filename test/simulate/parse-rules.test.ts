// Reading iptables-save text.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnreadableState } from '../../src/simulate/errors.ts';
import { parseRules } from '../../src/simulate/parse-rules.ts';
import { filterTable } from './filter-table.ts';

const rulesOf = (lines: readonly string[], chain = 'FORWARD') => parseRules(filterTable(lines)).get('filter')?.chains.get(chain)?.rules ?? [];

describe('the text of iptables-save', () => {
  it('may hold several tables', () => {
    const tables = parseRules(`${filterTable(['-A FORWARD -j DROP'])}*raw\n:PREROUTING ACCEPT [1:2]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n`);
    assert.deepEqual([...tables.keys()], ['filter', 'raw']);
    assert.equal(tables.get('raw')?.chains.get('PREROUTING')?.policy, 'ACCEPT');
  });

  it('gives built-in chains their policy and own chains none', () => {
    const chains = parseRules(filterTable(['-A cali-x -j DROP'], { INPUT: 'DROP' })).get('filter')?.chains;
    assert.equal(chains?.get('INPUT')?.policy, 'DROP');
    assert.equal(chains?.get('cali-x')?.policy, undefined);
  });

  it('may carry counters', () => {
    const [rule] = rulesOf(['[12:3456] -A FORWARD -p tcp -j DROP']);
    assert.deepEqual(rule?.counters, { packets: 12, bytes: 3456 });
    assert.equal(rule?.text, '-A FORWARD -p tcp -j DROP');
  });

  it('numbers the rules of each chain from 1', () => {
    assert.deepEqual(rulesOf(['-A FORWARD -p tcp', '-A x -p udp', '-A FORWARD -p udp']).map((rule) => rule.number), [1, 2]);
  });

  it('tells a jump from a target by the chains that exist', () => {
    const [jump, target] = rulesOf(['-A FORWARD -j CHAIN', '-A FORWARD -j TPROXY --on-port 1', '-A CHAIN -j DROP']);
    assert.deepEqual(jump?.target, { kind: 'jump', chain: 'CHAIN' });
    assert.equal(target?.target?.kind, 'unknown');
  });

  it('is refused without its COMMIT', () => {
    assert.throws(() => parseRules('*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\n'), UnreadableState);
  });

  const broken: readonly (readonly [string, string])[] = [
    ['a rule of a chain that is not declared', '*filter\n-A nowhere -j DROP\nCOMMIT\n'],
    ['a line that is no rule', '*filter\nhello\nCOMMIT\n'],
    ['text outside a table', '-A INPUT -j DROP\n'],
    ['a table inside a table', '*filter\n*raw\nCOMMIT\n'],
    ['a table twice', '*filter\nCOMMIT\n*filter\nCOMMIT\n'],
    ['a chain twice', '*filter\n:x - [0:0]\n:x - [0:0]\nCOMMIT\n'],
    ['a chain with a policy that does not exist', '*filter\n:INPUT REJECT [0:0]\nCOMMIT\n'],
    ['a quote that is not closed', '*filter\n:x - [0:0]\n-A x -m comment --comment "abc\nCOMMIT\n'],
  ];
  for (const [what, text] of broken) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => parseRules(text), UnreadableState);
    });
  }
});

describe('a comment', () => {
  const commentOf = (text: string): unknown => rulesOf([`-A FORWARD -m comment --comment ${text} -j DROP`])[0]?.matches[0];

  it('keeps blanks, escaped quotes and backslashes', () => {
    assert.deepEqual(commentOf('"a \\"b\\" \\\\ c"'), { kind: 'comment', text: 'a "b" \\ c' });
    assert.deepEqual(commentOf('"it\\\'s"'), { kind: 'comment', text: "it's" });
  });

  it('may look like options', () => {
    assert.deepEqual(commentOf('"-j ACCEPT"'), { kind: 'comment', text: '-j ACCEPT' });
    assert.deepEqual(commentOf('--dport'), { kind: 'comment', text: '--dport' });
  });

  it('may be empty', () => {
    assert.deepEqual(commentOf('""'), { kind: 'comment', text: '' });
  });
});

describe('a rule with something unknown', () => {
  it('keeps the text of the match and what follows it', () => {
    const [rule] = rulesOf(['-A FORWARD -p tcp -m recent --set --name "a b" --mask 255.255.255.255 --rsource -m mark --mark 0x1/0x1 -j ACCEPT']);
    assert.equal(rule?.matches[0]?.kind, 'unknown');
    assert.equal(rule?.matches[0]?.kind === 'unknown' && rule.matches[0].text, '-m recent --set --name "a b" --mask 255.255.255.255 --rsource');
    assert.deepEqual(rule?.matches[1], { kind: 'mark', negated: false, value: 1, mask: 1 });
    assert.deepEqual(rule?.target, { kind: 'accept' });
  });

  it('does not lend its options to a known match beside it', () => {
    const [rule] = rulesOf(['-A FORWARD -m mark --mark 0x1/0x1 -m connmark --mark 0x2/0x2 -j ACCEPT']);
    assert.deepEqual(rule?.matches.map((match) => match.kind), ['mark', 'unknown']);
  });
});
