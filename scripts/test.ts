// `npm test`: everything that is checked, in the order in which it fails fastest, with the test runner's totals last.
//
//   node scripts/test.ts                       lint, types, bundle, API server, then every test
//   node scripts/test.ts unit [file ...]       the tests of one suite (unit, property, kernel, cluster, mutants), or only the files named
//
// Exit status 0 only if every step succeeded, at least one test ran and none was skipped.

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import type { EventData } from 'node:test';

const ROOT = path.join(import.meta.dirname, '..');
const SUITES = ['unit', 'property', 'kernel', 'cluster', 'mutants'] as const;
type SuiteName = (typeof SUITES)[number];

/** No file of tests takes longer on a slow machine; one that hangs fails with its name. */
const FILE_LIMIT_MS = 20 * 60 * 1000;

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const STEPS: readonly Step[] = [
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'house rules', command: ['node', 'scripts/house-rules.ts'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'bundle', command: ['node', 'scripts/build.ts'] },
  { name: 'API server', command: ['node', 'test/cluster/harness/build.ts'] },
];

function runStep(step: Step): boolean {
  const started = performance.now();
  const [program, ...args] = step.command;
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? '✔' : '✖'} ${step.name} (${seconds} s)${error === undefined ? '' : `: ${error.message}`}`);
  return status === 0;
}

/** Everything that is not in a folder of another suite is a unit test. */
function filesOf(suite: SuiteName): string[] {
  const all = globSync('test/**/*.test.ts', { cwd: ROOT }).toSorted();
  const suiteOf = (file: string): string => {
    const folder = file.split(path.sep)[1] ?? '';
    return SUITES.some((each) => each === folder) ? folder : 'unit';
  };
  return all.filter((file) => suiteOf(file) === suite);
}

/** The totals as the spec reporter prints them. */
function totals(counts: EventData.TestSummary['counts'], milliseconds: number): string {
  const rows = [
    ['tests', counts.tests],
    ['suites', counts.suites],
    ['pass', counts.passed],
    ['fail', counts.tests - counts.passed - counts.cancelled - counts.skipped - counts.todo],
    ['cancelled', counts.cancelled],
    ['skipped', counts.skipped],
    ['todo', counts.todo],
    ['duration_ms', milliseconds],
  ];
  return rows.map(([name, value]) => `ℹ ${name} ${value}`).join('\n');
}

async function runTests(files: readonly string[]): Promise<boolean> {
  const stream = run({
    files: files.map((file) => path.resolve(ROOT, file)),
    cwd: ROOT,
    // The slow files are few and mostly wait; one process for each core keeps the wall time near the longest of them.
    concurrency: Math.max(2, availableParallelism()),
    timeout: FILE_LIMIT_MS,
  });
  let summary: EventData.TestSummary | undefined;
  stream.on('test:summary', (data) => {
    if (data.file === undefined) summary = data;
  });
  const report = stream.pipe(new spec());
  report.pipe(process.stdout, { end: false });
  await finished(report);
  if (summary === undefined) throw new Error('the test runner ended without a summary');
  const { counts, duration_ms: milliseconds, success } = summary;
  if (counts.skipped + counts.todo > 0) console.error('✖ tests were skipped: nothing may be skipped');
  if (counts.tests === 0) console.error('✖ no test ran');
  // After failures the reporter ends with their details; the totals are repeated so that they are always last.
  if (!success) console.log(`\n${totals(counts, milliseconds)}`);
  return success && counts.skipped + counts.todo === 0 && counts.tests > 0;
}

// npm puts the project's own programs first on PATH; started by hand this does it.
process.env['PATH'] = `${path.join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}:/usr/local/go/bin:/usr/sbin:/sbin`;

const [suite, ...named] = process.argv.slice(2);
const known = SUITES.find((each) => each === suite);
if (suite !== undefined && known === undefined) {
  console.error(`no suite ${suite}; there are ${SUITES.join(', ')}`);
  process.exit(2);
}
const files = named.length > 0 ? named : known === undefined ? SUITES.flatMap(filesOf) : filesOf(known);
const stepsPassed = known === undefined ? STEPS.map(runStep).every(Boolean) : true;
if (!stepsPassed) console.error('✖ a step failed, see above; the tests run nevertheless');
const testsPassed = await runTests(files);
process.exit(stepsPassed && testsPassed ? 0 : 1);
