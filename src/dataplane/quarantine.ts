// Finds out which rules of policies the kernel refuses, so that one policy does not hold up all others, and asks for them again every
// now and then. In: planes whose transaction was refused although it was made anew. Out: what is refused has its closed form in
// DesiredRules (ADR 0007), one warning for each policy, notes for the health detail.
//
//  - The kernel is asked by a chain that nothing leads to: it checks the rules of such a chain as well, and no packet notices.
//  - Nobody is to blame where the kernel refuses rules of no policy in particular, nor for a set that somebody destroyed: the
//    transaction is held then, and tried again.
//  - A round asks a limited number of questions; each round follows a transaction that was refused, which has delays of its own.

import type { Clock } from '../lib/clock.ts';
import { originText } from '../model/origin.ts';
import { remedy, restore } from './apply.ts';
import type { ApplyParts } from './apply.ts';
import { OutcomeUnknown } from './errors.ts';
import type { Drift } from './iptables/drift.ts';
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
  /** A tool died while it was asked. */
  readonly inDoubt: () => void;
  /** What was refused has another form now: it may be tried at once. */
  readonly changed: () => void;
}

/** The first refusal may come from what somebody else did, or from how a chain was edited. */
const enoughRefusals = 2;
/** Enough for one rule among 100,000 by halves; a refused question costs a new process. */
const mostQuestions = 40;
const retryInterval = 300_000;
/** The rules of a question follow the table's line and the chain's declaration. */
const firstRuleLine = 3;
const namedPolicies = 5;

export class Quarantine {
  readonly jobs: readonly Job[];
  readonly #parts: QuarantineParts;
  #nextRetry = 0;

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
    this.jobs = [
      { name: 'find the rules that are refused', reads: true, dueAt: () => (this.#refusedPlanes.length > 0 ? 0 : undefined), run: () => this.#inspect() },
      { name: 'try again rules that were refused', reads: true, dueAt: () => (this.#isWaiting ? this.#nextRetry : undefined), run: () => this.#retry() },
    ];
  }

  get notes(): string[] {
    const policies = new Set(this.#planes.flatMap(({ rules }) => rules.quarantined.map(({ origin }) => originText(origin))));
    if (policies.size === 0) return [];
    const more = policies.size > namedPolicies ? ` and ${policies.size - namedPolicies} more` : '';
    return [`the kernel refuses rules of ${policies.size} policies, which allow less until it takes them: ${[...policies].slice(0, namedPolicies).join(', ')}${more}`];
  }

  get #planes(): readonly Plane[] {
    return this.#parts.apply.planes;
  }

  get #refusedPlanes(): Plane[] {
    return this.#planes.filter(({ isKnown, refusals }) => isKnown && refusals >= enoughRefusals);
  }

  get #isWaiting(): boolean {
    return this.#planes.some(({ rules }) => rules.quarantined.length > 0) && !this.#planes.some(({ isKnown, table }) => !isKnown || table.isDirty);
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
      if (refused.length === 0) continue;
      plane.rules.refuse(refused.map(({ item }) => item));
      this.#warn(plane, refused);
      this.#scheduleRetry();
      this.#parts.changed();
    }
  }

  async #retry(): Promise<void> {
    const { reader, found, apply } = this.#parts;
    this.#scheduleRetry();
    found(await reader.checkSets());
    for (const plane of this.#planes) {
      const { accepted } = await this.#ask(plane, plane.rules.refused);
      if (accepted.length === 0) continue;
      plane.rules.accept(accepted);
      apply.logger.info({ ...plane.labels, objects: objectsOf(accepted) }, 'the kernel takes rules again that it refused');
    }
  }

  #scheduleRetry(): void {
    this.#nextRetry = this.#parts.clock.now() + retryInterval * (1 + this.#parts.random() / 10);
  }

  /** Which of these the kernel refuses: none while it refuses what nobody is to blame for, or does not answer. */
  async #ask(plane: Plane, suspects: readonly PolicyRule[]): Promise<Found<PolicyRule>> {
    const nobody = { refused: [], accepted: [] };
    if (suspects.length === 0) return nobody;
    try {
      if ((await this.#question(plane, [plane.rules.control])) !== undefined) return nobody;
      return await findRefused(suspects, (some) => this.#question(plane, some.map(({ rendered }) => rendered)), mostQuestions);
    } catch (problem) {
      if (!(problem instanceof OutcomeUnknown)) throw problem;
      this.#parts.inDoubt();
      return nobody;
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
    return { refusal: outcome, culprit: outcome.line === undefined ? undefined : owners[outcome.line - firstRuleLine] };
  }

  #warn({ labels }: Plane, refused: Found<PolicyRule>['refused']): void {
    for (const [{ key, origin }, those] of Map.groupBy(refused, ({ item }) => item.policy)) {
      const [{ item, refusal }] = those as [(typeof those)[number]];
      const output = refusal.output.trim();
      const fields = {
        object: originText(origin),
        rules: those.map((each) => `${each.item.direction} rule ${each.item.rule.index}`),
        chain: policyChainName(item.direction, key),
        line: item.rendered.map(({ text }) => text).join('\n'),
        output,
        remedy: `${remedy(output, true)}; the kernel is asked again every few minutes`,
      };
      this.#parts.apply.logger.warn({ ...labels, ...fields }, 'the kernel refuses rules of a policy: those that allow are left out, those that deny or pass deny everything; all else is in force');
    }
  }
}

function objectsOf(rules: readonly PolicyRule[]): string[] {
  return [...new Set(rules.map(({ policy }) => originText(policy.origin)))].slice(0, 10);
}
