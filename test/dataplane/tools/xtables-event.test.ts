import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseXtablesEvent } from '../../../src/dataplane/xtables-event.ts';

test('a rule names family, table and chain', () => {
  assert.deepEqual(parseXtablesEvent(' EVENT: -6 -t raw -A cali-x -s fe80::1/128 -m comment --comment "cali:a b" -j DROP'), {
    kind: 'chain', touched: { family: 6, table: 'raw', chain: 'cali-x' },
  });
});

test('a base chain is a chain', () => {
  const line = ' EVENT: # nft: ip filter FORWARD use 1 type filter hook forward prio 0 policy drop packets 0 bytes 0 flags 1';
  assert.deepEqual(parseXtablesEvent(line), { kind: 'chain', touched: { family: 4, table: 'filter', chain: 'FORWARD' } });
});

test('a generation names the process, spaces in its name included', () => {
  assert.deepEqual(parseXtablesEvent('NEWGEN: GENID=26 PID=5850 NAME=my tool'), { kind: 'generation', pid: 5850, name: 'my tool' });
});

test('tables that iptables does not use, and tables that come and go, are elsewhere', () => {
  for (const line of [
    ' EVENT: -4 -t kube-proxy -N b', ' EVENT: # nft: inet other a use 2', ' EVENT: nft: NEW table: table filter ip flags 0 use 1 handle 6', ' EVENT: ',
  ]) assert.equal(parseXtablesEvent(line).kind, 'elsewhere', line);
});

test('any other line is unknown', () => {
  for (const line of ['', 'Error: cmp sreg undef', ' EVENT: -4 -t filter ', 'NEWGEN: GENID=1']) assert.equal(parseXtablesEvent(line).kind, 'unknown', line);
});
