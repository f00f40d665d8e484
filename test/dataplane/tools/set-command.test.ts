import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EncodingRefused } from '../../../src/dataplane/errors.ts';
import { alreadySo, parseSetCommand } from '../../../src/dataplane/set-command.ts';

test('the commands of the dataplane pass, without their -exist', () => {
  const commands = [
    'create cali40s:abc hash:net family inet maxelem 1048576', 'create cali60n:abc hash:ip,port family inet6 hashsize 1024 maxelem 65536',
    'add cali40s:abc 10.0.0.0/8', 'add cali40s:abc 10.0.0.1', 'del cali60s:abc fd00::/64', 'add cali40n:abc 10.0.0.1,sctp:65535',
    'flush cali40s:abc', 'destroy cali4t17', 'swap cali40s:abc cali4t17', 'rename cali4t17 cali40s:abd',
  ];
  for (const command of commands) {
    assert.deepEqual(parseSetCommand(command).text, command);
    assert.deepEqual(parseSetCommand(`${command} -exist`), { ...parseSetCommand(command), exist: true });
  }
});

test('what could mean something else to ipset is refused', () => {
  const commands = [
    '', 'x', 'X', 'destroy', 'flush', '-exist', 'destroy -exist', 'list', 'save', 'restore', 'quit', 'test cali40a 10.0.0.1', 'destroy a b', 'swap a', 'swap a b c',
    'add cali40a', 'add cali40a 10.0.0.1 nomatch', 'add cali40a 10.0.0.1-10.0.0.9', 'add cali40a 10.0.0.1/24', 'add cali40a 10.0.0.0/0', 'add cali40a ::/0',
    'add cali40a 010.0.0.1', 'add cali40a host', 'add cali40a FD00::1', 'add cali40a fd00::1', 'add cali60a 10.0.0.1', 'add cali60n 10.0.0.1,tcp:80',
    'add cali40n 10.0.0.1,tcp:http', 'add cali40n 10.0.0.1,80', 'add cali40a 10.0.0.1\n', 'add cali40a  10.0.0.1', 'add "cali40a" 10.0.0.1', '-! add cali40a host',
    'create a hash:mac', 'create a hash:net maxelem', 'create a hash:net maxelem 0', 'create a hash:net family inet7', 'create a hash:net timeout 5',
    'create -t hash:net', `create ${'a'.repeat(32)} hash:net`, `add a ${'1'.repeat(2_000)}`,
  ];
  for (const command of commands) assert.throws(() => parseSetCommand(command), EncodingRefused, command);
});

test('with -exist, and only then, a member that is already there or already gone is no failure', () => {
  const added = "Element cannot be added to the set: it's already added";
  const gone = "Element cannot be deleted from the set: it's not added";
  assert.equal(alreadySo(parseSetCommand('add cali40a 10.0.0.1 -exist'), added), true);
  assert.equal(alreadySo(parseSetCommand('add cali40a 10.0.0.1'), added), false);
  assert.equal(alreadySo(parseSetCommand('del cali40a 10.0.0.1 -exist'), gone), true);
  assert.equal(alreadySo(parseSetCommand('add cali40a 10.0.0.1 -exist'), 'Hash is full, cannot add more elements'), false);
});
