// Reads what `ipset save` prints. In: its text. Out: the sets that `keep` names, with their members; others are skipped.

import type { Member } from '../../model/desired.ts';

export interface SavedSet {
  readonly header: SavedHeader;
  readonly members: ReadonlySet<Member>;
}

export interface SavedHeader {
  /** "hash:net", … */
  readonly type: string;
  readonly family: 'inet' | 'inet6' | '';
  readonly maxElements: number;
}

export function parseSets(text: string, keep: (name: string) => boolean): Map<string, SavedSet> {
  const sets = new Map<string, SavedSet>();
  for (const found of savedSets(text, keep, Number.POSITIVE_INFINITY)) if (found !== undefined) sets.set(found.name, found);
  return sets;
}

/** The same one after the other, with undefined after each `slice` lines: a place to let others work. */
export function* savedSets(text: string, keep: (name: string) => boolean, slice: number): Generator<(SavedSet & { readonly name: string }) | undefined, undefined> {
  let name = '';
  let found: { readonly name: string; readonly header: SavedHeader; readonly members: Set<Member> } | undefined;
  let lines = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const words = text.slice(start, end).split(' ');
    start = end + 1;
    if (words[0] === 'create') {
      if (found !== undefined) yield found;
      name = copy(words[1] ?? '');
      found = keep(name) ? { name, header: headerOf(words), members: new Set() } : undefined;
    } else if (words[0] === 'add' && words[1] === name) {
      found?.members.add(copy(words[2] ?? ''));
    }
    lines += 1;
    if (lines % slice === 0) yield undefined;
  }
  if (found !== undefined) yield found;
}

function headerOf(words: readonly string[]): SavedHeader {
  const option = (key: string): string => words[words.indexOf(key, 3) + 1] ?? '';
  const family = words.includes('family') ? option('family') : '';
  return {
    type: copy(words[2] ?? ''),
    family: family === 'inet' || family === 'inet6' ? family : '',
    maxElements: words.includes('maxelem') ? Number(option('maxelem')) : 0,
  };
}

/** A substring would keep the whole text alive. */
function copy(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
