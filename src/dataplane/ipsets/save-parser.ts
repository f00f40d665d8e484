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
  let name = '';
  let members: Set<Member> | undefined;
  for (const line of text.split('\n')) {
    const words = line.split(' ');
    if (words[0] === 'create') {
      name = copy(words[1] ?? '');
      members = keep(name) ? new Set() : undefined;
      if (members !== undefined) sets.set(name, { header: headerOf(words), members });
    } else if (words[0] === 'add' && words[1] === name) {
      members?.add(copy(words[2] ?? ''));
    }
  }
  return sets;
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
