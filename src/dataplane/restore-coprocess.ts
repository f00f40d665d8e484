// One long-lived `ip[6]tables-{nft,legacy}-restore --noflush -v`: transactions in, acknowledgements out, no fork per change.
//
//   execute(text) ──queue──▶ stdin: text, "# ack 17"      stdout: what text prints (-S), then "# ack 17" ──▶ resolves
//                                                         exit, silence                                  ──▶ rejects, restart
//
// What always holds:
//  - A text is complete in memory before its first byte is written, and one is in flight at a time: the legacy tool holds the lock
//    of the whole node from "*table" to COMMIT.
//  - In verbose mode the tool echoes comments after it has executed what is before them: an echo means committed.
//  - A rejection comes after the process is gone, so nothing of the text can still reach the kernel later.
//  - The process is started early and again after each end, with a back-off when it ends unasked; a refusal ends it too, by design
//    of the tool, and is no reason to wait.

import type { Clock, Timer } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { Backoff } from '../lib/backoff.ts';
import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Child, CommandRunner } from './command.ts';
import { OutcomeUnknown, ToolMissing, TransactionRefused } from './errors.ts';
import { readLines } from './line-reader.ts';
import { restoreFailure } from './restore-failure.ts';
import { countLines } from './transaction-text.ts';
import type { WriteObserver, WritingProcess } from './write-observer.ts';
import { noObserver } from './write-observer.ts';

export interface RestoreCoprocessOptions {
  readonly runner: CommandRunner;
  /** "iptables-nft-restore", … */
  readonly tool: string;
  /** How long the tool waits for the xtables lock (legacy). */
  readonly lockSeconds: number;
  /** How long an acknowledgement may take, the wait for the lock included. */
  readonly deadlineMs: number;
  readonly lockFile: string;
  readonly observer?: WriteObserver;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

interface Running {
  readonly child: Child;
  readonly writer: WritingProcess;
  /** Lines written to it since it started. */
  lines: number;
  stderr: string;
  /** What it printed since the last acknowledgement. */
  output: string[];
  /** Who waits for an acknowledgement: told what was printed, or undefined when the process ended instead. */
  waiting: ((output: readonly string[] | undefined) => void) | undefined;
  /** The acknowledgement waited for. */
  expected: string;
  ended: boolean;
}

const START_DEADLINE_MS = 10_000;
const MAX_STDERR = 16_384;

export class RestoreCoprocess {
  readonly #options: Required<RestoreCoprocessOptions>;
  readonly #backoff = new Backoff(20, 5_000);
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  /** The last text queued; each waits for the one before it. */
  #tail: Promise<unknown> = Promise.resolve();
  #acks = 0;
  #closed = false;
  /** Ends a back-off early. */
  #endPause: () => void = () => {};

  constructor(options: RestoreCoprocessOptions) {
    this.#options = { observer: noObserver, logger: silentLogger, clock: systemClock, ...options };
  }

  /** The process id while it runs. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** Resolves when the process is up and has answered; rejects with ToolMissing or OutcomeUnknown. */
  async start(): Promise<void> {
    await this.#ready();
  }

  /**
   * Hands one checked transaction to the tool. Resolves with the lines that it printed, after COMMIT has happened. Rejects with
   * TransactionRefused or OutcomeUnknown.
   */
  execute(transaction: string): Promise<readonly string[]> {
    if (this.#closed) return Promise.reject(new OutcomeUnknown(`${this.#options.tool} is closed; nothing was written`));
    const result = this.#tail.then(() => this.#execute(transaction));
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Ends the process after what is queued. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endPause();
    await this.#tail;
    const running = this.#running ?? await this.#starting?.catch(() => undefined);
    if (running === undefined) return;
    running.child.stdin.end();
    const kill = this.#options.clock.after(1_000, () => running.child.kill());
    await running.child.exited;
    kill.cancel();
  }

  async #execute(transaction: string): Promise<readonly string[]> {
    let running: Running;
    try {
      running = await this.#ready();
    } catch (error) {
      throw new OutcomeUnknown(`${this.#options.tool} does not start; nothing was written`, { cause: error });
    }
    const told = this.#options.observer.writing(transaction, running.writer);
    try {
      const output = await this.#write(running, transaction, this.#options.deadlineMs);
      told('done');
      this.#backoff.succeeded();
      return output;
    } catch (error) {
      const refused = error instanceof TransactionRefused;
      told(refused ? 'refused' : 'unknown');
      if (refused) this.#backoff.succeeded();
      this.#startAgain();
      throw error;
    }
  }

  /** One text and its acknowledgement. */
  async #write(running: Running, text: string, deadlineMs: number): Promise<readonly string[]> {
    const { clock, tool, lockFile, logger } = this.#options;
    const linesBefore = running.lines;
    const transactionLines = countLines(text);
    this.#acks += 1;
    running.expected = `# ack ${this.#acks}`;
    running.lines += transactionLines + 1;
    let overdue = false;
    let stuck: Timer | undefined;
    const deadline = clock.after(deadlineMs, () => {
      overdue = true;
      running.child.kill();
      stuck = clock.after(10_000, () => logger.error({ tool, pid: running.child.pid },
        `${tool} was killed after ${deadlineMs} ms without an answer and still does not end: it is stuck in the kernel, and no rule can be written until it does`));
    });
    const answer = await new Promise<readonly string[] | undefined>((resolve) => {
      if (running.ended) return resolve(undefined);
      running.waiting = resolve;
      running.child.stdin.write(`${text}${running.expected}\n`);
    });
    deadline.cancel();
    stuck?.cancel();
    running.waiting = undefined;
    if (answer !== undefined) return answer;
    if (overdue) throw new OutcomeUnknown(`${tool} did not answer within ${deadlineMs} ms and was killed`);
    throw await restoreFailure({ tool, lockFile, stderr: running.stderr, exit: await running.child.exited, linesBefore, transactionLines });
  }

  #ready(): Promise<Running> {
    if (this.#running !== undefined) return Promise.resolve(this.#running);
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #start(): Promise<Running> {
    const { runner, tool, lockSeconds, clock, observer } = this.#options;
    await this.#pause(this.#backoff.delay(), clock);
    // The tools know no long-lived mode: without stdbuf they would keep the echoes in a buffer of their own.
    const child = await runner.spawn('stdbuf', ['-oL', tool, '--noflush', '-v', '-w', String(lockSeconds)]);
    const running: Running = {
      child,
      writer: { pid: child.pid, leaveTrace: (chain) => this.#leaveTrace(running, chain) },
      lines: 0,
      stderr: '',
      output: [],
      waiting: undefined,
      expected: '',
      ended: false,
    };
    const output = readLines(child.stdout, (line) => {
      if (line !== running.expected) return void running.output.push(line);
      const lines = running.output;
      running.output = [];
      running.waiting?.(lines);
    });
    const errors = readLines(child.stderr, (line) => {
      if (running.stderr.length < MAX_STDERR) running.stderr += `${line}\n`;
    });
    void Promise.all([child.exited, output.ended, errors.ended]).then(() => this.#ended(running));
    try {
      // A comment outside of any transaction is echoed as well: the tool is there, and its output is not held back.
      await this.#write(running, '', START_DEADLINE_MS);
      await observer.started(running.writer);
    } catch (error) {
      child.kill();
      if ((await child.exited).exitCode === 127) throw new ToolMissing(tool, { cause: error });
      throw error;
    }
    this.#running = running;
    return running;
  }

  async #leaveTrace(running: Running, chain: string): Promise<void> {
    const trace = `*filter\n:${chain} - [0:0]\n-X ${chain}\nCOMMIT\n`;
    // Before it is ready nobody else writes to it; afterwards its turn comes in the queue.
    if (this.#running === running) await this.execute(trace);
    else await this.#write(running, trace, this.#options.deadlineMs);
  }

  #ended(running: Running): void {
    running.ended = true;
    this.#options.observer.ended(running.writer);
    const idle = running.waiting === undefined;
    running.waiting?.(undefined);
    if (this.#running !== running) return;
    this.#running = undefined;
    if (this.#closed || !idle) return;
    this.#options.logger.warn({ tool: this.#options.tool, pid: running.child.pid, stderr: running.stderr },
      `${this.#options.tool} ended while idle; it is started again`);
    this.#startAgain();
  }

  /** In the background, so that the next transaction does not wait for a fork. */
  #startAgain(): void {
    if (this.#closed) return;
    this.#ready().catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.logger.warn({ error, tool: this.#options.tool }, `${this.#options.tool} does not start; trying again`);
      this.#startAgain();
    });
  }

  async #pause(milliseconds: number, clock: Clock): Promise<void> {
    if (milliseconds === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(milliseconds, resolve);
    this.#endPause = resolve;
    await promise;
    timer.cancel();
    if (this.#closed) throw new OutcomeUnknown(`${this.#options.tool} is closed; nothing was written`);
  }
}
