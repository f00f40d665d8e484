// The objects that could not be understood. In: what each decoding found wrong. Out: one warning per object, again only when it is
// wrong in another way; a gauge by kind; the list, for status. An object that may have denied something and is not in force in any
// form is an error, and keeps the agent unready.

import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Decoded, Problem } from './problem.ts';

export interface InvalidObject {
  readonly kind: string;
  /** "default/web", or "default". */
  readonly name: string;
  /** The first ones: whoever may write objects that are invalid in a hundred ways could fill the memory of every node with them. */
  readonly problems: readonly Problem[];
  /** All of them, as a warning says it. */
  readonly text: string;
  /** What holds because of them. */
  readonly consequence: string;
  readonly leavesGap: boolean;
}

type Finding = Pick<Decoded<unknown>, 'problems' | 'consequence' | 'leavesGap'>;

/** One line must stay readable: further problems are counted only. */
const shownProblems = 3;

export class InvalidObjects {
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #onGap: () => void;
  readonly #byKind = new Map<string, Map<string, InvalidObject>>();

  /** `onGap` is called when `gaps` has changed. */
  constructor(logger: Logger, metrics: Metrics, onGap: () => void = () => {}) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#onGap = onGap;
  }

  list(): readonly InvalidObject[] {
    return [...this.#byKind.values()].flatMap((objects) => [...objects.values()]);
  }

  /** "GlobalNetworkPolicy web": what keeps the agent unready. */
  get gaps(): readonly string[] {
    return this.list().filter(({ leavesGap }) => leavesGap).map(({ kind, name }) => `${kind} ${name}`);
  }

  /** Takes note of what decoding the object found; nothing, most of the time. `kind` is its title. */
  record(kind: string, name: string, { problems, consequence = '', ...rest }: Finding): void {
    if (problems.length === 0) {
      this.forget(kind, name);
      return;
    }
    const leavesGap = rest.leavesGap === true;
    const known = this.#of(kind).get(name);
    const text = problemsText(problems);
    const shown = problems.slice(0, shownProblems);
    this.#of(kind).set(name, { kind, name, problems: shown, text, consequence, leavesGap });
    this.#publish(kind);
    if ((known?.leavesGap ?? false) !== leavesGap) this.#onGap();
    if (known !== undefined && known.consequence === consequence && known.text === text) return;
    const fields = { kind, object: name, problems: shown, consequence };
    const what = problems.every(({ isOurs }) => isOurs) ? 'is not enforced as it is written' : 'is invalid';
    this.#logger[leavesGap ? 'error' : 'warn'](fields, `${kind} ${name} ${what}: ${text}; until then ${consequence}`);
  }

  /** The object is gone, or valid. */
  forget(kind: string, name: string): void {
    const known = this.#byKind.get(kind)?.get(name);
    if (known === undefined) return;
    this.#byKind.get(kind)?.delete(name);
    this.#publish(kind);
    if (known.leavesGap) this.#onGap();
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
