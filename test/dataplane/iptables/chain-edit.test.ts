import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { editKeyed, editOrdered } from '../../../src/dataplane/iptables/chain-edit.ts';
import { placeRules } from '../../../src/dataplane/iptables/placed-rule.ts';
import type { PlacedRule } from '../../../src/dataplane/iptables/placed-rule.ts';

function placed(...texts: readonly string[]): PlacedRule[] {
  return placeRules('cali-x', texts.map((text) => ({ text, sets: [] })));
}

function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `-s 10.0.0.${from + i}/32 -j DROP`);
}

/** The lines without their hash comments. */
function plain(lines: readonly string[] | undefined): string[] {
  return (lines ?? []).map((line) => line.replace(/-m comment --comment "cali:[^"]*" /, ''));
}

/** What the kernel would make of the lines. */
function execute(now: readonly PlacedRule[], lines: readonly string[]): string[] {
  const chain = now.map(({ spec }) => spec);
  for (const line of lines) {
    const [, verb, rest] = /^-([ADI]) cali-x (.*)$/.exec(line) as unknown as [string, string, string];
    if (verb === 'A') chain.push(rest);
    else if (verb === 'D') {
      const at = chain.indexOf(rest);
      assert.ok(at >= 0, `deletes what is there: ${line}`);
      chain.splice(at, 1);
    } else {
      const [, number, spec] = /^(\d+ )?(.*)$/.exec(rest) as unknown as [string, string | undefined, string];
      chain.splice(number === undefined ? 0 : Number(number) - 1, 0, spec);
    }
  }
  return chain;
}

describe('hashes', () => {
  it('are sixteen characters, and differ by chain, text and occurrence', () => {
    const [first, second] = placed('-j DROP', '-j DROP');
    assert.match(first?.spec ?? '', /^-m comment --comment "cali:[A-Za-z0-9_-]{16}" -j DROP$/);
    const [elsewhere] = placeRules('cali-y', [{ text: '-j DROP', sets: [] }]);
    assert.equal(new Set([first?.hash, second?.hash, elsewhere?.hash]).size, 3);
  });

  it('do not depend on what stands before', () => {
    assert.equal(placed('-j ACCEPT', '-j DROP')[1]?.hash, placed('-j DROP')[0]?.hash);
  });
});

describe('ordered chains', () => {
  it('that are equal get nothing', () => {
    assert.equal(editOrdered('cali-x', placed('-j DROP'), placed('-j DROP'), false), undefined);
  });

  it('that are not there are written whole', () => {
    assert.deepEqual(plain(editOrdered('cali-x', undefined, placed('-j DROP'), false)?.lines), ['-A cali-x -j DROP']);
  });

  it('of up to 64 rules are replaced whole', () => {
    const edit = editOrdered('cali-x', placed(...numbered(63)), placed(...numbered(64)), false);
    assert.equal(edit?.replace, true);
    assert.equal(edit?.lines.length, 64);
  });

  it('of more are edited: deletions by value, insertions by their final number', () => {
    const before = placed(...numbered(100));
    const wanted = placed('-j ACCEPT', ...numbered(50), ...numbered(48, 52), '-j DROP');
    const edit = editOrdered('cali-x', before, wanted, false);
    assert.equal(edit?.replace, false);
    assert.deepEqual(plain(edit?.lines), [
      '-D cali-x -s 10.0.0.50/32 -j DROP',
      '-D cali-x -s 10.0.0.51/32 -j DROP',
      '-I cali-x 1 -j ACCEPT',
      '-I cali-x 100 -j DROP',
    ]);
    assert.deepEqual(execute(before, edit?.lines ?? []), wanted.map(({ spec }) => spec));
  });

  it('move as few rules as possible', () => {
    const before = placed(...numbered(100));
    const wanted = placed(...numbered(99, 1), ...numbered(1));
    const edit = editOrdered('cali-x', before, wanted, false);
    assert.equal(edit?.lines.length, 2);
    assert.deepEqual(execute(before, edit?.lines ?? []), wanted.map(({ spec }) => spec));
  });

  it('are replaced whole where one rule out of the middle moves all repetitions of others', () => {
    const blocks = (peers: readonly string[]): string[] => peers.flatMap((peer) => [`${peer} -j MARK --set-xmark 0x10000/0x10000`, '-m mark --mark 0x10000/0x10000 -j RETURN']);
    const peers = numbered(200).map((text) => text.replace(' -j DROP', ''));
    const edit = editOrdered('cali-x', placed(...blocks(peers)), placed(...blocks(peers.toSpliced(100, 1))), false);
    assert.equal(edit?.replace, true);
  });

  it('are replaced whole where most of a long one changes', () => {
    assert.equal(editOrdered('cali-x', placed(...numbered(100)), placed(...numbered(100, 100)), false)?.replace, true);
  });

  it('are replaced whole where a rule of somebody else stands in them', () => {
    const before = [...placed(...numbered(100)), { hash: '', spec: '-j ACCEPT', sets: [] }];
    assert.equal(editOrdered('cali-x', before, placed(...numbered(100)), false)?.replace, true);
  });

  it('are replaced whole where a rule stands in them twice', () => {
    const before = placed(...numbered(100));
    assert.equal(editOrdered('cali-x', [...before, before[0] as PlacedRule], before, false)?.replace, true);
  });

  it('are replaced whole after a refusal', () => {
    assert.equal(editOrdered('cali-x', placed(...numbered(100)), placed(...numbered(101)), true)?.replace, true);
  });
});

describe('keyed chains', () => {
  const tail = placed('-j DROP');
  const keyed = (...texts: readonly string[]): Map<string, PlacedRule> => new Map(placed(...texts).map((rule) => [rule.hash, rule]));
  const edit = (before: readonly PlacedRule[] | undefined, wanted: ReadonlyMap<string, PlacedRule>, wholeOnly = false): ReturnType<typeof editKeyed> =>
    editKeyed('cali-x', before, wanted, tail, wholeOnly);

  it('are equal in any order, as long as the tail comes last', () => {
    assert.equal(edit([...placed('-i b', '-i a'), ...tail], keyed('-i a', '-i b')), undefined);
    assert.equal(edit([...placed('-i b'), ...tail, ...placed('-i a')], keyed('-i a', '-i b'))?.replace, true);
  });

  it('take a new rule at the top', () => {
    const result = edit([...placed('-i a', '-i b'), ...tail], keyed('-i a', '-i b', '-i c'));
    assert.deepEqual(plain(result?.lines), ['-I cali-x -i c']);
    assert.deepEqual(result?.result.map(({ hash }) => hash), [...placed('-i c', '-i a', '-i b'), ...tail].map(({ hash }) => hash));
  });

  it('lose a rule by its value', () => {
    assert.deepEqual(plain(edit([...placed('-i a', '-i b'), ...tail], keyed('-i b'))?.lines), ['-D cali-x -i a']);
  });

  it('know what the kernel holds after several edits in one transaction', () => {
    const before = [...placed('-i a', '-i b', '-i c'), ...tail];
    const result = edit(before, keyed('-i c', '-i d', '-i e'));
    assert.deepEqual(execute(before, result?.lines ?? []), result?.result.map(({ spec }) => spec));
  });

  it('are replaced whole where a rule of somebody else stands in them, or after a refusal', () => {
    assert.equal(edit([{ hash: '', spec: '-j ACCEPT', sets: [] }, ...placed('-i a'), ...tail], keyed('-i a'))?.replace, true);
    assert.equal(edit([...placed('-i a'), ...tail], keyed('-i b', '-i a'), true)?.replace, true);
  });
});
