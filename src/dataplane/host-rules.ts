// What both backends of iptables hold on this node, read once at start: the choice of the backend and the survey of leftovers are
// made from it.
//
// What always holds: nothing is loaded or created by asking. The legacy tools load their modules when asked for a table, so they are
// asked only where /proc/net/ip[6]_tables_names says that there are tables, and then for those alone.

import type { Family } from '../model/packet.ts';
import type { CommandRunner } from './command.ts';
import { ToolMissing } from './errors.ts';
import type { Backend } from './tools.ts';
import { toolName } from './tools.ts';

export interface BackendRules {
  readonly backend: Backend;
  readonly family: Family;
  /** As iptables-save prints all tables; '' where there are none. */
  readonly text: string;
  /** Why nothing is known; undefined when the text is complete. */
  readonly failure?: string;
  /** Legacy: whether its modules are loaded. nft: whether its tool works here. */
  readonly inUse: boolean;
}

export type HostRules = readonly BackendRules[];

const READ_LIMIT_MS = 60_000;

export async function readHostRules(runner: CommandRunner, families: readonly Family[]): Promise<HostRules> {
  return Promise.all(families.flatMap((family) => [readNft(runner, family), readLegacy(runner, family)]));
}

async function readNft(runner: CommandRunner, family: Family): Promise<BackendRules> {
  const read = await save(runner, 'nft', family);
  return { backend: 'nft', family, inUse: read.failure === undefined || read.text !== '', ...read };
}

async function readLegacy(runner: CommandRunner, family: Family): Promise<BackendRules> {
  const names = await runner.run('cat', [`/proc/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`], { timeoutMs: READ_LIMIT_MS });
  if (names.exitCode !== 0) return { backend: 'legacy', family, text: '', inUse: false };
  if (names.stdout.trim() === '') return { backend: 'legacy', family, text: '', inUse: true };
  // Without -t it prints the tables of that file, and touches no other.
  return { backend: 'legacy', family, inUse: true, ...await save(runner, 'legacy', family) };
}

async function save(runner: CommandRunner, backend: Backend, family: Family): Promise<{ text: string; failure?: string }> {
  const tool = toolName(backend, family, 'save');
  try {
    const { exitCode, timedOut, stdout, stderr } = await runner.run(tool, [], { timeoutMs: READ_LIMIT_MS });
    if (timedOut) return { text: '', failure: `${tool} did not end within ${READ_LIMIT_MS / 1_000} s` };
    const incompatible = /^.*is incompatible, use 'nft' tool.*$/m.exec(stdout);
    if (incompatible !== null) return { text: stdout, failure: `${tool}: ${incompatible[0].replace(/^# /, '')}` };
    if (exitCode !== 0) return { text: stdout, failure: `${tool} failed: ${stderr.trim()}` };
    return { text: stdout };
  } catch (error) {
    if (error instanceof ToolMissing) return { text: '', failure: error.message };
    throw error;
  }
}
