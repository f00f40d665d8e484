// The only loop that writes to the kernel. In: change sets (update), doorbells (ring), time. Out: a kernel that is as it should be,
// health, metrics, and one log line for each thing that an operator should know.
//
//   update ─▶ inbox ─▶ fold into tables and sets ─▶ apply ─▶ acknowledged
//   ring, refresh ───▶ read the kernel ─▶ what differs is pending ─▶ apply
//
//  - Idle: applies at once. Busy: collects, and applies when the running apply ends. No throttle.
//  - Before the first change set it only reads. What must be known is read before anything is written.
//  - A refusal or an outcome in doubt loses nothing: what was meant stays pending, the kernel is read, and it is tried again, first at
//    once, then with growing delays. Nothing else catches errors: an unknown one ends the loop, and with it the process.

import type { Clock } from '../lib/clock.ts';
import type { HealthReporter } from '../lib/health.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Desired } from '../model/desired.ts';
import type { Family } from '../model/packet.ts';
import { apply, remedyForSet } from './apply.ts';
import type { ApplyParts, ApplyResult, Step } from './apply.ts';
import { BackOff } from './back-off.ts';
import type { Ring } from './doorbell.ts';
import { ReadFailed } from './errors.ts';
import type { SetFailure } from './ipsets/family-sets.ts';
import type { Drift } from './iptables/drift.ts';
import type { RuleTool, SetTool } from './kernel.ts';
import { KernelReader } from './kernel-reader.ts';
import { KernelWatch } from './kernel-watch.ts';
import type { DataplaneOptions } from './options.ts';
import { Plane } from './plane.ts';
import { Quarantine } from './quarantine.ts';
import { RepairLimit } from './repair-limit.ts';
import { dueJob, nextDue } from './schedule.ts';
import type { Job } from './schedule.ts';
import { Tidying } from './tidying.ts';
import { UnservedAddresses } from './unserved-addresses.ts';

export interface DriverParts {
  /** One for each family that is served. */
  readonly ruleTools: readonly RuleTool[];
  readonly sets: SetTool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthReporter;
  /** Spreads what many nodes would do together. */
  readonly random?: () => number;
  /** At each boundary between steps of an apply; the apply waits for it. */
  readonly onStep?: (step: Step) => Promise<void> | void;
  /** The kernel has everything of a change set: its receivedAt, and the time of the acknowledgement. */
  readonly onApplied?: (receivedAt: number, acknowledgedAt: number) => void;
}

/** With nothing to do the loop still says this often that it is alive, in milliseconds: whoever watches it takes silence for death. */
const heartbeat = 10_000;

/** Acknowledgement times that are waited for while something is refused. */
const longestStampList = 1_000;
/** A tool that takes longer keeps changes from the kernel: readiness says so. */
const patience = 5_000;

export class Driver {
  /** Rejects when the loop ended by an error that nobody expected; resolves after stop(). */
  readonly done: Promise<void>;
  readonly #settleDone: PromiseWithResolvers<void>;
  readonly #parts: DriverParts;
  readonly #planes: readonly Plane[];
  readonly #applyParts: ApplyParts;
  readonly #reader: KernelReader;
  readonly #jobs: readonly Job[];
  readonly #repairs: RepairLimit;
  readonly #watch: KernelWatch;
  readonly #quarantine: Quarantine;
  readonly #unserved: UnservedAddresses;
  readonly #readBackOff: BackOff;
  readonly #ruleBackOff: BackOff;
  readonly #setBackOff: BackOff;
  readonly #doubtBackOff: BackOff;

  #state: 'new' | 'running' | 'stopping' = 'new';
  #wakeUp: PromiseWithResolvers<void> | undefined;
  #woken = false;

  #inbox: Desired[] = [];
  /** receivedAt of change sets that were folded and are not yet wholly in the kernel. */
  #stamps: number[] = [];
  #synced = false;
  #appliedOnce = false;
  /** There is input that no apply has tried yet. */
  #fresh = false;
  #setsKnown = false;
  /** Rules are not tried until sets are right that they need. */
  #rulesWait = false;
  #lastApplyAt = 0;
  #repairNotBefore = 0;
  /** What the sets' revision was when an apply found nothing that it might write. */
  #heldBackAt: number | undefined;
  /** The pass under way takes longer than `patience`. */
  #isSlow = false;
  /** What was logged of sets that fail, by their names. */
  #loggedSets: ReadonlyMap<string, string> = new Map();
  /** Why the last read failed. */
  #readFailure = '';

  constructor(parts: DriverParts, options: DataplaneOptions) {
    this.#parts = parts;
    const { clock, logger, metrics, sets, ruleTools } = parts;
    const random = parts.random ?? Math.random;
    const families = ruleTools.map((tool) => tool.family);
    const orphans = ([4, 6] as const satisfies readonly Family[]).filter((family) => !families.includes(family));
    this.#planes = ruleTools.map((tool, i) => new Plane(tool, options, i === 0 ? [tool.family, ...orphans] : [tool.family], logger));
    this.#applyParts = { planes: this.#planes, sets, clock, logger, metrics, onStep: parts.onStep };
    this.#reader = new KernelReader(this.#planes, sets, metrics);
    this.#repairs = new RepairLimit(clock);
    this.#unserved = new UnservedAddresses(families, logger, metrics);
    this.#readBackOff = new BackOff(clock, random);
    this.#ruleBackOff = new BackOff(clock, random, 1);
    this.#setBackOff = new BackOff(clock, random, 1);
    this.#doubtBackOff = new BackOff(clock, random, 2);
    this.#watch = new KernelWatch({ planes: this.#planes, reader: this.#reader, clock, random, found: (drift, by) => this.#found(drift, by) }, options);
    this.#quarantine = new Quarantine({
      apply: this.#applyParts,
      reader: this.#reader,
      clock,
      random,
      found: (drift) => this.#found(drift, []),
      changed: () => {
        this.#fresh = true;
        this.#ruleBackOff.hurry(0);
      },
    });
    const tidying = new Tidying({
      apply: this.#applyParts,
      clock,
      random,
      lastApplyAt: () => (this.#appliedOnce ? this.#lastApplyAt : undefined),
      setsInDoubt: () => this.#doubtSets(),
    });
    const retry: Job = {
      name: 'retry sets',
      reads: false,
      dueAt: () => (this.#setBackOff.failures > 0 ? this.#setBackOff.notBefore : undefined),
      run: () => this.#retrySets(),
    };
    this.#jobs = [...this.#quarantine.jobs, retry, ...this.#watch.jobs, ...tidying.jobs];
    this.#settleDone = Promise.withResolvers();
    this.done = this.#settleDone.promise;
  }

  /** Begins to read, and waits for the first change set. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#report();
    this.#loop().then(this.#settleDone.resolve, this.#settleDone.reject);
  }

  /** Takes a change set; returns at once. */
  update(desired: Desired): void {
    this.#inbox.push(desired);
    this.#wake();
  }

  /** Somebody may have changed the kernel: it is read soon. */
  ring(ring: Ring): void {
    if (this.#watch.ring(ring)) this.#wake();
  }

  /** Ends after the running apply; the rules stay. The tools are the caller's to close. How the loop ended is told by `done` alone. */
  async stop(): Promise<void> {
    const wasRunning = this.#state === 'running';
    this.#state = 'stopping';
    this.#wake();
    if (wasRunning) await this.done.catch(() => {});
  }

  // The loop.

  async #loop(): Promise<void> {
    while (this.#state === 'running') {
      const slow = this.#parts.clock.after(patience, () => {
        this.#isSlow = true;
        this.#report();
      });
      const worked = await this.#pass();
      slow.cancel();
      this.#isSlow = false;
      this.#report();
      if (!worked) await this.#sleep();
    }
  }

  /** Does what is to be done now; false when there was nothing. */
  async #pass(): Promise<boolean> {
    this.#woken = false;
    // Before the first read it is not known which names sets can have.
    if (this.#synced) this.#fold();
    if (!this.#isKnown) return this.#readBackOff.isDue && this.#doubtBackOff.isDue ? this.#readUnknown() : false;
    this.#fold();
    const worked = this.#applyIsDue ? await this.#apply() : false;
    if (!this.#isKnown || this.#state !== 'running') return true;
    const job = dueJob(this.#jobs, this.#now, this.#readNotBefore);
    if (job === undefined) return worked;
    await this.#tolerateReadFailure(job.name, job.reads, job.run);
    return true;
  }

  async #sleep(): Promise<void> {
    if (this.#woken || this.#state !== 'running') return;
    const wait = Math.max(0, (this.#nextTime() ?? Number.POSITIVE_INFINITY) - this.#now);
    this.#wakeUp = Promise.withResolvers();
    const timer = this.#parts.clock.after(Math.min(wait, heartbeat), () => this.#wake());
    await this.#wakeUp.promise;
    timer.cancel();
  }

  #wake(): void {
    this.#woken = true;
    this.#wakeUp?.resolve();
  }

  #nextTime(): number | undefined {
    if (!this.#isKnown) return Math.max(this.#readBackOff.notBefore, this.#doubtBackOff.notBefore);
    const times: number[] = [];
    const job = nextDue(this.#jobs, this.#readNotBefore);
    if (job !== undefined) times.push(job);
    const notBefore = Math.max(this.#repairNotBefore, this.#doubtBackOff.notBefore);
    if (this.#synced && this.#rulesPending && !this.#rulesWait) times.push(Math.max(notBefore, this.#ruleBackOff.notBefore));
    else if (this.#synced && (this.#fresh || this.#setsDue)) times.push(notBefore);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get #now(): number {
    return this.#parts.clock.now();
  }

  get #readNotBefore(): number {
    return Math.max(this.#readBackOff.notBefore, this.#repairNotBefore);
  }

  get #isKnown(): boolean {
    return this.#setsKnown && this.#planes.every((plane) => plane.isKnown);
  }

  get #rulesPending(): boolean {
    return this.#planes.some((plane) => plane.table.isDirty);
  }

  get #setsPending(): boolean {
    return this.#planes.some((plane) => plane.sets.isDirty);
  }

  // Applying.

  #fold(): void {
    if (this.#inbox.length === 0) return;
    const batches = this.#inbox;
    this.#inbox = [];
    for (const desired of batches) {
      for (const plane of this.#planes) plane.rules.fold(desired);
      this.#unserved.fold(desired);
      this.#stamps.push(desired.receivedAt);
    }
    if (this.#stamps.length > longestStampList) this.#stamps.splice(0, this.#stamps.length - longestStampList);
    this.#synced = true;
    this.#fresh = true;
    this.#ruleBackOff.hurry();
  }

  get #applyIsDue(): boolean {
    if (!this.#synced || !this.#doubtBackOff.isDue) return false;
    if (this.#fresh) return true;
    if (this.#now < this.#repairNotBefore) return false;
    return this.#rulesPending ? !this.#rulesWait && this.#ruleBackOff.isDue : this.#setsDue;
  }

  /** Members that are held back, with nothing else to write, wait for news, for what a read finds, or until sets are tried again. */
  get #setsDue(): boolean {
    return this.#setsPending && this.#setsRevision !== this.#heldBackAt;
  }

  get #setsRevision(): number {
    return this.#planes.reduce((sum, { sets }) => sum + sets.revision, 0);
  }

  async #apply(): Promise<boolean> {
    const { metrics, clock } = this.#parts;
    const startedAt = this.#now;
    this.#fresh = false;
    const revision = this.#setsRevision;
    const result = await apply(this.#applyParts, this.#ruleBackOff.isDue);
    this.#heldBackAt = this.#setsRevision === revision ? revision : undefined;
    this.#lastApplyAt = this.#now;
    metrics.observe('felix_int_dataplane_apply_time_seconds', (this.#lastApplyAt - startedAt) / 1_000);
    this.#judge(result);
    if (this.#rulesPending || this.#setsPending || this.#planes.some((plane) => plane.setsHoldUp)) return true;
    for (const plane of this.#planes) plane.rules.settled();
    this.#firstApply();
    const acknowledgedAt = clock.now();
    for (const receivedAt of this.#stamps.splice(0)) this.#parts.onApplied?.(receivedAt, acknowledgedAt);
    return true;
  }

  #judge({ rules, sets }: ApplyResult): void {
    const { metrics } = this.#parts;
    const doubt = rules === 'unknown' || sets === 'unknown';
    if (sets !== 'done') this.#setsKnown = !this.#planes.some((plane) => plane.sets.unread.length > 0) && sets !== 'unknown';
    if (doubt) this.#doubtBackOff.failed();
    else this.#doubtBackOff.succeeded();
    this.#rulesWait = rules === 'waiting';
    if (rules === 'refused') this.#ruleBackOff.failed();
    else if (rules === 'done') this.#ruleBackOff.succeeded();
    this.#judgeSets();
    if (doubt || rules === 'refused' || sets === 'refused') metrics.count('felix_int_dataplane_failures');
    this.#publishSizes();
  }

  /** Failures stay listed until a retry succeeds; what is refused between two retries neither delays the next one nor fills the log. */
  #judgeSets(): void {
    if (!this.#rulesWait && this.#planes.every((plane) => plane.sets.failures.length === 0)) {
      this.#setBackOff.succeeded();
      this.#loggedSets = new Map();
    } else {
      // One that stays full must not make others wait for as long as it does.
      const isNew = this.#planes.some(({ sets }) => sets.failures.some(({ name }) => !this.#loggedSets.has(name)));
      if (isNew || this.#setBackOff.failures === 0 || this.#setBackOff.isDue) {
        this.#setBackOff.failed();
        this.#logSetFailures();
      }
      if (isNew) this.#setBackOff.hurry();
    }
    // News may need a set that was refused long before.
    if (this.#setBackOff.failures > 1 && (this.#rulesWait || this.#planes.some((plane) => plane.needed(plane.sets.stuck).length > 0))) this.#quarantine.setsFailed();
  }

  #publishSizes(): void {
    const { metrics } = this.#parts;
    for (const { family, table, sets, rules, labels } of this.#planes) {
      metrics.set('felix_iptables_chains', table.kernel.chainCount, labels);
      metrics.set('felix_iptables_rules', table.kernel.ruleCount, labels);
      metrics.set('caracal_dataplane_quarantined_policies', rules.quarantined.length, labels);
      metrics.set('felix_ipsets_calico', sets.size, { ip_version: String(family) });
    }
  }

  /** Each once. */
  #logSetFailures(): void {
    const logged = this.#loggedSets;
    const failures = this.#planes.flatMap(({ sets }) => sets.failures);
    this.#loggedSets = new Map(failures.map(({ name, output }) => [name, output]));
    for (const { name, description, output } of failures) {
      if (logged.get(name) !== output) {
        this.#parts.logger.error({ set: name, description, output: output.trim(), remedy: remedyForSet(output) }, 'ipset refused a change');
      }
    }
  }

  #firstApply(): void {
    if (this.#appliedOnce) return;
    this.#appliedOnce = true;
    this.#watch.begin();
    const tables = this.#planes.map(({ family, table }) => `IPv${family} ${table.name}: ${table.kernel.chainCount} chains, ${table.kernel.ruleCount} rules`);
    this.#parts.logger.info({ tables, sets: this.#planes.reduce((sum, plane) => sum + plane.sets.size, 0) }, 'the kernel is as the policies say');
  }

  // Reading.

  async #readUnknown(): Promise<boolean> {
    const unknown = this.#planes.filter((plane) => !plane.isKnown);
    await this.#tolerateReadFailure('read the kernel', true, async () => {
      await this.#reader.readTables(unknown.filter((plane) => plane.isInDoubt));
      // A refusal may come from what somebody else did.
      this.#found(await this.#reader.readTables(unknown.filter((plane) => !plane.isInDoubt)), []);
      if (!this.#setsKnown) await this.#reader.readSets();
      this.#setsKnown = true;
    });
    return true;
  }

  async #tolerateReadFailure(what: string, reads: boolean, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (reads) this.#readBackOff.succeeded();
    } catch (problem) {
      if (!(problem instanceof ReadFailed)) throw problem;
      this.#readBackOff.failed();
      this.#readFailure = problem.message;
      this.#parts.logger.warn({ what, error: problem.message }, 'the kernel could not be read; it is tried again');
    }
  }

  /** Somebody undid something: it is pending now, and repaired by the next apply. */
  #found(drift: readonly Drift[], by: readonly string[]): void {
    if (drift.length === 0 || !this.#appliedOnce) return;
    const { logger, metrics } = this.#parts;
    const { notBefore, contested } = this.#repairs.found(drift);
    this.#repairNotBefore = Math.max(this.#repairNotBefore, notBefore);
    metrics.count('caracal_dataplane_undone_objects', {}, drift.length);
    const undone = drift.slice(0, 10).map(({ object, what }) => `${object}: ${what}`);
    const fields = { undone, objects: drift.length, ...(by.length > 0 ? { by } : {}) };
    logger.warn(fields, 'somebody changed our rules or sets; they are repaired');
    if (contested.length > 0) {
      logger.warn({ objects: contested.slice(0, 10), ...(by.length > 0 ? { by } : {}) }, 'these are undone again and again; repairs now wait up to 30 s: find the program that does it');
    }
  }

  async #retrySets(): Promise<void> {
    for (const plane of this.#planes) plane.sets.retry();
    // The outcome decides: another failure makes the delay longer.
    if (this.#setsPending || this.#rulesWait) await this.#apply();
    else this.#setBackOff.succeeded();
  }

  #doubtSets(): void {
    this.#setsKnown = false;
    this.#doubtBackOff.failed();
  }

  // Health.

  #report(): void {
    const problems = this.#problems();
    const ready = problems.length === 0;
    const detail = [...problems, ...this.#unserved.notes, ...this.#quarantine.notes].join('; ') || 'the kernel is as the policies say';
    this.#parts.health.report('dataplane', { live: true, ready, detail });
  }

  #problems(): string[] {
    if (!this.#isKnown && this.#readBackOff.failures > 0) return [`the kernel cannot be read: ${this.#readFailure}`];
    if (this.#isSlow) return ['iptables or ipset does not answer; changes wait for it'];
    if (!this.#synced) return ['waiting for the first complete state'];
    const problems: string[] = [];
    // One failure in passing is nobody's concern.
    if (this.#readBackOff.failures > 1) problems.push(`the kernel cannot be read, what others do to our rules is not seen: ${this.#readFailure}`);
    if (this.#doubtBackOff.failures > 0 && (this.#rulesPending || this.#setsPending)) problems.push('iptables or ipset did not acknowledge a change; it is tried again');
    if (this.#ruleBackOff.failures > 0) problems.push('iptables refuses a transaction; the rules in force are the last good ones');
    for (const { name, description } of this.#planes.flatMap((plane) => this.#setProblems(plane))) problems.push(`ipset refuses changes to ${name} (${description})`);
    if (this.#rulesWait && problems.length === 0) problems.push('rules wait for a set');
    if (!this.#appliedOnce && problems.length === 0) problems.push('writing the first complete state');
    return problems;
  }

  /** Without sets that are full and that nobody looks into: their policies are closed, and noted. */
  #setProblems(plane: Plane): SetFailure[] {
    const { sets } = plane;
    const stuck = plane.needed(sets.stuck);
    return sets.failures.filter(({ name, isFull }) => this.#rulesWait || !isFull || sets.isReady(name) || stuck.includes(name));
  }
}
