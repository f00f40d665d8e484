// The objects that could not be understood. In: what each decoding found wrong. Out: one warning per object, again only when it is
// wrong in another way; a gauge by kind; the list, for status.

import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Problem } from './problem.ts';

export interface InvalidObject {
  readonly kind: string;
  /** "default/web", or "default". */
  readonly name: string;
  readonly problems: readonly Problem[];
  /** What holds because of them. */
  readonly consequence: string;
}

/** One line must stay readable: further problems are counted only. */
const shownProblems = 3;

export class InvalidObjects {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #byKind = new Map<string, Map<string, InvalidObject>>();

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  list(): readonly InvalidObject[] {
    return [...this.#byKind.values()].flatMap((objects) => [...objects.values()]);
  }

  /** Takes note of what decoding the object found; nothing, most of the time. */
  record(kind: string, name: string, problems: readonly Problem[], consequence: string): void {
    if (problems.length === 0) {
      this.forget(kind, name);
      return;
    }
    const known = this.#of(kind).get(name);
    this.#of(kind).set(name, { kind, name, problems, consequence });
    this.#publish(kind);
    const text = problemsText(problems);
    if (known !== undefined && known.consequence === consequence && problemsText(known.problems) === text) return;
    const fields = { kind, object: name, problems: problems.slice(0, shownProblems), consequence };
    this.#logger.warn(fields, `${kind} ${name} is invalid: ${text}; until then ${consequence}`);
  }

  /** The object is gone, or valid. */
  forget(kind: string, name: string): void {
    if (this.#byKind.get(kind)?.delete(name) === true) this.#publish(kind);
  }

  /** Forgets all objects of the kind but these. */
  retain(kind: string, names: ReadonlySet<string>): void {
    for (const name of this.#byKind.get(kind)?.keys() ?? []) if (!names.has(name)) this.forget(kind, name);
  }

  #of(kind: string): Map<string, InvalidObject> {
    const known = this.#byKind.get(kind);
    if (known !== undefined) return known;
    const objects = new Map<string, InvalidObject>();
    this.#byKind.set(kind, objects);
    return objects;
  }

  #publish(kind: string): void {
    this.#metrics.set('caracal_sync_invalid_objects', this.#of(kind).size, { kind });
  }
}

function problemsText(problems: readonly Problem[]): string {
  const texts = problems.slice(0, shownProblems).map(({ field, problem, remedy }) => `${field} ${problem} (${remedy})`);
  const more = problems.length - texts.length;
  return `${texts.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
