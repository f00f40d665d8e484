// Names of sets.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { definitionKey, desiredSet, setId } from '../../src/calc/set-definition.ts';
import { parseSelector } from '../../src/model/selector/parse.ts';

function felixId(prefix: string, content: string): string {
  return `${prefix}:${createHash('sha224').update(`${prefix}:${content}`).digest('base64url')}`;
}

test("an Allow rule's selector has the id that Felix gives it, cut to 25 characters", () => {
  const id = setId({ use: 'allow', selector: parseSelector("app == 'web'") });
  assert.equal(id, felixId('s', 'app == "web"').slice(0, 25));
  assert.equal(id.length, 25);
});

test('a named port has the id that Felix gives it', () => {
  const selector = parseSelector("app == 'web'");
  const id = setId({ use: 'allow', selector, port: { name: 'http', protocol: 6 } });
  assert.equal(id, felixId('n', `${felixId('s', 'app == "web"')},tcp,http`).slice(0, 25));
});

test('uses, ports and protocols of one selector are sets of their own', () => {
  const selector = parseSelector("app == 'web'");
  const uses = ['allow', 'deny', 'pass'] as const;
  const ports = [undefined, { name: 'http' }, { name: 'http', protocol: 6 }, { name: 'http', protocol: 17 }, { name: 'https', protocol: 6 }];
  const ids = uses.flatMap((use) => ports.map((port) => setId(port === undefined ? { use, selector } : { use, selector, port })));
  assert.equal(new Set(ids).size, 15);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9:_-]{1,25}$/);
});

test('a service with ports has the id that Felix gives it', () => {
  assert.equal(setId({ use: 'allow', service: 'ns/web', withPorts: true }), felixId('svc', 'ns/web').slice(0, 25));
});

test('of the hash enough is left that nobody finds two names of services, or of ports, with one id: 120 bits', () => {
  const selector = parseSelector("app == 'web'");
  for (const use of ['allow', 'deny', 'pass'] as const) {
    const services = [true, false].map((withPorts) => setId({ use, service: 'ns/web', withPorts }));
    const ids = [...services, setId({ use, selector }), setId({ use, selector, port: { name: 'http' } }), setId({ use: 'deny', service: 'ns/web', withPorts: false, onlyBroken: true })];
    for (const id of ids) assert.ok(6 * (id.split(':')[1] ?? '').length >= 120, id);
  }
});

test('uses and forms of one service are sets of their own', () => {
  const uses = ['allow', 'deny', 'pass'] as const;
  const ids = uses.flatMap((use) => [true, false].map((withPorts) => setId({ use, service: 'ns/web', withPorts })));
  assert.equal(new Set(ids).size, 6);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9:_-]{1,25}$/);
});

test('a selector of any length is repeated neither for each of its named ports nor in what a log says of its set', () => {
  const long = (label: string): string => Array.from({ length: 1_000 }, (_, i) => `${label} == 'v${i}'`).join(' || ');
  const [a, b] = [parseSelector(long('a')), parseSelector(long('b'))];
  const keys = [a, b].flatMap((selector) => ['http', 'https'].map((name) => definitionKey({ use: 'allow', selector, port: { name } })));
  assert.equal(new Set(keys).size, 4);
  for (const key of keys) assert.ok(key.length < 100, key);
  assert.ok(desiredSet({ id: 's:x', definition: { use: 'allow', selector: a } }, []).description.length < 1_000);
});
