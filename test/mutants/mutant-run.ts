// Runs the fuzz against small bugs, one at a time: each patch of this folder is applied to a copy of the checkout, and the fuzz must
// fail there. In: which mutants, and how thorough. Out: what became of each. Always holds: the checkout itself is only read; the
// unchanged copy must pass first, or nothing that follows would mean anything.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { applyHunks, parsePatch, PatchError } from './patch.ts';
import type { Patch } from './patch.ts';

const root = path.join(import.meta.dirname, '../..');
/** A mutant may make the fuzz hang; that is found out too. */
const limitMs = 5 * 60 * 1000;

export interface Mutant {
  /** Name of the file without ".patch". */
  readonly name: string;
  readonly patch: Patch;
}

export interface Outcome {
  readonly name: string;
  readonly title: string;
  readonly fate: 'caught' | 'survived' | 'error';
  /** The test that caught it, or what went wrong. */
  readonly detail: string;
  readonly seconds: number;
}

export interface Options {
  readonly seed: number;
  /** The tests that must fail; default: the fuzz. */
  readonly tests?: readonly string[];
  /** Told of each outcome as it comes. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

export function readMutants(folder = import.meta.dirname): Mutant[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.patch'))
    .sort()
    .map((file) => ({ name: file.replace(/\.patch$/, ''), patch: parsePatch(readFileSync(path.join(folder, file), 'utf8')) }));
}

/** Rejects when a test that is asked fails without any mutant. */
export async function runMutants(mutants: readonly Mutant[], options: Options): Promise<Outcome[]> {
  const tests = options.tests ?? fuzzFiles();
  const unchanged = new Unchanged(options.seed);
  try {
    return await inParallel(mutants, async (mutant) => {
      const outcome = await judge(mutant, ordered(tests, mutant.patch), options.seed, unchanged);
      options.onOutcome?.(outcome);
      return outcome;
    });
  } finally {
    unchanged.remove();
  }
}

/** A copy without any mutant. Each test that a mutant meets is tried on it once. */
class Unchanged {
  readonly #copy = copyCheckout();
  readonly #seed: number;
  readonly #tried = new Map<string, Promise<Failure | undefined>>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  async assertPasses(test: string): Promise<void> {
    const tried = this.#tried.get(test) ?? runTests(this.#copy, test, this.#seed);
    this.#tried.set(test, tried);
    const failure = await tried;
    if (failure !== undefined) throw new Error(`the fuzz fails without any mutant: ${failure.detail}`);
  }

  remove(): void {
    rmSync(this.#copy, { recursive: true, force: true });
  }
}

async function judge({ name, patch }: Mutant, tests: readonly string[], seed: number, unchanged: Unchanged): Promise<Outcome> {
  let seconds = 0;
  const outcome = (fate: Outcome['fate'], detail: string): Outcome => ({ name, title: patch.title, fate, detail, seconds });
  const copy = copyCheckout();
  try {
    for (const file of patch.files) {
      const target = path.join(copy, file.file);
      writeFileSync(target, applyHunks(readFileSync(target, 'utf8'), file));
    }
    for (const file of tests) {
      await unchanged.assertPasses(file);
      const started = performance.now();
      const failure = await runTests(copy, file, seed);
      seconds += (performance.now() - started) / 1000;
      if (failure !== undefined) return outcome(failure.isVerdict ? 'caught' : 'error', failure.detail);
    }
    return outcome('survived', '');
  } catch (error) {
    if (error instanceof PatchError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) return outcome('error', error.message);
    throw error;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What the fuzz needs, and nothing that is large. */
function copyCheckout(): string {
  const copy = mkdtempSync(path.join(tmpdir(), 'crcl-mutant-'));
  for (const entry of ['src', 'test', 'package.json', 'tsconfig.json']) cpSync(path.join(root, entry), path.join(copy, entry), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  return copy;
}

function fuzzFiles(): string[] {
  const files = readdirSync(path.join(root, 'test/property')).filter((file) => file.endsWith('.test.ts'));
  if (files.length === 0) throw new Error('there is no fuzz in test/property');
  return files.sort().map((file) => `test/property/${file}`);
}

/** The first pattern that a mutant's file matches names the tests that are likely to fail, and fast: they come first. */
const favourites: readonly (readonly [file: RegExp, tests: readonly string[]])[] = [
  [/^src\/dataplane\/render\/(endpoint|match|policy|policy-rule)\.ts$/, ['rendered-rules', 'verdict-of-histories']],
  // What all kinds of policies share with Kubernetes' own.
  [/^src\/sync\/resources\/(network-policy|pod|policy)\b/, ['verdict-of-histories']],
  [/^src\/sync\//, ['verdict-of-desired']],
  // What is wrong at once, unlike what is wrong after changes.
  [/^src\/(model\/selector|calc\/(contributor|policy-sorter|rule-scanner|service-index|set-definition|subject)\.ts)/, ['verdict-of-desired', 'calculation']],
  [/^src\/calc\//, ['calculation', 'verdict-of-desired']],
  [/^/, ['verdict-of-histories']],
];

function ordered(tests: readonly string[], { files }: Patch): string[] {
  const [, first = []] = favourites.find(([pattern]) => files.some(({ file }) => pattern.test(file))) ?? [];
  const place = (test: string): number => {
    const at = first.indexOf(path.basename(test, '.test.ts'));
    return at < 0 ? first.length : at;
  };
  return tests.toSorted((a, b) => place(a) - place(b));
}

interface Failure {
  /** False where the tests did not even run: a broken mutant proves nothing. */
  readonly isVerdict: boolean;
  readonly detail: string;
}

async function runTests(cwd: string, file: string, seed: number): Promise<Failure | undefined> {
  const child = spawn(process.execPath, ['--import', './test/mutants/fail-fast.ts', '--test-reporter=tap', file], {
    cwd,
    env: { ...process.env, FUZZ_SEED: String(seed), NODE_TEST_CONTEXT: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? undefined));
  const code = await promise;
  clearTimeout(timer);
  if (code === 0) return undefined;
  if (code === undefined) return { isVerdict: true, detail: `${path.basename(file)} hung` };
  const test = /^not ok \d+ - (.*?)( \(seed \d+\))?$/m.exec(output)?.[1];
  return test === undefined
    ? { isVerdict: false, detail: `${file} did not run: ${/^\w*Error.*$/m.exec(output)?.[0] ?? output.slice(-300)}` }
    : { isVerdict: true, detail: `${path.basename(file, '.test.ts')}: ${test}` };
}

/** At most as many at a time as there are processors; results in the order of the items. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as T);
  };
  await Promise.all(Array.from({ length: Math.min(items.length, availableParallelism()) }, worker));
  return results;
}
