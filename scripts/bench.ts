// `npm run bench [name ...]`: runs bench/<name>.ts one after the other, each in a process of its own with the collector exposed,
// so that heap sizes are those after a collection. What is after the names goes to the benchmarks: `npm run bench calc -- --json`.

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
const all = globSync('bench/*.ts', { cwd: ROOT }).toSorted();
const names = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const flags = process.argv.slice(2).filter((word) => word.startsWith('-'));
const unknown = names.filter((name) => !all.includes(`bench/${name}.ts`));
if (unknown.length > 0 || all.length === 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${all.map((file) => path.basename(file, '.ts')).join(', ') || 'none'}`);
  process.exit(2);
}

let failed = false;
for (const file of names.length === 0 ? all : names.map((name) => `bench/${name}.ts`)) {
  const { status } = spawnSync(process.execPath, ['--expose-gc', file, ...flags], { cwd: ROOT, stdio: 'inherit' });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
