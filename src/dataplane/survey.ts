// A look around before the first write: what of ours, or of Felix's, lies where this agent does not write, and which tools are
// missing. Nothing is changed; each finding is one sentence with its remedy.

import type { Family } from '../model/packet.ts';
import type { CommandRunner } from './command.ts';
import { ToolMissing } from './errors.ts';
import type { HostRules } from './host-rules.ts';
import type { TableName } from './kernel.ts';
import type { Backend } from './tools.ts';
import { toolName } from './tools.ts';

export interface Leftover {
  readonly backend: Backend;
  readonly family: Family;
  readonly table: TableName;
  readonly chains: readonly string[];
}

export interface NativeTable {
  /** "ip", "ip6", "arp", … */
  readonly family: string;
  readonly name: string;
  /** It holds policy of its own that would go on dropping packets. */
  readonly blocking: boolean;
}

export interface Survey {
  /** Our chains in the chosen backend's raw, mangle and nat, which this agent does not write. */
  readonly otherTables: readonly Leftover[];
  /** Our chains in the backend that was not chosen: both are in force. */
  readonly otherBackend: readonly Leftover[];
  /** nftables tables of Calico's own nftables dataplane; undefined: it could not be looked. */
  readonly nativeTables: readonly NativeTable[] | undefined;
  /** What could not be looked at, and why. */
  readonly unknown: readonly string[];
}

export interface SurveyOptions {
  readonly runner: CommandRunner;
  readonly rules: HostRules;
  readonly backend: Backend;
  /** Tables that this agent writes in the chosen backend. */
  readonly written: ReadonlySet<TableName>;
  readonly isOurs: (chain: string) => boolean;
}

export async function survey(options: SurveyOptions): Promise<Survey> {
  const { rules, backend, written, isOurs } = options;
  const leftovers = rules.flatMap((read) => leftoversIn(read.text, isOurs).map(({ table, chains }) => ({
    backend: read.backend, family: read.family, table, chains,
  })));
  const native = await nativeTables(options.runner);
  return {
    otherTables: leftovers.filter((found) => found.backend === backend && !written.has(found.table)),
    otherBackend: leftovers.filter((found) => found.backend !== backend),
    nativeTables: native.tables,
    unknown: [...rules.flatMap(({ failure }) => failure ?? []), ...native.unknown],
  };
}

/** Whether something found goes on dropping packets. Where it could not be looked, what was so `before` is taken to be so still. */
export function isBlocking({ nativeTables: tables }: Survey, before: boolean): boolean {
  return tables === undefined ? before : tables.some(({ blocking }) => blocking);
}

/** One sentence for each kind of finding, with the remedy; for warnings and the readiness body. */
export function describeSurvey(found: Survey): readonly string[] {
  const sentences: string[] = [];
  if (found.otherTables.length > 0) {
    sentences.push(`chains of an earlier agent are left in ${found.otherTables.map(place).join(', ')}: they stay in force. ` +
      'Remedy: remove them by hand, or restart the node');
  }
  if (found.otherBackend.length > 0) {
    sentences.push(`chains of an earlier agent are left in the other iptables backend, in ${found.otherBackend.map(place).join(', ')}: ` +
      'both backends are in force. Remedy: remove them by hand, or restart the node');
  }
  for (const table of (found.nativeTables ?? []).filter(({ blocking }) => blocking)) {
    sentences.push(`the nftables table "${table.family} ${table.name}" of Calico's nftables dataplane goes on dropping packets. ` +
      `Remedy: nft delete table ${table.family} ${table.name}`);
  }
  return [...sentences, ...found.unknown];
}

/** Those of the tools that are not there. */
export async function missingTools(runner: CommandRunner, backend: Backend, families: readonly Family[]): Promise<readonly ToolMissing[]> {
  const tools = [
    'stdbuf', 'flock', 'ipset', backend === 'nft' ? 'xtables-monitor' : 'inotifywait',
    ...families.flatMap((family) => [toolName(backend, family, 'restore'), toolName(backend, family, 'save')]),
  ];
  const { stdout } = await runner.run('sh', ['-c', 'for tool; do command -v "$tool" >/dev/null || echo "$tool"; done', 'sh', ...tools]);
  return stdout.split('\n').filter((tool) => tool !== '').map((tool) => new ToolMissing(tool));
}

function leftoversIn(text: string, isOurs: (chain: string) => boolean): { table: TableName; chains: string[] }[] {
  const found = new Map<TableName, string[]>();
  let table: TableName | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = tableName(line.slice(1));
    else if (table !== undefined && line.startsWith(':')) {
      const chain = line.slice(1, line.indexOf(' '));
      if (isOurs(chain)) found.set(table, [...found.get(table) ?? [], chain]);
    }
  }
  return [...found].map(([name, chains]) => ({ table: name, chains }));
}

function tableName(name: string): TableName | undefined {
  return name === 'raw' || name === 'mangle' || name === 'nat' || name === 'filter' ? name : undefined;
}

async function nativeTables(runner: CommandRunner): Promise<{ tables: NativeTable[] | undefined; unknown: string[] }> {
  try {
    const { exitCode, stdout, stderr } = await runner.run('nft', ['-j', 'list', 'tables'], { timeoutMs: 60_000 });
    if (exitCode !== 0) return { tables: undefined, unknown: [`nft list tables failed: ${stderr.trim()}`] };
    return { tables: parseTables(stdout), unknown: [] };
  } catch (error) {
    if (!(error instanceof ToolMissing)) throw error;
    return { tables: undefined, unknown: [`whether Calico's nftables dataplane left tables is not known: ${error.message}`] };
  }
}

/** {"nftables": [{"metainfo": …}, {"table": {"family": "ip", "name": "calico", …}}, …]} */
function parseTables(json: string): NativeTable[] {
  const document = JSON.parse(json) as { readonly nftables?: readonly { readonly table?: { readonly family?: unknown; readonly name?: unknown } }[] };
  return (document.nftables ?? []).flatMap(({ table }) => {
    if (typeof table?.family !== 'string' || typeof table.name !== 'string' || !table.name.startsWith('calico')) return [];
    // "calico-arp" only answers for proxy ARP.
    return [{ family: table.family, name: table.name, blocking: table.name === 'calico' }];
  });
}

function place({ backend, family, table, chains }: Leftover): string {
  const named = chains.length > 3 ? `${chains.slice(0, 3).join(', ')} and ${chains.length - 3} more` : chains.join(', ');
  return `${backend} ${table} (IPv${family}: ${named})`;
}
