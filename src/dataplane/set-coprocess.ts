// One long-lived `ipset -` (interactive mode): commands in, their failures out, no fork per change.
//
//   add cali40s:x 10.0.0.1          ──stdin──▶            ──stderr──▶  (nothing, or what went wrong)
//   test cali4-ack 10.0.0.17                                           10.0.0.17 is NOT in set cali4-ack.
//
// What always holds:
//  - Each command is followed by a `test` whose address is a number: its answer says that the command has been executed, and what
//    was printed since the answer before belongs to that command. It goes to the kernel and back inside of the tool, 5 µs.
//  - The test also clears what a line that could not be parsed leaves behind in the tool (set-command.ts), so that such a line can
//    never colour the command after it. An answer that shows such traces ends the process.
//  - At most 4,096 bytes are written at a time, ending at a line's end: the socket takes such a piece whole or not at all, so no cut
//    line is ever executed ("10.1.2.34" as "10.1.2.3").
//  - Both outputs are always read: unread prompts block the tool.
//  - No option is ever given: -exist and the like stay in force for the rest of the session.
//
// The marker set is empty and belongs to this process. Its name lies in the range that Felix owns as well, so whoever replaces this
// agent removes it.

import type { Clock, Timer } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { Backoff } from '../lib/backoff.ts';
import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Child, CommandRunner } from './command.ts';
import { OutcomeUnknown, ReadFailed, ToolMissing } from './errors.ts';
import { readLines } from './line-reader.ts';

export const markerSet = 'cali4-ack';

export interface SetCoprocessOptions {
  readonly runner: CommandRunner;
  /** How long the tool may take for one command. */
  readonly deadlineMs: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface CommandOutput {
  /** Index into the commands given. */
  readonly index: number;
  readonly output: string;
}

interface Running {
  readonly child: Child;
  /** The batch under way reads stderr and stdout. */
  onError: (line: string) => void;
  onOutput: (line: string) => void;
  /** `version` was answered, the only line of stdout whose form is known. */
  onVersion: () => void;
  /** Called once, if the process ends under the batch. */
  onEnd: () => void;
  ended: boolean;
  lastErrors: string;
}

const WRITE_LIMIT = 4_096;
/** How long an answer may take before it is asked whether there will be one. */
const DOUBT_MS = 200;
const ack = new RegExp(`^(?:Warning: )?10\\.(\\d+)\\.(\\d+)\\.(\\d+)(\\S*) is (?:NOT )?in set ${markerSet}\\.$`);
const version = /^ipset v\S+, protocol version: \d/;
/** 24 bits of an address. */
const NUMBERS = 1 << 24;

export class SetCoprocess {
  readonly #options: Required<SetCoprocessOptions>;
  readonly #backoff = new Backoff(20, 5_000);
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #number = 0;
  #closed = false;
  /** Ends a back-off early. */
  #endPause: () => void = () => {};

  constructor(options: SetCoprocessOptions) {
    this.#options = { logger: silentLogger, clock: systemClock, ...options };
  }

  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** Resolves when the process is up and has answered; rejects with ToolMissing or OutcomeUnknown. */
  async start(): Promise<void> {
    await this.#ready();
  }

  /** Runs a task when those before it are done: commands of one batch stay together. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new OutcomeUnknown('ipset is closed; nothing was written'));
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Within `exclusive`: executes checked commands, all of them. Resolves with what was printed for each that failed. */
  async execute(commands: readonly string[]): Promise<readonly CommandOutput[]> {
    const running = await this.#readyToWrite();
    return this.#write(running, commands);
  }

  /** Within `exclusive`: what `list -t` prints, line by line. Rejects with ReadFailed. */
  async list(): Promise<readonly string[]> {
    let running: Running;
    try {
      running = await this.#readyToWrite();
      const lines: string[] = [];
      running.onOutput = (line) => lines.push(line);
      // The acknowledgement comes through the other stream and may be here first: behind the version the list is complete.
      const listed = new Promise<void>((resolve) => {
        running.onVersion = resolve;
      });
      const [failure] = await this.#write(running, ['list -t', 'version'], listed);
      running.onOutput = () => {};
      if (failure !== undefined) throw new ReadFailed(`ipset list -t failed: ${failure.output}`);
      return lines;
    } catch (error) {
      if (error instanceof ReadFailed) throw error;
      throw new ReadFailed('ipset could not list the sets', { cause: error });
    }
  }

  /** Removes the marker set and ends the process after what is queued. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endPause();
    await this.#tail;
    const running = this.#running ?? await this.#starting?.catch(() => undefined);
    if (running === undefined) return;
    running.child.stdin.end(`destroy ${markerSet}\n`);
    const kill = this.#options.clock.after(1_000, () => running.child.kill());
    await running.child.exited;
    kill.cancel();
  }

  async #readyToWrite(): Promise<Running> {
    try {
      return await this.#ready();
    } catch (error) {
      throw new OutcomeUnknown('ipset does not start; nothing was written', { cause: error });
    }
  }

  /** Until all commands are acknowledged, and `also`. */
  async #write(running: Running, commands: readonly string[], also?: Promise<void>): Promise<readonly CommandOutput[]> {
    const { clock, deadlineMs, logger } = this.#options;
    const first = this.#number;
    this.#number = (this.#number + commands.length) % NUMBERS;
    const failed: CommandOutput[] = [];
    const done = Promise.withResolvers<void>();
    let next = 0;
    let printed = '';
    let overdue = false;
    let suspicious: string | undefined;
    let complete = false;
    let doubt: Timer | undefined;
    let deadline: Timer | undefined;
    let stuck: Timer | undefined;
    const watch = (): void => {
      deadline?.cancel();
      doubt?.cancel();
      doubt = clock.after(DOUBT_MS, () => this.#doubt(running, done.promise));
      deadline = clock.after(deadlineMs, () => {
        overdue = true;
        running.child.kill();
        stuck = clock.after(10_000, () => logger.error({ tool: 'ipset', pid: running.child.pid },
          `ipset was killed after ${deadlineMs} ms without an answer and still does not end: it is stuck in the kernel, and no set can be written until it does`));
      });
    };
    running.onError = (line) => {
      const answer = ack.exec(line);
      if (answer === null) {
        printed += printed === '' ? line : `\n${line}`;
        return;
      }
      const number = Number(answer[1]) * 65_536 + Number(answer[2]) * 256 + Number(answer[3]);
      const index = (number - first + NUMBERS) % NUMBERS;
      if (index !== next || answer[4] !== '') suspicious ??= `${line} ${printed}`;
      if (printed !== '') failed.push({ index, output: clean(printed) });
      printed = '';
      next = index + 1;
      if (next < commands.length) return watch();
      void Promise.resolve(also).then(() => {
        complete = true;
        done.resolve();
      });
    };
    watch();
    running.onEnd = done.resolve;
    if (running.ended) done.resolve();
    await this.#send(running, commands, first);
    await done.promise;
    deadline?.cancel();
    doubt?.cancel();
    stuck?.cancel();
    running.onError = () => {};
    running.onVersion = () => {};
    running.onEnd = () => {};
    if (!complete) {
      if (this.#running === running) this.#running = undefined;
      this.#startAgain();
      const reason = overdue ? `did not answer within ${deadlineMs} ms and was killed` : `ended before it acknowledged: ${clean(running.lastErrors)}`;
      throw new OutcomeUnknown(`ipset ${reason}`);
    }
    this.#backoff.succeeded();
    if (suspicious !== undefined) {
      running.child.kill();
      await running.child.exited;
      if (this.#running === running) this.#running = undefined;
      this.#startAgain();
      throw new OutcomeUnknown(`ipset answered in an unexpected way and was started again: ${clean(suspicious)}`);
    }
    return failed;
  }

  /**
   * No answer for a while: either the tool is slow, or its marker set is gone and it will never answer. Behind the answer to another
   * question there is none to wait for.
   */
  #doubt(running: Running, done: Promise<void>): void {
    const { clock, logger } = this.#options;
    running.onVersion = () => {
      const timer = clock.after(DOUBT_MS, () => {
        logger.warn({ tool: 'ipset', pid: running.child.pid }, `the set ${markerSet} has vanished: somebody destroys sets of this node; ipset is started again`);
        running.child.kill();
      });
      void done.then(() => timer.cancel());
    };
    running.child.stdin.write('version\n');
  }

  /** Writes pieces that end at a line's end, the next one when the one before has left this process. */
  async #send(running: Running, commands: readonly string[], first: number): Promise<void> {
    let piece = '';
    for (const [index, command] of commands.entries()) {
      const number = (first + index) % NUMBERS;
      const lines = `${command}\ntest ${markerSet} 10.${number >> 16}.${(number >> 8) & 255}.${number & 255}\n`;
      if (piece.length + lines.length > WRITE_LIMIT) {
        await write(running.child, piece);
        piece = '';
      }
      piece += lines;
    }
    await write(running.child, piece);
  }

  #ready(): Promise<Running> {
    if (this.#running !== undefined) return Promise.resolve(this.#running);
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #start(): Promise<Running> {
    const { runner } = this.#options;
    await this.#pause(this.#backoff.delay());
    const child = await runner.spawn('stdbuf', ['-oL', 'ipset', '-']);
    const running: Running = {
      child, onError: () => {}, onOutput: () => {}, onVersion: () => {}, onEnd: () => {}, ended: false, lastErrors: '',
    };
    const output = readLines(child.stdout, (line) => {
      if (version.test(line)) running.onVersion();
      else running.onOutput(line);
    }, 'ipset> ');
    const errors = readLines(child.stderr, (line) => {
      running.lastErrors = line;
      running.onError(line);
    });
    void Promise.all([child.exited, output.ended, errors.ended]).then(() => this.#ended(running));
    try {
      const [failure] = await this.#write(running, [`create ${markerSet} hash:ip family inet hashsize 64 maxelem 1`]);
      // It is there already after an agent that was killed.
      if (failure !== undefined && !failure.output.includes('already exists')) {
        throw new OutcomeUnknown(`ipset cannot create its marker set: ${failure.output}`);
      }
    } catch (error) {
      child.kill();
      if ((await child.exited).exitCode === 127) throw new ToolMissing('ipset', { cause: error });
      throw error;
    }
    if (running.ended) throw new OutcomeUnknown('ipset ended right after its start');
    this.#running = running;
    return running;
  }

  #ended(running: Running): void {
    running.ended = true;
    running.onEnd();
    if (this.#running !== running) return;
    this.#running = undefined;
    if (this.#closed) return;
    this.#options.logger.warn({ tool: 'ipset', pid: running.child.pid, stderr: running.lastErrors }, 'ipset ended; it is started again');
    this.#startAgain();
  }

  #startAgain(): void {
    if (this.#closed || this.#starting !== undefined) return;
    this.#ready().catch((error: unknown) => {
      if (this.#closed) return;
      this.#options.logger.warn({ error, tool: 'ipset' }, 'ipset does not start; trying again');
      this.#startAgain();
    });
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.after(milliseconds, resolve);
    this.#endPause = resolve;
    await promise;
    timer.cancel();
    if (this.#closed) throw new OutcomeUnknown('ipset is closed; nothing was written');
  }
}

/** Resolves when the kernel has the bytes, or the child is gone. */
function write(child: Child, piece: string): Promise<void> {
  return new Promise((resolve) => {
    child.stdin.write(piece, () => resolve());
  });
}

/** Without the tool's name and its hint. */
function clean(output: string): string {
  return output.split('\n').filter((line) => !line.startsWith('Try `')).map((line) => line.replace(/^ipset v\S+: /, '')).join('\n').trim();
}
