// The runner of mutants tells apart what is caught, what survives, and what proves nothing. Small tests stand in for the fuzz.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runMutants } from './mutant-run.ts';
import type { Outcome } from './mutant-run.ts';
import { applyHunks, parsePatch, PatchError } from './patch.ts';

const tests = ['test/simulate/address.test.ts'];

function patchOf(before: string, after: string): string {
  return `Something is broken.\n\n--- a/src/simulate/address.ts\n+++ b/src/simulate/address.ts\n@@ -1,1 +1,1 @@\n-${before}\n+${after}\n`;
}

async function fateOf(before: string, after: string): Promise<Outcome> {
  const [outcome] = await runMutants([{ name: 'x', patch: parsePatch(patchOf(before, after)) }], { seed: 1, tests });
  assert.ok(outcome !== undefined);
  return outcome;
}

describe('a mutant', () => {
  it('that makes a test fail is caught, by name', async () => {
    const { fate, detail } = await fateOf('      if (octet > 255) return undefined;', '      if (octet > 256) return undefined;');
    assert.equal(fate, 'caught');
    assert.equal(detail, 'address: an IPv4 address');
  });

  it('that makes none fail survives', async () => {
    const { fate } = await fateOf('/** The signed 32-bit mask of a prefix length. */', '/** The signed mask of a prefix length. */');
    assert.equal(fate, 'survived');
  });

  it('that does not even run is an error', async () => {
    assert.equal((await fateOf('      if (octet > 255) return undefined;', '      if (octet > 255 return undefined;')).fate, 'error');
  });

  it('whose lines are gone is an error', async () => {
    assert.equal((await fateOf('these lines never were', 'here')).fate, 'error');
  });
});

describe('the runner', () => {
  it('refuses to judge when the tests fail without any mutant', async () => {
    const patch = parsePatch(patchOf('/** The signed 32-bit mask of a prefix length. */', '/** The signed mask of a prefix length. */'));
    await assert.rejects(runMutants([{ name: 'x', patch }], { seed: 1, tests: ['test/simulate/no-such.test.ts'] }), /without any mutant/);
  });
});

describe('a patch', () => {
  const hunk = (lines: string): string => `What it does.\n--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n${lines}`;
  const apply = (lines: string, text: string): string => {
    const [file] = parsePatch(hunk(lines)).files;
    assert.ok(file !== undefined);
    return applyHunks(text, file);
  };

  it('is applied wherever its lines have moved to', () => {
    assert.equal(apply(' a\n-b\n+B\n c\n', 'x\ny\na\nb\nc\nz\n'), 'x\ny\na\nB\nc\nz\n');
  });

  it('that fits nowhere, or in two places, is refused', () => {
    assert.throws(() => apply(' a\n-b\n', 'a\nc\n'), PatchError);
    assert.throws(() => apply(' a\n-b\n', 'a\nb\na\nb\n'), PatchError);
  });

  it('says in its first line what is broken', () => {
    assert.equal(parsePatch(hunk('-b\n')).title, 'What it does.');
    assert.throws(() => parsePatch('--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n'), PatchError);
  });

  it('without changes is refused', () => {
    assert.throws(() => parsePatch('Nothing.\n'), PatchError);
  });
});
