// Who holds the xtables lock: one file for all legacy iptables commands of the node (flock), by default /run/xtables.lock.

import { readFile, stat } from 'node:fs/promises';

export const defaultLockFile = '/run/xtables.lock';

/** "process 4711 (iptables-restor)"; undefined when nobody visible from here holds it. */
export async function lockHolder(lockFile: string): Promise<string | undefined> {
  try {
    const { ino } = await stat(lockFile);
    // "1: FLOCK  ADVISORY  WRITE 4711 00:19:1234 0 EOF"; lines with "->" are those who wait.
    for (const line of (await readFile('/proc/locks', 'utf8')).split('\n')) {
      const [, kind, , , pid, file] = line.trim().split(/\s+/);
      if (kind !== 'FLOCK' || file?.split(':')[2] !== String(ino)) continue;
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'not visible from here');
      return `process ${pid} (${name.trim()})`;
    }
  } catch {
    // Only a detail of a message.
  }
  return undefined;
}
