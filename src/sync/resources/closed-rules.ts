// What is in force of rules that may be bad. A rule of which any part could not be understood is never taken for a wider one: if it
// allows (or logs), it disappears; if it denies or passes on, or if nobody knows what it does, it denies everything at its place.
// Source: the network policy API's "fail closed".

import { anyEntity, type Rule, type RuleAction } from '../../model/rule.ts';
import type { Report } from './problem.ts';
import { readList } from './wire.ts';

/** One rule of the wire object. */
export interface ReadRule {
  readonly index: number;
  /** Undefined where nobody knows what it does. */
  readonly action: RuleAction | undefined;
  /** What it becomes; undefined where a part of it is bad. */
  readonly rules: readonly Rule[] | undefined;
}

/** The rules of a direction; undefined (and reported) where there is no list. */
export function readRules(value: unknown, field: string, report: Report, readRule: (value: unknown, index: number) => ReadRule): readonly ReadRule[] | undefined {
  const list = readList(value, field, report);
  return list?.map((entry, i) => readRule(entry, i));
}

/** `isSound`: nothing is wrong outside of the rules; else none of them is in force as it is written. */
export function rulesInForce(rules: readonly ReadRule[] | undefined, isSound: boolean): readonly Rule[] {
  if (rules === undefined) return [denyAll(0)];
  return rules.flatMap((rule) => (isSound && rule.rules !== undefined ? rule.rules : closed(rule)));
}

export const badRules = 'of the rules named, those that allow or log are left out and the others deny everything';
export const badPolicy = 'it isolates what it selects in both directions; its rules that allow or log are left out and the others deny everything';

function closed({ action, index }: ReadRule): readonly Rule[] {
  return action === 'allow' || action === 'log' ? [] : [denyAll(index)];
}

function denyAll(index: number): Rule {
  return { action: 'deny', source: anyEntity, destination: anyEntity, index };
}
