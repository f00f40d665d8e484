// Reading plain JSON that nobody has checked: an object from the API, or from a file, may be anything. Nothing here throws.
//
// The API reads an absent field and null alike, and so does everything here. A field that the API does not know is a problem:
// a newer API may mean a restriction by it, and a restriction that is not understood must not be left out.

import type { Report } from './problem.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** The fields of a JSON object; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The fields of an optional JSON object, none where it is absent; undefined (and reported) for anything else. */
export function readFields(value: unknown, field: string, report: Report): Fields | undefined {
  if (isAbsent(value)) return {};
  const fields = fieldsOf(value);
  if (fields === undefined) report(field, 'must be an object');
  return fields;
}

/** An optional JSON list, empty where it is absent; undefined (and reported) for anything else. */
export function readList(value: unknown, field: string, report: Report): readonly unknown[] | undefined {
  if (isAbsent(value)) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  report(field, 'must be a list');
  return undefined;
}

/** Reports each field that is not among the known ones; true when there is none. */
export function knowsAll(fields: Fields, known: readonly string[], field: string, report: Report): boolean {
  let all = true;
  for (const [name, value] of Object.entries(fields)) {
    if (known.includes(name) || isAbsent(value)) continue;
    report(`${field}.${name}`, 'is a field that this version does not know', 'remove the field, or use a version that knows it');
    all = false;
  }
  return all;
}

const maxShown = 64;

/**
 * An unchecked value as a warning may show it: short, on one line. What is in it is looked at no further than can be shown: it may be
 * nested more deeply than a stack is, and no part of a large object must be kept alive.
 */
export function shown(value: unknown): string {
  const text = textOf(value, 3);
  return text.length <= maxShown ? text : `${text.slice(0, maxShown - 3)}...`;
}

function textOf(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, maxShown));
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth === 0) return Array.isArray(value) ? '[...]' : '{...}';
  if (Array.isArray(value)) return `[${value.slice(0, maxShown).map((item) => textOf(item, depth - 1)).join()}]`;
  const keys = Object.keys(value).slice(0, maxShown);
  return `{${keys.map((key) => `${textOf(key, 0)}:${textOf((value as Fields)[key], depth - 1)}`).join()}}`;
}
