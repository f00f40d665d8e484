import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { listedAsSave } from '../../../src/dataplane/chain-listing.ts';
import { ReadFailed } from '../../../src/dataplane/errors.ts';
import { readLines } from '../../../src/dataplane/line-reader.ts';
import { parseSetHeaders } from '../../../src/dataplane/set-headers.ts';
import { chainsOf, checkTransaction } from '../../../src/dataplane/transaction-text.ts';

test('listed chains take the form of iptables-save', () => {
  assert.equal(
    listedAsSave('filter', ['-P INPUT DROP', '-A INPUT -j cali-a', '-N cali-a', '-A cali-a -j RETURN', '']),
    '*filter\n:INPUT DROP [0:0]\n:cali-a - [0:0]\n-A INPUT -j cali-a\n-A cali-a -j RETURN\nCOMMIT\n',
  );
});

test('the chains of a transaction are those that it declares, changes or deletes', () => {
  const transaction = '*filter\n:a - [0:0]\n-A b -j c\n-D d 1\n-I e -j DROP\n-F f\n-X g\nCOMMIT\n';
  assert.deepEqual([...chainsOf(transaction)], ['a', 'b', 'd', 'e', 'f', 'g']);
});

test('a transaction is one table and one COMMIT', () => {
  assert.equal(checkTransaction('*nat\nCOMMIT\n'), 'nat');
  for (const text of ['*other\nCOMMIT\n', 'x\n*nat\nCOMMIT\n', '*nat\nCOMMIT', '*nat\nCOMMIT\nCOMMIT\n', '*nat\n#\nCOMMIT\n', '*nat\n-A a\0\nCOMMIT\n']) {
    assert.throws(() => checkTransaction(text), TypeError, text);
  }
});

test('set headers without their number of entries are no answer', () => {
  assert.throws(() => parseSetHeaders(['Name: a', 'Type: hash:net', 'Header: family inet hashsize 1024 maxelem 5']), ReadFailed);
});

test('lines are whole, however they come', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const { ended } = readLines(stream, (line) => lines.push(line));
  for (const piece of ['on', 'e\ntw', 'o\n\nthr', 'ee']) stream.write(piece);
  stream.end();
  await ended;
  assert.deepEqual(lines, ['one', 'two', '', 'three']);
});

test('prompts are thrown away, however they come', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const { ended } = readLines(stream, (line) => lines.push(line), 'ipset> ');
  for (const piece of ['ipset> ipset> Name: a\nip', 'set> ipset> ', 'Type: x\n', 'ipset> ip', 'set> ', 'ipset> ']) stream.write(piece);
  stream.end();
  await ended;
  assert.deepEqual(lines, ['Name: a', 'Type: x']);
});
