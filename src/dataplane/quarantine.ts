// Finds out which rules of policies the kernel refuses, so that one policy does not hold up all others, and asks for them again every
// now and then. The same for rules that look into a set that cannot be made, or does not take the members by which it lets in less: they
// are what they were as soon as it is right. In: planes whose transaction was refused although it was made anew, failures of sets. Out:
// what is refused has its closed form in DesiredRules (ADR 0007), one warning for each policy or set, notes for the health detail.
//
//  - The kernel is asked by a chain that nothing leads to: it checks the rules of such a chain as well, and no packet notices.
//  - Nobody is to blame where the kernel refuses rules of no policy in particular, nor for a set that somebody destroyed: the
//    transaction is held then, and tried again.
//  - A round asks a limited number of questions; each round follows a transaction that was refused, which has delays of its own.

import type { Clock } from '../lib/clock.ts';
import { originText } from '../model/origin.ts';
import { remedy, remedyForSet, restore } from './apply.ts';
import type { ApplyParts } from './apply.ts';
import { OutcomeUnknown } from './errors.ts';
import type { Drift } from './iptables/drift.ts';
import type { SetFailure } from './ipsets/family-sets.ts';
import type { KernelReader } from './kernel-reader.ts';
import type { Plane } from './plane.ts';
import { findRefused } from './refused-rules.ts';
import type { Answer, Found, PolicyRule } from './refused-rules.ts';
import { policyChainName } from './render/names.ts';
import type { Rule } from './render/rule.ts';
import type { Job } from './schedule.ts';

export interface QuarantineParts {
  readonly apply: ApplyParts;
  readonly reader: KernelReader;
  readonly clock: Clock;
  readonly random: () => number;
  readonly found: (drift: readonly Drift[]) => void;
  /** What was refused has another form now: it may be tried at once. */
  readonly changed: () => void;
}

/** The first refusal may come from what somebody else did, or from how a chain was edited. */
const enoughRefusals = 2;
/** Enough for one rule among 100,000 by halves; a refused question costs a new process. */
const mostQuestions = 40;
const retryInterval = 300_000;
/** Of so many it is known after mostQuestions, however many of them are refused. */
const retriedTogether = 16;
/** The rules of a question follow the table's line and the chain's declaration. */
const firstRuleLine = 3;
const namedPolicies = 5;
const namedRules = 10;

export class Quarantine {
  readonly jobs: readonly Job[];
  readonly #parts: QuarantineParts;
  #nextRetry = 0;
  /** Those that are tried again next begin there. */
  #retryFrom = 0;
  /** Something waits for sets that were refused more than once. */
  #setsFailed = false;
  /** Names of sets on whose account rules are closed. */
  readonly #awaited = new Map<Plane, ReadonlySet<string>>();

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
    this.jobs = [
      { name: 'find the rules that are refused', reads: true, dueAt: () => (this.#refusedPlanes.length > 0 ? 0 : undefined), run: () => this.#inspect() },
      { name: 'find the rules that wait for sets', reads: false, dueAt: () => (this.#setsFailed ? 0 : undefined), run: () => Promise.resolve(this.#closeWaiting()) },
      { name: 'open the rules that waited for sets', reads: false, dueAt: () => (this.#setsAreRight ? 0 : undefined), run: () => Promise.resolve(this.#openWaiting()) },
      { name: 'try again rules that were refused', reads: true, dueAt: () => this.#retryAt, run: () => this.#retry() },
    ];
  }

  get notes(): string[] {
    const policies = new Set(this.#planes.flatMap(({ rules }) => rules.quarantined.map(({ origin }) => originText(origin))));
    if (policies.size === 0) return [];
    const full = [...this.#awaited].flatMap(([{ sets }, names]) => sets.failures.filter(({ name, isFull }) => isFull && names.has(name)));
    const sets = full.slice(0, namedPolicies).map(({ name, description }) => `${name} is full (${description}): raise FELIX_MAXIPSETSIZE`);
    const more = policies.size > namedPolicies ? ` and ${policies.size - namedPolicies} more` : '';
    return [`the kernel refuses rules of ${policies.size} policies, which allow less until it takes them: ${[...policies].slice(0, namedPolicies).join(', ')}${more}`, ...sets];
  }

  get #planes(): readonly Plane[] {
    return this.#parts.apply.planes;
  }

  get #refusedPlanes(): Plane[] {
    return this.#planes.filter(({ isKnown, refusals }) => isKnown && refusals >= enoughRefusals);
  }

  get #retryAt(): number | undefined {
    if (!this.#planes.some(({ rules }) => rules.quarantined.length > 0)) return undefined;
    if (this.#planes.some(({ isKnown, table }) => !isKnown || table.isDirty)) return undefined;
    return this.#nextRetry;
  }

  get #setsAreRight(): boolean {
    return [...this.#awaited].some(([{ sets }, names]) => [...names].some((name) => sets.isReady(name)));
  }

  /** Rules, or what may be opened, wait for sets that were tried more than once. */
  setsFailed(): void {
    this.#setsFailed = true;
  }

  async #inspect(): Promise<void> {
    const { reader, found } = this.#parts;
    found(await reader.checkSets());
    for (const plane of this.#refusedPlanes) {
      // Only another refusal is a reason to ask again.
      plane.refusals = enoughRefusals - 1;
      // After a read everything is pending: this sorts out what is in the kernel already.
      plane.table.plan(true);
      const { refused } = await this.#ask(plane, plane.rules.suspects);
      this.#close(plane, refused.map(({ item, refusal: { output } }) => ({ item, output: output.trim(), remedy: remedy(output, true) })));
    }
  }

  #closeWaiting(): void {
    this.#setsFailed = false;
    for (const plane of this.#planes) {
      const failures = new Map(plane.sets.failures.filter(({ name }) => !plane.sets.isReady(name)).map((failure) => [failure.name, failure]));
      const waiting = plane.rules.lookingInto(new Set(failures.keys())).flatMap((item) => {
        const names = new Set(plane.rules.missingSets(item));
        return [...names].flatMap((name) => failures.get(name) ?? []).map((failure) => ({ item, failure }));
      });
      const byFailure = Map.groupBy(waiting, ({ failure }) => failure);
      for (const [failure, those] of byFailure) this.#warnOfSet(plane, failure, those.map(({ item }) => item));
      const before = [...(this.#awaited.get(plane) ?? [])].filter((name) => plane.sets.isWanted(name));
      this.#awaited.set(plane, new Set([...before, ...[...byFailure.keys()].map(({ name }) => name)]));
      this.#refuse(plane, waiting.map(({ item }) => item));
    }
  }

  /** Nobody needs to be asked: should the kernel refuse them, that is found out. */
  #openWaiting(): void {
    for (const [plane, names] of this.#awaited) {
      const right = new Set([...names].filter((name) => plane.sets.isReady(name)));
      const rules = plane.rules.refused.filter((item) => looksInto(item, right)).map((item) => ({ item, missing: plane.rules.missingSets(item) }));
      // Another set may have failed since they were closed.
      this.#awaited.set(plane, new Set([...names.difference(right), ...rules.flatMap(({ missing }) => missing)]));
      const whole = rules.filter(({ missing }) => missing.length === 0).map(({ item }) => item);
      if (whole.length > 0) this.#accept(plane, whole);
    }
  }

  #close(plane: Plane, refused: readonly Refused[]): void {
    if (refused.length > 0) this.#warn(plane, refused);
    this.#refuse(plane, refused.map(({ item }) => item));
  }

  #accept(plane: Plane, rules: readonly PolicyRule[]): void {
    plane.rules.accept(rules);
    this.#parts.apply.logger.info({ ...plane.labels, objects: objectsOf(rules) }, 'the kernel takes rules again that it refused');
  }

  #refuse(plane: Plane, rules: readonly PolicyRule[]): void {
    if (rules.length === 0) return;
    plane.rules.refuse(rules);
    // What is refused again and again does not put off the others' turn.
    if (this.#nextRetry < this.#parts.clock.now()) this.#scheduleRetry();
    this.#parts.changed();
  }

  async #retry(): Promise<void> {
    const { reader, found } = this.#parts;
    found(await reader.checkSets());
    this.#scheduleRetry();
    for (const plane of this.#planes) {
      const { refused } = plane.rules;
      const some = turn(refused, this.#retryFrom);
      // Many may have one cause. If they have not, each has its turn.
      let { accepted } = some.length < refused.length ? await this.#ask(plane, refused, 1) : nothing;
      if (accepted.length === 0 && plane.isKnown) accepted = (await this.#ask(plane, some)).accepted;
      if (accepted.length > 0) this.#accept(plane, accepted);
    }
    this.#retryFrom += retriedTogether;
  }

  #scheduleRetry(): void {
    this.#nextRetry = this.#parts.clock.now() + retryInterval * (1 + this.#parts.random() / 10);
  }

  /** Which of these the kernel refuses: none while it refuses what nobody is to blame for, or does not answer. Not asked without their sets. */
  async #ask(plane: Plane, rules: readonly PolicyRule[], most = mostQuestions): Promise<Found<PolicyRule>> {
    const suspects = rules.filter((rule) => plane.rules.missingSets(rule).length === 0);
    if (suspects.length === 0) return nothing;
    try {
      if ((await this.#question(plane, [plane.rules.control])) !== undefined) return nothing;
      return await findRefused(suspects, (some) => this.#question(plane, some.map(({ rendered }) => rendered)), most);
    } catch (problem) {
      // The table is read before the next write, and it is asked again after the next refusal, or when that is due.
      if (problem instanceof OutcomeUnknown) return nothing;
      throw problem;
    }
  }

  /** Throws OutcomeUnknown. */
  async #question(plane: Plane, blocks: readonly (readonly Rule[])[]): Promise<Answer> {
    const transaction = plane.table.planProbe(blocks.flat());
    if (transaction === undefined) return undefined;
    const outcome = await restore(this.#parts.apply, plane, transaction);
    if (outcome === 'unknown') throw new OutcomeUnknown('the kernel did not answer whether it takes rules');
    if (outcome === 'done') return undefined;
    const owners = blocks.flatMap((rules, index) => rules.map(() => index));
    return { refusal: outcome, culprits: outcome.lines.flatMap((line) => owners[line - firstRuleLine] ?? []) };
  }

  #warnOfSet({ labels }: Plane, { name, description, output }: SetFailure, rules: readonly PolicyRule[]): void {
    const fields = { set: name, description, objects: objectsOf(rules), output: output.trim(), remedy: remedyForSet(output) };
    this.#parts.apply.logger.warn(
      { ...labels, ...fields },
      'ipset refuses a set: of the policies that need it, rules that look into it are closed: those that allow are left out, those that deny or pass deny everything; all else is in force',
    );
  }

  #warn({ labels }: Plane, refused: readonly Refused[]): void {
    for (const [{ key, origin }, those] of Map.groupBy(refused, ({ item }) => item.policy)) {
      const [{ item, output, remedy: advice }] = those as [Refused];
      const fields = {
        object: originText(origin),
        rules: [...new Set(those.map((each) => `${each.item.direction} rule ${each.item.rule.index}`))].slice(0, namedRules),
        chain: policyChainName(item.direction, key),
        line: item.rendered.map(({ text }) => text).join('\n'),
        output,
        remedy: `${advice}; it is tried again every few minutes`,
      };
      this.#parts.apply.logger.warn({ ...labels, ...fields }, 'the kernel refuses rules of a policy: those that allow are left out, those that deny or pass deny everything; all else is in force');
    }
  }
}

interface Refused {
  readonly item: PolicyRule;
  readonly output: string;
  readonly remedy: string;
}

const nothing: Found<PolicyRule> = Object.freeze({ refused: [], accepted: [] });

function looksInto({ rendered }: PolicyRule, names: ReadonlySet<string>): boolean {
  return rendered.some(({ sets }) => sets.some((name) => names.has(name)));
}

/** A few of these, from some place on and round. */
function turn(rules: readonly PolicyRule[], from: number): readonly PolicyRule[] {
  const start = rules.length === 0 ? 0 : from % rules.length;
  return [...rules.slice(start), ...rules.slice(0, start)].slice(0, retriedTogether);
}

function objectsOf(rules: readonly PolicyRule[]): string[] {
  return [...new Set(rules.map(({ policy }) => originText(policy.origin)))].slice(0, 10);
}
