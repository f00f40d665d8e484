// Reading plain JSON that nobody has checked. In: any value of a wire object. Out: the value in the shape asked for, or
// undefined where it has another one; nothing here throws. An absent field and null are the same to the API.

export type Fields = Readonly<Record<string, unknown>>;

/** Takes note of what is wrong with an object: the path of the field (spec.ingress[0].ports[1].port), and the problem. */
export type Report = (field: string, problem: string) => void;

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** A JSON object, an absent one being empty; undefined (and reported) when it is something else. */
export function readFields(value: unknown, field: string, report: Report): Fields | undefined {
  if (isAbsent(value)) return {};
  const fields = fieldsOf(value);
  if (fields === undefined) report(field, 'must be an object');
  return fields;
}

/**
 * Whether these are all the fields there are. A misspelt field, or one of a later version of the API, may be a condition: who does
 * not know it must not read the rest as if it were not there. One that is null is absent.
 */
export function knowsAll(fields: Fields, known: readonly string[], field: string, report: Report): boolean {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name) && !isAbsent(fields[name]));
  for (const name of unknown) report(`${field}.${name}`, 'is no field of this kind');
  return unknown.length === 0;
}

/** A JSON list, an absent one being empty; undefined (and reported) when it is something else. */
export function readList(value: unknown, field: string, report: Report): readonly unknown[] | undefined {
  if (isAbsent(value)) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  report(field, 'must be a list');
  return undefined;
}

/** Whether a list has no more entries than the API takes; what is no list is not judged here. */
export function fits(value: unknown, limit: number, field: string, report: Report): boolean {
  if (!Array.isArray(value) || value.length <= limit) return true;
  report(field, `may not have more than ${limit} entries`);
  return false;
}

/** The elements as `read` makes them; undefined as soon as one of them is unreadable, after all were tried and reported. */
export function readAll<T>(list: readonly unknown[], field: string, read: (value: unknown, field: string) => T | undefined): readonly T[] | undefined {
  const values = list.map((value, index) => read(value, `${field}[${index}]`));
  return values.every((value) => value !== undefined) ? values : undefined;
}
