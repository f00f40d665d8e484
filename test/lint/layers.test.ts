// The layer rules of ARCHITECTURE.md, seen to fail: in a copy of the lint configuration each layer gets one file for every import
// that it may have and one for every import that it may not, and the linter must tell them apart.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';

const ROOT = path.join(import.meta.dirname, '..', '..');
const LAYERS = ['config', 'model', 'sync', 'calc', 'dataplane', 'simulate', 'verdict', 'observability', 'cli', 'lib'] as const;
type Layer = (typeof LAYERS)[number];

const PACKAGES = ['@kubernetes/client-node', 'commander', 'execa', 'immutable', 'pino', 'prom-client', 'undici', 'yaml'];
const BUILTINS = ['node:fs', 'node:fs/promises', 'node:crypto', 'node:net', 'node:child_process'];

/** The import table: of a folder (or file) of src, the layers, packages and Node modules that it may import. */
const MAY_IMPORT: Readonly<Record<string, { layers: readonly Layer[]; packages: readonly string[]; builtins: readonly string[] }>> = {
  'lib/x.ts': { layers: [], packages: [], builtins: [] },
  'model/x.ts': { layers: ['lib'], packages: [], builtins: ['node:crypto', 'node:net'] },
  'config/x.ts': { layers: ['model', 'lib'], packages: [], builtins: ['node:fs', 'node:fs/promises', 'node:crypto', 'node:net'] },
  'observability/x.ts': { layers: ['lib'], packages: ['pino', 'prom-client', 'immutable'], builtins: ['node:fs', 'node:fs/promises', 'node:crypto', 'node:net'] },
  'sync/x.ts': { layers: ['model', 'lib'], packages: [], builtins: ['node:fs', 'node:fs/promises', 'node:crypto', 'node:net'] },
  'sync/directory/x.ts': { layers: ['model', 'lib'], packages: ['yaml'], builtins: ['node:fs', 'node:fs/promises', 'node:crypto', 'node:net'] },
  'sync/kubernetes/x.ts': {
    layers: ['model', 'lib'],
    packages: ['@kubernetes/client-node', 'undici'],
    builtins: ['node:fs', 'node:fs/promises', 'node:crypto', 'node:net'],
  },
  'calc/x.ts': { layers: ['model', 'lib'], packages: [], builtins: [] },
  'dataplane/x.ts': { layers: ['model', 'lib'], packages: [], builtins: ['node:fs', 'node:fs/promises', 'node:crypto', 'node:net'] },
  'dataplane/command.ts': { layers: ['model', 'lib'], packages: ['execa'], builtins: BUILTINS },
  'simulate/x.ts': { layers: ['model', 'lib'], packages: [], builtins: [] },
  // Of model only packet.ts and verdict.ts; tested apart.
  'verdict/x.ts': { layers: ['lib'], packages: [], builtins: ['node:crypto', 'node:net'] },
  'cli/x.ts': { layers: LAYERS, packages: ['commander'], builtins: BUILTINS },
};

interface Plant {
  readonly file: string;
  readonly specifier: string;
  readonly allowed: boolean;
}

/** One file per import, `<place>-<number>.ts` beside the place; command.ts is one file and takes all its imports together. */
const plants: Plant[] = [];
const sources = new Map<string, string>();

function plant(place: string, specifier: string, allowed: boolean, source = `import ${JSON.stringify(specifier)};\n`): void {
  const file = place.endsWith('/x.ts') ? place.replace(/x\.ts$/, `plant-${plants.length}.ts`) : place;
  plants.push({ file, specifier, allowed });
  sources.set(file, (sources.get(file) ?? '') + source);
}

for (const [place, may] of Object.entries(MAY_IMPORT)) {
  const own = place.split('/')[0];
  const up = '../'.repeat(place.split('/').length - 1);
  for (const layer of LAYERS) if (layer !== own) plant(place, `${up}${layer}/thing.ts`, may.layers.includes(layer));
  for (const name of PACKAGES) plant(place, name, may.packages.includes(name));
  for (const name of BUILTINS) plant(place, name, may.builtins.includes(name));
  plant(place, 'a-package-nobody-chose', false);
  plant(place, `${up}../test/fakes/thing.ts`, false);
  if (own !== 'cli') plant(place, `${up}agent.ts`, false);
}
plant('verdict/x.ts', '../model/packet.ts', true);
plant('verdict/x.ts', '../model/verdict.ts', true);
plant('verdict/x.ts', '../model/net/cidr.ts', false);
plant('calc/x.ts', '../sync/thing.ts', false, "export const later = import('../sync/thing.ts');\n");
plant('calc/x.ts', '../dataplane/thing.ts', false, "export type { Thing } from '../dataplane/thing.ts';\n");
plant('calc/deep/x.ts', '../../dataplane/thing.ts', false);
plant('calc/deep/x.ts', '../graph.ts', true);
plant('calc/deep/x.ts', '../../model/thing.ts', true);

let directory: string;
/** "file specifier" of every import that the linter refused. */
const refused = new Set<string>();
let everything = '';

function lint(): string {
  const run = spawnSync(path.join(ROOT, 'node_modules/.bin/oxlint'), ['-f', 'unix', 'src'], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  assert.ok(run.status === 0 || run.status === 1, `oxlint did not run: ${run.stderr}`);
  return run.stdout;
}

before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'caracal-layers-'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json']) cpSync(path.join(ROOT, file), path.join(directory, file));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'));
  const write = (file: string, source: string): void => {
    mkdirSync(path.dirname(path.join(directory, 'src', file)), { recursive: true });
    writeFileSync(path.join(directory, 'src', file), source);
  };
  for (const [file, source] of sources) write(file, source);
  write('calc/clock.ts', 'export const now = (): number => Date.now() + performance.now() + Math.random();\n');
  write('calc/later.ts', 'export const later = async (): Promise<void> => {};\n');
  write('lib/one.ts', "import { two } from './two.ts';\nexport const one = (): number => two();\n");
  write('lib/two.ts', "import { one } from './one.ts';\nexport const two = (): number => one();\n");
  write('lib/careless.ts', 'const work = async (): Promise<void> => {};\nexport const start = (): void => {\n  work();\n};\n');
  write('lib/untyped.ts', 'export const value: any = 1;\n');
  write('lib/long.ts', 'export {};\n'.repeat(601));
  write('lib/default.ts', 'export default 1;\n');
  everything = lint();
  for (const line of everything.split('\n')) {
    const match = /^src\/([^:]+):\d+:\d+: '([^']+)' import is restricted/.exec(line);
    if (match) refused.add(`${match[1]} ${match[2]}`);
  }
});

after(() => rmSync(directory, { recursive: true, force: true }));

suite('layer rules', () => {
  for (const place of new Set(plants.map((each) => path.dirname(each.file) + (each.file.endsWith('command.ts') ? '/command.ts' : '')))) {
    const here = plants.filter((each) => (place.endsWith('.ts') ? each.file === place : path.dirname(each.file) === place && !each.file.endsWith('command.ts')));
    test(`src/${place} is refused every import that the architecture does not grant`, () => {
      const missed = here.filter((each) => !each.allowed && !refused.has(`${each.file} ${each.specifier}`));
      assert.deepEqual(missed.map((each) => each.specifier), []);
    });
    test(`src/${place} keeps every import that the architecture grants`, () => {
      const wronged = here.filter((each) => each.allowed && refused.has(`${each.file} ${each.specifier}`));
      assert.deepEqual(wronged.map((each) => each.specifier), []);
    });
  }
});

suite('other lint rules', () => {
  const breaches: readonly (readonly [string, string, string])[] = [
    ['calc that reads a clock', 'calc/clock.ts', 'no-restricted-globals'],
    ['calc that draws a random number', 'calc/clock.ts', 'no-restricted-properties'],
    ['calc that returns a promise', 'calc/later.ts', 'no-async-await'],
    ['a cycle of imports', 'lib/one.ts', 'no-cycle'],
    ['a promise nobody waits for', 'lib/careless.ts', 'no-floating-promises'],
    ['an explicit any', 'lib/untyped.ts', 'no-explicit-any'],
    ['a file of more than 600 lines', 'lib/long.ts', 'max-lines'],
    ['a default export', 'lib/default.ts', 'no-default-export'],
  ];
  for (const [what, file, rule] of breaches) {
    test(`${what} is refused`, () => {
      const found = everything.split('\n').some((line) => line.startsWith(`src/${file}:`) && line.includes(`(${rule})`));
      assert.ok(found, `no ${rule} for ${file} in:\n${everything.slice(0, 4000)}`);
    });
  }
});
