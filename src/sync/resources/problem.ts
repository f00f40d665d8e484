// What is wrong with an object, and what a decoder makes of it.

/** One thing wrong with an object, for the one warning that names it. */
export interface Problem {
  /** Path of the field, as in spec.ingress[0].from[1].ipBlock.cidr. */
  readonly field: string;
  readonly problem: string;
  /** What the owner of the object can do. */
  readonly remedy: string;
}

/** Takes note of a problem. */
export type Report = (field: string, problem: string, remedy?: string) => void;

/**
 * What an object means. Without a value it is nothing that policy knows: a host-network pod, or (with problems) an object that
 * could not be used at all. With both, the value is what the rules for broken input make of it.
 */
export interface Decoded<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
  /** With problems: what holds because of them. */
  readonly consequence?: string;
}

export const nothing: Decoded<never> = Object.freeze({ value: undefined, problems: [] });

/** Collects problems through its `report`. */
export class ProblemList {
  readonly problems: Problem[] = [];

  readonly report: Report = (field, problem, remedy = 'correct the field') => {
    this.problems.push({ field, problem, remedy });
  };
}
