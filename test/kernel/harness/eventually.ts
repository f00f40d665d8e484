// Waiting for a condition, with a limit and a message that says what did not happen.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again every few milliseconds until the answer is neither undefined nor false. */
export async function eventually<T>(what: string, ask: () => T | undefined | false | Promise<T | undefined | false>, limitMs = 10_000): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`within ${limitMs} ms it did not happen that ${what}`);
    await sleep(5);
  }
}

/** Whether a process of this machine still runs (a zombie does not). */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/^\d+ \(.*\) [ZX] /.test(stat);
}
