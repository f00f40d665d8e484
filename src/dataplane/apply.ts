// One apply: the kernel made equal to what should be, in an order in which no instant lets in a packet that neither the old nor the
// new state lets in, although sets and tables cannot change in one kernel transaction.
//
//   1 create   sets that no rule looks at yet are created and filled
//   2 close    members whose change lets in less
//   3 rules    one transaction for each table
//   4 open     members whose change lets in more
//   (5 destroy what nothing uses: later, when idle)
//
// Without transactions, 2 and 4 are one call, unless 2 may be refused. 3 waits for 2, and while 2 or 3 is refused 4 is done for the
// members that have nothing to do with it: one bad rule or full set holds up nobody else's addresses. 3 does not wait for members of
// sets that no rule will look into once it is done.

import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { originText } from '../model/origin.ts';
import { OutcomeUnknown, SetCommandsFailed, TransactionRefused } from './errors.ts';
import type { SetTool } from './kernel.ts';
import { meansFull } from './ipsets/tracked-set.ts';
import type { SetCommand } from './ipsets/tracked-set.ts';
import type { Transaction } from './iptables/transaction.ts';
import type { Plane } from './plane.ts';

export type Step = 'create' | 'close' | 'rules' | 'open' | 'destroy';

export interface ApplyParts {
  readonly planes: readonly Plane[];
  readonly sets: SetTool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onStep: ((step: Step) => Promise<void> | void) | undefined;
}

/** done: the kernel has it. unknown: read before the next write. */
export type Outcome = 'done' | 'refused' | 'unknown';

export interface ApplyResult {
  /** held: not tried, because it is too early. waiting: not tried, because of sets that are missing or let in too much. */
  readonly rules: Outcome | 'held' | 'waiting';
  readonly sets: Outcome;
}

/** `writeRules`: whether transactions may be tried now. */
export async function apply(parts: ApplyParts, writeRules: boolean): Promise<ApplyResult> {
  const { planes } = parts;
  const created = await runSets(parts, (plane) => plane.sets.planNew());
  await parts.onStep?.('create');
  if (created === 'unknown') return { rules: 'held', sets: created };

  const transactions = plannedTransactions(planes);
  const closing = planes.map((plane) => plane.sets.planClosing());
  if (transactions.length === 0 && closing.flat().every(({ kind }) => kind === 'del')) {
    const changed = await runSets(parts, (plane, i) => [...(closing[i] ?? []), ...plane.sets.planOpening(holdBack(plane, plane.needed(plane.sets.stuck)))]);
    await parts.onStep?.('open');
    return { rules: 'done', sets: worse(created, changed) };
  }

  const closed = worse(created, await runSets(parts, (_, i) => closing[i] ?? []));
  await parts.onStep?.('close');
  if (closed === 'unknown') return { rules: 'held', sets: closed };

  const rules = await writeRulesNow(parts, transactions, writeRules);
  await parts.onStep?.('rules');
  if (rules === 'unknown') return { rules, sets: closed };

  const opened = await runSets(parts, (plane) => plane.sets.planOpening(rules === 'done' ? holdBack(plane, plane.needed(plane.sets.unclosed)) : plane.heldBack(plane.sets.unclosed)));
  await parts.onStep?.('open');
  return { rules, sets: worse(closed, opened) };
}

async function writeRulesNow(parts: ApplyParts, transactions: readonly Planned[], writeRules: boolean): Promise<ApplyResult['rules']> {
  if (transactions.length === 0) return 'done';
  const isWaiting = transactions.some(({ plane, transaction }) => plane.needed(plane.sets.unclosed).length > 0 || [...transaction.sets].some((name) => !plane.sets.isReady(name)));
  if (isWaiting) return 'waiting';
  return writeRules ? writeTransactions(parts, transactions) : 'held';
}

/** Undefined where everything may be opened. */
function holdBack(plane: Plane, unclosed: readonly string[]): ((set: string, member: string) => boolean) | undefined {
  return unclosed.length === 0 ? undefined : plane.heldBack(unclosed);
}

/** Runs what the planes plan, in one call, and tells them what became of it. */
export async function runSets(parts: ApplyParts, plan: (plane: Plane, index: number) => SetCommand[]): Promise<Outcome> {
  const { planes, metrics, clock } = parts;
  const plans = planes.map((plane, index) => ({ plane, commands: plan(plane, index) }));
  const texts = plans.flatMap(({ commands }) => commands.map(({ text }) => text));
  if (texts.length === 0) return 'done';
  metrics.count('felix_ipset_calls');
  metrics.count('felix_ipset_lines_executed', {}, texts.length);
  let failures: ReadonlyMap<string, string> = new Map();
  try {
    await parts.sets.run(texts);
  } catch (problem) {
    metrics.count('felix_ipset_errors');
    if (problem instanceof OutcomeUnknown) {
      parts.logger.warn({ error: problem.message }, 'ipset did not acknowledge; its sets are read again before the next write');
      for (const { plane, commands } of plans) plane.sets.unknownOutcome(commands);
      return 'unknown';
    }
    if (!(problem instanceof SetCommandsFailed)) throw problem;
    failures = new Map(problem.failures.map(({ command, output }) => [command, output]));
  }
  for (const { plane, commands } of plans) plane.sets.settled(commands, failures, clock.now());
  return failures.size === 0 ? 'done' : 'refused';
}

interface Planned {
  readonly plane: Plane;
  readonly transaction: Transaction;
}

function plannedTransactions(planes: readonly Plane[]): Planned[] {
  return planes.flatMap((plane) => {
    const transaction = plane.table.plan(plane.refusals > 0);
    if (transaction !== undefined) return [{ plane, transaction }];
    plane.refusals = 0;
    return [];
  });
}

async function writeTransactions(parts: ApplyParts, planned: readonly Planned[]): Promise<Outcome> {
  let outcome: Outcome = 'done';
  for (const { plane, transaction } of planned) outcome = worse(outcome, await writeTransaction(parts, plane, transaction));
  return outcome;
}

/** After anything but "done" the plane's table is not known. */
export async function writeTransaction(parts: ApplyParts, plane: Plane, transaction: Transaction): Promise<Outcome> {
  const outcome = await restore(parts, plane, transaction);
  if (outcome === 'done') plane.refusals = 0;
  if (!(outcome instanceof TransactionRefused)) return outcome;
  plane.isKnown = false;
  plane.isInDoubt = false;
  plane.refusals += 1;
  parts.logger.error({ ...plane.labels, ...culprit(plane, transaction, outcome) }, 'iptables refused a transaction; the rules stay as they are and it is tried again');
  return 'refused';
}

/** Hands a transaction to the tool. After "unknown" the plane's table is not known; a refusal changes nothing. */
export async function restore({ metrics, logger }: ApplyParts, plane: Plane, transaction: Transaction): Promise<'done' | 'unknown' | TransactionRefused> {
  const { labels } = plane;
  metrics.count('felix_iptables_restore_calls', labels);
  try {
    await plane.tool.restore(transaction.text);
  } catch (problem) {
    metrics.count('felix_iptables_restore_errors', labels);
    if (problem instanceof TransactionRefused) return problem;
    plane.isKnown = false;
    plane.isInDoubt = problem instanceof OutcomeUnknown;
    if (!(problem instanceof OutcomeUnknown)) throw problem;
    logger.warn({ ...labels, error: problem.message }, 'iptables did not acknowledge; the table is read before the next write');
    return 'unknown';
  }
  transaction.commit();
  metrics.count('felix_iptables_lines_executed', labels, transaction.lines);
  return 'done';
}

function culprit(plane: Plane, transaction: Transaction, problem: TransactionRefused): Record<string, unknown> {
  const output = problem.output.trim();
  const { line } = problem;
  const chain = line === undefined ? undefined : transaction.chainOfLine(line);
  if (line === undefined || chain === undefined) return { output, lines: transaction.lines, remedy: remedy(output, false) };
  const origin = plane.table.originOf(chain);
  const text = transaction.text.split('\n', line)[line - 1];
  return { output, chain, line: text, ...(origin === undefined ? {} : { object: originText(origin) }), remedy: remedy(output, origin !== undefined) };
}

/** What an operator can do about it; the tools say little more than an error number. */
export function remedy(output: string, ownerIsKnown: boolean): string {
  if (/busy/i.test(output)) return 'a rule of somebody else leads to a chain of ours: remove it (iptables-save shows it)';
  if (/no such file|does not exist|not supported|no chain\/target\/match|couldn't load/i.test(output)) {
    return 'the kernel lacks something that the rule needs: load xt_set, xt_comment, xt_conntrack, xt_multiport and xt_mark (modprobe), or compare the versions of kernel and iptables';
  }
  return ownerIsKnown ? 'change or delete the object that is named' : 'see the message of the tool; all changes of the table wait';
}

/** The same for sets. */
export function remedyForSet(output: string): string {
  if (meansFull(output)) return 'raise FELIX_MAXIPSETSIZE; until then, or until members leave, those that do not fit are missing';
  if (/same name already exists|in use by a kernel component/.test(output)) {
    return 'somebody else has made or uses a set of this name: remove the rules that use it, and destroy it; it is tried again with growing delays';
  }
  return 'tried again with growing delays';
}

function worse(a: Outcome, b: Outcome): Outcome {
  const rank: Readonly<Record<Outcome, number>> = { done: 0, refused: 1, unknown: 2 };
  return rank[a] >= rank[b] ? a : b;
}
