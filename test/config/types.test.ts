// The grammar of each type of parameter.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ParameterType } from '../../src/config/types.ts';
import {
  ValueProblem,
  boolean,
  hostAddress,
  hostname,
  integer,
  interfaceList,
  logPrefix,
  logRate,
  markMask,
  milliseconds,
  oneOf,
  path,
  seconds,
  secret,
  serverUrl,
} from '../../src/config/types.ts';

interface Grammar {
  readonly name: string;
  readonly type: ParameterType<unknown>;
  readonly accepted: readonly (readonly [text: string, value: unknown])[];
  readonly refused: readonly string[];
}

const grammars: readonly Grammar[] = [
  {
    name: 'boolean',
    type: boolean,
    accepted: [...['true', '1', 'yes', 'y', 't', 'TRUE', 'Yes'].map((text) => [text, true] as const), ...['false', '0', 'no', 'n', 'f', 'False'].map((text) => [text, false] as const)],
    refused: ['on', 'off', '2', 'truee', 'enabled'],
  },
  {
    name: 'integer',
    type: integer(0, 65_535),
    accepted: [['0', 0], ['9099', 9099], ['0x1F', 31], ['0o17', 15], ['017', 15], ['0b101', 5], ['65_535', 65_535], ['+7', 7]],
    refused: ['65536', '-1', '1.5', '1e3', '0x', '08', '1__0', '1_', 'ten', '9007199254740993'],
  },
  { name: 'seconds', type: seconds, accepted: [['60', 60], ['0', 0], ['1.5', 1.5], ['.25', 0.25]], refused: ['60s', '-1', '1m', 'NaN', 'Infinity', '99999999999999'] },
  { name: 'milliseconds', type: milliseconds, accepted: [['50', 50]], refused: ['50ms'] },
  {
    name: 'one of',
    type: oneOf(['auto', 'legacy', 'nft']),
    accepted: [['auto', 'auto'], ['NFT', 'nft'], ['Legacy', 'legacy']],
    refused: ['nftables', 'autolegacy'],
  },
  {
    name: 'mark mask',
    type: markMask,
    accepted: [['0xffff0000', 0xffff_0000], ['4294901760', 0xffff_0000], ['0x1f', 0x1f]],
    refused: ['0xf', '0x1ffffffff', '-1', 'ffff0000'],
  },
  {
    name: 'interface list',
    type: interfaceList,
    accepted: [['cali', ['cali']], ['cali,tap', ['cali', 'tap']], ['cali,cali', ['cali']]],
    refused: ['cali,', ',cali', 'cali tap', 'a-name-of-16-chars', 'cali*'],
  },
  { name: 'host address', type: hostAddress, accepted: [['::1', '::1'], ['localhost', 'localhost'], ['10.0.0.1', '10.0.0.1']], refused: ['local host', '10.0.0.1/8'] },
  { name: 'hostname', type: hostname, accepted: [['node-1.example', 'node-1.example']], refused: ['node/1', 'node 1'] },
  { name: 'path', type: path, accepted: [['/var/run/calico', '/var/run/calico']], refused: ['/var\n/run'] },
  { name: 'log rate', type: logRate, accepted: [['10/minute', '10/minute'], ['9999/day', '9999/day']], refused: ['0/minute', '10/week', '10000/second', '10 / minute'] },
  { name: 'log prefix', type: logPrefix, accepted: [['calico-packet', 'calico-packet'], ['%t %k', '%t %k']], refused: ['a"b', 'a\\b', 'a\nb', 'ä'] },
  { name: 'secret', type: secret, accepted: [['abc.def', 'abc.def']], refused: ['a b', 'a\nb'] },
  {
    name: 'server URL',
    type: serverUrl,
    accepted: [['https://10.0.0.1:6443', 'https://10.0.0.1:6443']],
    refused: ['10.0.0.1:6443', 'ftp://10.0.0.1', 'https://user:password@10.0.0.1'],
  },
];

for (const { name, type, accepted, refused } of grammars) {
  suite(`a parameter of type ${name}`, () => {
    for (const [text, value] of accepted) test(`reads ${text}`, () => assert.deepEqual(type.parse(text), value));
    for (const text of refused) test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => type.parse(text), ValueProblem));
    test('prints values as text that gives the same value', () => {
      for (const [, value] of accepted) assert.deepEqual(type.parse(type.format(value)), value);
    });
  });
}
