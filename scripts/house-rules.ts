// House rules that a linter has no words for, over the files of this checkout that are TypeScript: how they are named, how they
// begin, how long they may be, and that no test is switched off. Prints "file:line: rule" for each breach and exits with 1.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'examples'].filter((folder) => existsSync(path.join(import.meta.dirname, '..', folder)));
const MAX_LINES = 600;

interface Rule {
  readonly says: string;
  /** The line of the breach, 1-based; 0 where there is none. */
  readonly breach: (file: string, lines: readonly string[]) => number;
}

function firstLine(lines: readonly string[], pattern: RegExp): number {
  return lines.findIndex((line) => pattern.test(line)) + 1;
}

const RULES: readonly Rule[] = [
  { says: `at most ${MAX_LINES} lines`, breach: (_file, lines) => (lines.length > MAX_LINES ? MAX_LINES + 1 : 0) },
  { says: 'a module starts with a comment: what it is for', breach: (file, lines) => (file.endsWith('.test.ts') || /^(\/\/|\/\*|#!)/.test(lines[0] ?? '') ? 0 : 1) },
  { says: 'file names are kebab-case', breach: (file) => (/^[a-z0-9]+([-.][a-z0-9]+)*\.ts$/.test(path.basename(file)) ? 0 : 1) },
  { says: 'no utils, helpers or index files: name the concept', breach: (file) => (/(^|\/)([a-z-]+-)?(utils?|helpers?)\.ts$|(^|\/)index\.ts$/.test(file) ? 1 : 0) },
  // Written in two parts so that this file keeps its own rule.
  { says: 'unfinished work belongs in the tracker', breach: (_file, lines) => firstLine(lines, new RegExp(`\\b(TO${''}DO|FIX${''}ME)\\b`)) },
  {
    says: 'no test is skipped, marked as to do, or run alone',
    breach: (file, lines) =>
      file.startsWith('test/') ? firstLine(lines, /\b(test|it|suite|describe)\.(skip|only|todo)\(|\b(skip|only|todo): *(true|['"`])|\bt(est)?\.(skip|todo)\(/) : 0,
  },
  {
    says: 'a lint rule is switched off for one line only, with the reason after --',
    breach: (_file, lines) => firstLine(lines, /\/[/*]\s*(oxlint|eslint)-disable(?!-(next-)?line [a-z/-]+ -- \S)|@ts-(ignore|nocheck)/),
  },
];

function* typescriptFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const file = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* typescriptFiles(file);
    else if (/\.[cm]?tsx?$/.test(entry.name)) yield file;
  }
}

let files = 0;
let breaches = 0;
for (const folder of FOLDERS) {
  for (const file of typescriptFiles(folder)) {
    files += 1;
    const lines = readFileSync(path.join(ROOT, file), 'utf8').replace(/\n$/, '').split('\n');
    for (const rule of RULES) {
      const line = rule.breach(file, lines);
      if (line === 0) continue;
      breaches += 1;
      console.log(`${file}:${line}: ${rule.says}`);
    }
  }
}
console.log(`house rules: ${files} files, ${breaches} breaches`);
process.exitCode = breaches === 0 ? 0 : 1;
