// The doorbell of the nft backend: `xtables-monitor -e` prints every change of the rules, and behind each transaction the process
// that made it.
//
//   line ──▶ chains of the generation under way ──NEWGEN──▶ ours? drop : onRing(chains, culprit)
//
// Whose is it? The process id in NEWGEN is the host's. In the host's own process namespace a coprocess is known by it; in a container
// it is asked to leave a trace, an unreferenced chain with a random name, and the generation with that chain shows its id. A process
// per change is known by its chains while it runs.
//
// What always holds: a monitor that had to be started again rings for everything, because events were lost; so does a line that is not
// understood. It exits when its buffer overflows (a hundred chains rewritten at once) and when somebody adds a native rule to a table
// of the families ip or ip6 that it cannot show. Listening means subscribed: the kernel's list of netlink sockets says so.

import { randomBytes } from 'node:crypto';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Child, CommandRunner } from './command.ts';
import type { Doorbell, Ring, TouchedChain } from './doorbell.ts';
import { ToolMissing } from './errors.ts';
import { readLines } from './line-reader.ts';
import { chainsOf } from './transaction-text.ts';
import type { WriteObserver, WritingProcess } from './write-observer.ts';
import { parseXtablesEvent } from './xtables-event.ts';

export interface NftDoorbellOptions {
  readonly runner: CommandRunner;
  readonly onRing: (ring: Ring) => void;
  /** Whether this process sees the host's process ids; found out without it. */
  readonly hostProcessIds?: boolean;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

const LONG_LIFE_MS = 10_000;
/** More chains than this are "everything". */
const MAX_NAMED = 256;
/** How long a coprocess's trace, and the generation of a process that has ended, may take to be reported. */
const REPORT_LIMIT_MS = 2_000;
/** PROC_PID_INIT_INO of the kernel: the first process namespace. */
const HOST_PID_NAMESPACE = 'pid:[4026531836]';
/** Group 7 (NFNLGRP_NFTABLES) in the mask of a netlink socket. */
const NFTABLES_GROUP = 0x40;
const NETLINK_NETFILTER = 12;

export class NftDoorbell implements Doorbell {
  readonly observer: WriteObserver = {
    started: (process) => this.#started(process),
    ended: (process) => this.#ended(process),
    writing: (transaction, process) => this.#writing(transaction, process),
  };
  readonly #options: Required<Omit<NftDoorbellOptions, 'hostProcessIds'>>;
  readonly #backoff = new Backoff(100, 10_000);
  /** Running coprocesses and the host's process id of each, once known. */
  readonly #ours = new Map<WritingProcess, number | undefined>();
  /** Traces that coprocesses were asked for. */
  readonly #traces = new Map<string, (pid: number) => void>();
  /** Chains of the transactions that processes of their own are writing. */
  readonly #expected = new Set<{ readonly chains: ReadonlySet<string> }>();
  readonly #hostProcessIds: Promise<boolean>;
  #up = Promise.withResolvers<void>();
  #isUp = false;
  #child: Child | undefined;
  #closed = false;
  /** The generation under way. */
  #touched = new Map<string, TouchedChain>();
  #unknown = false;

  constructor(options: NftDoorbellOptions) {
    this.#options = { logger: silentLogger, clock: systemClock, ...options };
    this.#hostProcessIds = options.hostProcessIds === undefined ? seesHostProcessIds() : Promise.resolve(options.hostProcessIds);
    void this.#listen();
  }

  listening(): Promise<void> {
    return this.#up.promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#child?.kill();
    await this.#child?.exited;
  }

  /** Keeps a monitor running until closed. */
  async #listen(): Promise<void> {
    const { runner, clock, logger } = this.#options;
    let complaint: string | undefined;
    for (let first = true; !this.#closed; first = false) {
      const delay = this.#backoff.delay();
      if (delay > 0) await new Promise<void>((resolve) => clock.after(delay, resolve));
      if (this.#closed) return;
      let reason: string;
      const started = clock.now();
      try {
        const child = await runner.spawn('stdbuf', ['-oL', 'xtables-monitor', '-e']);
        this.#child = child;
        reason = await this.#attend(child, first);
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      const wasUp = this.#isUp;
      if (wasUp) this.#up = Promise.withResolvers<void>();
      this.#isUp = false;
      if (this.#closed) return;
      // One that has lived for a while is replaced at once. One that dies at every change (native rules in an "ip" table that it cannot
      // show) is not: then the rules are read as often as it is started.
      if (clock.now() - started >= LONG_LIFE_MS) this.#backoff.succeeded();
      // A transaction of a hundred chains overflows its buffer, our own first one does: no fault.
      if (reason !== complaint) logger[/No buffer space/.test(reason) ? 'info' : 'warn']({ reason }, 'xtables-monitor ended; it is started again, and all rules are read then, because it may have missed changes');
      complaint = reason;
    }
  }

  /** From the start of a monitor to its end; says why it ended. */
  async #attend(child: Child, first: boolean): Promise<string> {
    const { onRing } = this.#options;
    let complaint = '';
    this.#touched = new Map();
    this.#unknown = false;
    const output = readLines(child.stdout, (line) => this.#read(line));
    const errors = readLines(child.stderr, (line) => {
      complaint = line;
    });
    const ended = Promise.all([child.exited, output.ended, errors.ended]);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!over && !await subscribed(child.pid)) await sleep(2);
    if (!over) {
      this.#isUp = true;
      // What changed before this instant was not heard.
      if (!first) onRing({ touched: 'everything', reason: 'xtables-monitor was started again' });
      this.#up.resolve();
      for (const [process, pid] of this.#ours) if (pid === undefined) void this.#learn(process);
    }
    const [exit] = await ended;
    if (exit.exitCode === 127) throw new ToolMissing('xtables-monitor');
    return complaint === '' ? `status ${exit.exitCode ?? exit.signal ?? 'unknown'}` : complaint;
  }

  #read(line: string): void {
    const event = parseXtablesEvent(line);
    switch (event.kind) {
      case 'chain':
        this.#touched.set(`${event.touched.family} ${event.touched.table} ${event.touched.chain}`, event.touched);
        break;
      case 'unknown':
        this.#unknown = true;
        break;
      case 'elsewhere':
        break;
      case 'generation':
        this.#generation(event.pid, event.name);
        break;
    }
  }

  /** A transaction of somebody is complete. */
  #generation(pid: number, name: string): void {
    const touched = [...this.#touched.values()];
    const unknown = this.#unknown;
    this.#touched = new Map();
    this.#unknown = false;
    for (const { chain } of touched) {
      const learn = this.#traces.get(chain);
      if (learn === undefined) continue;
      this.#traces.delete(chain);
      learn(pid);
      return;
    }
    if (touched.length === 0 && !unknown) return;
    for (const ours of this.#ours.values()) if (ours === pid) return;
    if (!unknown && this.#claim(touched, name)) return;
    this.#options.onRing({
      touched: unknown || touched.length > MAX_NAMED ? 'everything' : touched,
      culprit: { pid, name },
      reason: `rules were changed by ${name} (process ${pid})`,
    });
  }

  /** Whether a process that we started for one change made this. */
  #claim(touched: readonly TouchedChain[], name: string): boolean {
    if (!/^ip6?tables-nft-r/.test(name)) return false;
    for (const expected of this.#expected) {
      if (!touched.every(({ chain }) => expected.chains.has(chain))) continue;
      this.#expected.delete(expected);
      return true;
    }
    return false;
  }

  async #started(process: WritingProcess): Promise<void> {
    this.#ours.set(process, undefined);
    await this.#learn(process);
  }

  #ended(process: WritingProcess): void {
    const pid = this.#ours.get(process);
    // Its last transaction may not have been reported yet.
    if (pid !== undefined) this.#options.clock.after(REPORT_LIMIT_MS, () => this.#ours.delete(process));
    else this.#ours.delete(process);
  }

  /** Finds out the host's process id of a coprocess. */
  async #learn(process: WritingProcess): Promise<void> {
    if (await this.#hostProcessIds) {
      this.#ours.set(process, process.pid);
      return;
    }
    // When the monitor is up again, it asks again.
    if (!this.#isUp) return;
    const chain = `cali-trace-${randomBytes(6).toString('hex')}`;
    const learnt = new Promise<void>((resolve) => {
      const limit = this.#options.clock.after(REPORT_LIMIT_MS, resolve);
      this.#traces.set(chain, (pid) => {
        limit.cancel();
        this.#ours.set(process, pid);
        resolve();
      });
    });
    try {
      await process.leaveTrace(chain);
      await learnt;
    } catch {
      // It died; when it is started again, it is asked again.
    }
    this.#traces.delete(chain);
  }

  #writing(transaction: string, process: WritingProcess | undefined): () => void {
    if (process !== undefined) return () => {};
    const expected = { chains: chainsOf(transaction) };
    this.#expected.add(expected);
    return () => void this.#options.clock.after(REPORT_LIMIT_MS, () => this.#expected.delete(expected));
  }
}

async function seesHostProcessIds(): Promise<boolean> {
  return await readlink('/proc/self/ns/pid').catch(() => '') === HOST_PID_NAMESPACE;
}

/** Whether a process has a netlink socket that receives the changes of nftables. */
async function subscribed(pid: number): Promise<boolean> {
  const rows = (await readFile(`/proc/${pid}/net/netlink`, 'utf8').catch(() => '')).split('\n');
  for (const row of rows) {
    // "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode"
    const [, protocol, , groups, , , , , , inode] = row.trim().split(/\s+/);
    if (Number(protocol) !== NETLINK_NETFILTER || (Number.parseInt(groups ?? '0', 16) & NFTABLES_GROUP) === 0) continue;
    if (await hasSocket(pid, inode ?? '')) return true;
  }
  return false;
}

async function hasSocket(pid: number, inode: string): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  for (const descriptor of await readdir(directory).catch(() => [])) {
    if (await readlink(`${directory}/${descriptor}`).catch(() => '') === `socket:[${inode}]`) return true;
  }
  return false;
}
