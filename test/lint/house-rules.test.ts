// The house rules, seen to fail: a copy of the script beside files that break one rule each.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';

const SCRIPT = path.join(import.meta.dirname, '..', '..', 'scripts', 'house-rules.ts');
const GOOD = '// What it is for.\nexport const one = 1;\n';

function check(t: TestContext, files: Readonly<Record<string, string>>): { status: number | null; output: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'caracal-house-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['src', 'test', 'bench', 'scripts', 'examples']) mkdirSync(path.join(root, folder));
  cpSync(SCRIPT, path.join(root, 'scripts/house-rules.ts'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  const { status, stdout } = spawnSync(process.execPath, [path.join(root, 'scripts/house-rules.ts')], { encoding: 'utf8' });
  return { status, output: stdout };
}

suite('house rules', () => {
  test('let a lint rule be switched off for a line with a reason', (t) => {
    const text = `${GOOD}// ox${''}lint-disable-next-line no-console -- the launcher has no log yet\n`;
    assert.equal(check(t, { 'src/a.ts': text }).status, 0);
  });
  test('let a tidy checkout pass', (t) => {
    assert.deepEqual(check(t, { 'src/lib/one.ts': GOOD }), { status: 0, output: 'house rules: 2 files, 0 breaches\n' });
  });
  const mark = `TO${''}DO`;
  const breaches: readonly (readonly [what: string, file: string, text: string, says: string])[] = [
    ['a file of more than 600 lines', 'src/a.ts', GOOD + '\n'.repeat(600), 'src/a.ts:601: at most 600 lines'],
    ['a module without a comment at its head', 'src/a.ts', 'export const one = 1;\n', 'src/a.ts:1: a module starts with a comment'],
    ['a file name that is not kebab-case', 'src/someThing.ts', GOOD, 'src/someThing.ts:1: file names are kebab-case'],
    ['a file called utils', 'src/calc/utils.ts', GOOD, 'src/calc/utils.ts:1: no utils'],
    ['a mark of unfinished work', 'src/a.ts', `${GOOD}// ${mark}: later\n`, 'src/a.ts:3: unfinished work'],
    ['a skipped test', 'test/a.test.ts', `// Tests.\ntest.${'skip'}('x', () => {});\n`, 'test/a.test.ts:2: no test is skipped'],
    ['a test that skips itself', 'test/a.test.ts', `// Tests.\ntest('x', (t) => t.${'skip'}('no root'));\n`, 'test/a.test.ts:2: no test is skipped'],
    ['a test that runs alone', 'test/a.test.ts', `// Tests.\ntest('x', { ${'only'}: true }, () => {});\n`, 'test/a.test.ts:2: no test is skipped'],
    ['a lint rule that is switched off', 'src/a.ts', `${GOOD}// ox${''}lint-disable-next-line no-console\n`, 'src/a.ts:3: a lint rule is switched off'],
  ];
  for (const [what, file, text, says] of breaches) {
    test(`refuse ${what}`, (t) => {
      const { status, output } = check(t, { [file]: text });
      assert.equal(status, 1);
      assert.ok(output.includes(says), output);
    });
  }
});
