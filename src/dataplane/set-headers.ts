// `ipset list -t` as SetHeader records. What always holds: an output in another form is ReadFailed, never fewer sets.

import { ReadFailed } from './errors.ts';
import type { SetHeader } from './kernel.ts';

interface Draft {
  name: string;
  type?: string;
  family?: SetHeader['family'];
  maxElements?: number;
  entries?: number;
}

export function parseSetHeaders(lines: Iterable<string>): SetHeader[] {
  const drafts: Draft[] = [];
  for (const line of lines) {
    const colon = line.indexOf(': ');
    if (colon < 0) continue;
    const value = line.slice(colon + 2);
    const draft = drafts.at(-1);
    switch (line.slice(0, colon)) {
      case 'Name':
        drafts.push({ name: value });
        break;
      case 'Type':
        if (draft !== undefined) draft.type = value;
        break;
      case 'Header':
        if (draft !== undefined) readOptions(draft, value);
        break;
      case 'Number of entries':
        if (draft !== undefined) draft.entries = Number(value);
        break;
      default:
    }
  }
  return drafts.map(({ name, type, family, maxElements, entries }) => {
    if (type === undefined || entries === undefined || !Number.isSafeInteger(entries)) {
      throw new ReadFailed(`ipset list -t printed no type or number of entries for set ${name}`);
    }
    return { name, type, family: family ?? '', maxElements: maxElements ?? 0, entries };
  });
}

function readOptions(draft: Draft, options: string): void {
  const family = /\bfamily (inet6?)\b/.exec(options)?.[1];
  draft.family = family === 'inet' || family === 'inet6' ? family : '';
  draft.maxElements = Number(/\bmaxelem (\d+)/.exec(options)?.[1] ?? 0);
}
