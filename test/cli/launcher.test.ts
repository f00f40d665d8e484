// bin/caracal: starts the program wherever it is called from, however it is linked, with next to nothing in the environment.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';

const ROOT = path.join(import.meta.dirname, '..', '..');
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

function start(launcher: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(launcher, args, { cwd: '/', env: { PATH, ...env }, encoding: 'utf8', timeout: 60_000 });
  return { status, stdout, stderr };
}

suite('bin/caracal', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'caracal launcher-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** A checkout with a program that prints what it is, with or without a bundle. */
  function checkout(name: string, built: boolean): string {
    const home = path.join(directory, name);
    for (const folder of ['bin', 'src', 'dist', 'node_modules/.bin']) mkdirSync(path.join(home, folder), { recursive: true });
    cpSync(path.join(ROOT, 'bin/caracal'), path.join(home, 'bin/caracal'));
    symlinkSync(process.execPath, path.join(home, 'node_modules/.bin/node'));
    const program = 'console.log(JSON.stringify({ file: import.meta.filename, flags: process.execArgv, args: process.argv.slice(2) }));\n';
    writeFileSync(path.join(home, 'src/main.ts'), program);
    if (built) writeFileSync(path.join(home, 'dist/caracal.mjs'), program);
    utimesSync(path.join(home, 'src/main.ts'), 1000, 1000);
    return home;
  }
  interface Started {
    readonly file: string;
    readonly flags: readonly string[];
    readonly args: readonly string[];
  }
  const started = (stdout: string): Started => JSON.parse(stdout) as Started;

  test('starts the program of this checkout from another directory with nothing but PATH', () => {
    const { status, stdout, stderr } = start(path.join(ROOT, 'bin/caracal'), ['version']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^caracal \d/);
  });
  test('runs the sources where nothing is built', () => {
    const home = checkout('sources', false);
    assert.equal(started(start(path.join(home, 'bin/caracal'), []).stdout).file, path.join(home, 'src/main.ts'));
  });
  test('runs the bundle where there is one', () => {
    const home = checkout('bundle', true);
    assert.equal(started(start(path.join(home, 'bin/caracal'), []).stdout).file, path.join(home, 'dist/caracal.mjs'));
  });
  test('runs the sources where one of them is newer than the bundle', () => {
    const home = checkout('stale', true);
    writeFileSync(path.join(home, 'src/new.ts'), '');
    utimesSync(path.join(home, 'dist/caracal.mjs'), 2000, 2000);
    assert.equal(started(start(path.join(home, 'bin/caracal'), []).stdout).file, path.join(home, 'src/main.ts'));
  });
  test('needs no sources beside the bundle', () => {
    const home = checkout('image', true);
    rmSync(path.join(home, 'src'), { recursive: true });
    const { status, stdout, stderr } = start(path.join(home, 'bin/caracal'), []);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    assert.equal(started(stdout).file, path.join(home, 'dist/caracal.mjs'));
  });
  test('works through a chain of symbolic links', () => {
    const home = checkout('linked', true);
    symlinkSync(path.join(home, 'bin/caracal'), path.join(directory, 'first'));
    symlinkSync('first', path.join(directory, 'second'));
    assert.equal(started(start(path.join(directory, 'second'), []).stdout).file, path.join(home, 'dist/caracal.mjs'));
  });
  test('hands arguments over as they are', () => {
    const args = ['run', '--path', 'a b', '*', ''];
    assert.deepEqual(started(start(path.join(checkout('arguments', true), 'bin/caracal'), args).stdout).args, args);
  });
  test('bounds memory, by CARACAL_HEAP_MB if that is set', () => {
    const launcher = path.join(checkout('memory', true), 'bin/caracal');
    assert.deepEqual(started(start(launcher, []).stdout).flags, ['--max-semi-space-size=4', '--max-old-space-size=512']);
    assert.ok(started(start(launcher, [], { CARACAL_HEAP_MB: '256' }).stdout).flags.includes('--max-old-space-size=256'));
  });
});
