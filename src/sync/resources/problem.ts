// What is wrong with an object, and what a decoder makes of it.

/** One thing wrong with an object, for the one warning that names it. */
export interface Problem {
  /** Path of the field, as in spec.ingress[0].from[1].ipBlock.cidr. */
  readonly field: string;
  readonly problem: string;
  /** What the owner of the object can do. */
  readonly remedy: string;
  /** The API allows it, but this agent cannot do it. */
  readonly isOurs?: true;
}

/** Takes note of a problem. */
export type Report = (field: string, problem: string, remedy?: string, isOurs?: true) => void;

/**
 * What an object means. Without a value it is nothing that policy knows: a host-network pod, or (with problems) an object that
 * could not be used at all. With both, the value is what the rules for broken input make of it.
 */
export interface Decoded<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
  /** With problems: what holds because of them. */
  readonly consequence?: string;
  /** Without a value: the object may have denied something, and nothing stands in for it. An error; the agent is not ready. */
  readonly leavesGap?: true;
}

export const nothing: Decoded<never> = Object.freeze({ value: undefined, problems: [] });

/** A large object may have a problem in each of its hundred thousand parts; they are kept for as long as it is invalid. */
const maxProblems = 100;
/** Characters. The path may hold keys of any length. */
const maxField = 200;

/** Collects problems through its `report`: the first ones, which is enough to know that there are any (and any but ours). */
export class ProblemList {
  readonly problems: Problem[] = [];
  readonly #kept = { ours: 0, theirs: 0 };

  readonly report: Report = (field, problem, remedy = 'correct the field', isOurs) => {
    const whose = isOurs === true ? 'ours' : 'theirs';
    if (this.#kept[whose] === maxProblems) return;
    this.#kept[whose] += 1;
    const path = field.length <= maxField ? field : `${field.slice(0, maxField - 3)}...`;
    this.problems.push({ field: path, problem, remedy, ...(isOurs === undefined ? {} : { isOurs }) });
  };
}

/** Passes problems of one part of an object on, and knows whether there was any. */
export class PartReport {
  #isSound = true;
  readonly report: Report;

  constructor(whole: Report) {
    this.report = (...problem) => {
      this.#isSound = false;
      whole(...problem);
    };
  }

  get isSound(): boolean {
    return this.#isSound;
  }
}
