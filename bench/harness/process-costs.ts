// What a process and its children cost, read from /proc: CPU time to the nanosecond, resident memory, and the number of forks.
//
// CPU is the run time that the scheduler counts for each thread that lives, and that of children that have ended. Forks are counted
// by a wrapper of setpriv, through which the agent starts every process (src/dataplane/command.ts): it writes a line and becomes it.

import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It ended in between.
    return '';
  }
}

function numbersIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** The process and all that descend from it. */
export function processTree(pid: number): number[] {
  const children = numbersIn(`/proc/${pid}/task`).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).trim().split(' '));
  return [pid, ...children.filter((child) => child !== '').flatMap((child) => processTree(Number(child)))];
}

export interface ProcessMemory {
  readonly pid: number;
  readonly name: string;
  readonly rssMb: number;
  /** Shared pages divided among those that share them. */
  readonly pssMb: number;
}

/** CPU milliseconds so far, children included. */
export function cpuOf(pid: number): number {
  let milliseconds = 0;
  for (const each of processTree(pid)) {
    for (const thread of numbersIn(`/proc/${each}/task`)) {
      milliseconds += Number(read(`/proc/${each}/task/${thread}/schedstat`).split(' ', 1)[0]) / 1e6;
    }
  }
  // Fields 16 and 17 of stat, in ticks of 10 ms: children that ended and were waited for. The name may hold spaces.
  const fields = read(`/proc/${pid}/stat`).replace(/^.*\) /, '').split(' ');
  return milliseconds + (Number(fields[13]) + Number(fields[14])) * 10;
}

export function memoryOf(pid: number): ProcessMemory[] {
  return processTree(pid).map((each) => {
    const rollup = read(`/proc/${each}/smaps_rollup`);
    const megabytes = (field: string): number => Number(new RegExp(`^${field}: *(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / 1_024;
    return { pid: each, name: read(`/proc/${each}/comm`).trim(), rssMb: megabytes('Rss'), pssMb: megabytes('Pss') };
  });
}

/** The largest resident size that the process itself ever had, MB. */
export function peakOf(pid: number): number {
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;
}

export class ForkCounter {
  /** PATH for the agent. */
  readonly path: string;
  readonly #file: string;

  /** Keeps its files in `directory`. */
  constructor(directory: string) {
    const folder = path.join(directory, 'counted');
    mkdirSync(folder);
    this.#file = path.join(directory, 'forks');
    writeFileSync(this.#file, '');
    const wrapper = path.join(folder, 'setpriv');
    writeFileSync(wrapper, `#!/bin/sh\necho "$4 $5 $6" >> ${this.#file}\nexec /usr/bin/setpriv "$@"\n`);
    chmodSync(wrapper, 0o755);
    this.path = `${folder}:${process.env['PATH'] ?? ''}`;
  }

  get count(): number {
    return this.commands.length;
  }

  /** The beginning of each command. */
  get commands(): readonly string[] {
    return read(this.#file).split('\n').filter((line) => line !== '');
  }
}
