// Temporary directories that go away: with their owner, at the latest at the end of this process, and
// where that was killed, with the next process that makes one.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const PREFIX = "caracal-test-";

const made = new Set<string>();

process.on("exit", () => {
  for (const directory of made) removeScratch(directory);
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
};

const removeLeftovers = (): void => {
  for (const entry of readdirSync(tmpdir())) {
    const owner = entry.startsWith(PREFIX) ? Number.parseInt(entry.slice(PREFIX.length), 10) : Number.NaN;
    if (!Number.isNaN(owner) && !isAlive(owner)) rmSync(path.join(tmpdir(), entry), { recursive: true, force: true });
  }
};

/** A new empty directory of this process. */
export const makeScratch = (): string => {
  removeLeftovers();
  const directory = mkdtempSync(path.join(tmpdir(), `${PREFIX}${process.pid}-`));
  made.add(directory);
  return directory;
};

export const removeScratch = (directory: string): void => {
  made.delete(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
};
