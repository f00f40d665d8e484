// The programs that an agent keeps running beside it, by what they are: for tests that end one of them.

import { readFile, readdir } from 'node:fs/promises';

export type Coprocess = 'restore' | 'ipset' | 'doorbell' | 'lock';

const patterns: Readonly<Record<Coprocess, RegExp>> = {
  restore: /^iptables-(?:nft|legacy)-restore /,
  ipset: /^ipset - /,
  doorbell: /^(?:xtables-monitor|inotifywait) /,
  lock: /^(?:cat|flock) /,
};

/** Process ids of those that run now; none while one is being started again. */
export async function coprocesses(agent: number, which: Coprocess): Promise<readonly number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const status = await readFile(`/proc/${entry}/status`, 'utf8');
      if (!status.includes(`\nPPid:\t${agent}\n`)) continue;
      const [program = '', ...args] = (await readFile(`/proc/${entry}/cmdline`, 'utf8')).split('\0');
      // stdbuf and the like replace themselves by the program.
      const name = program.slice(program.lastIndexOf('/') + 1);
      if (patterns[which].test(`${name} ${args.join(' ')}`)) found.push(Number(entry));
    } catch {
      // It ended while it was looked at.
    }
  }
  return found;
}
