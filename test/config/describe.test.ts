// What people see of the configuration.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { referencePage, settings, settingsText } from '../../src/config/describe.ts';
import { loadConfig } from '../../src/config/load.ts';

const config = loadConfig({ env: { K8S_TOKEN: 'hidden', FELIX_LOGPREFIX: 'policy' }, flags: { nodeName: 'node-a' }, hostname: 'kernel' });

suite('the printed configuration', () => {
  test('says where each value comes from', () => {
    const found = settings(config).filter((row) => row.source !== 'default');
    assert.deepEqual(found, [
      { name: 'FelixHostname', value: 'node-a', source: 'flag --nodename' },
      { name: 'K8S_TOKEN', value: '(set)', source: 'environment K8S_TOKEN' },
      { name: 'LogPrefix', value: 'policy', source: 'environment FELIX_LOGPREFIX' },
    ]);
  });
  test('never contains a secret', () => assert.doesNotMatch(settingsText(config) + JSON.stringify(settings(config)), /hidden/));
  test('is a table whose columns line up', () => {
    const lines = settingsText(config).trimEnd().split('\n');
    const column = lines[0]?.indexOf('VALUE') ?? -1;
    assert.ok(lines.every((line) => line[column - 1] === ' ' && line[column] !== ' '));
  });
});

test('docs/configuration.md is what `npm run docs` makes of the table', () => {
  const page = path.join(import.meta.dirname, '..', '..', 'docs', 'configuration.md');
  assert.equal(readFileSync(page, 'utf8'), referencePage());
});
