// Reads a file that somebody may be writing just now. In: a path. Out: what is there at this moment.

import { readFile, stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type FileContent =
  | { readonly kind: 'gone' }
  | { readonly kind: 'text'; readonly text: string; readonly signature: string }
  | { readonly kind: 'unreadable'; readonly reason: string; readonly signature: string };

/** Nobody writes policies of this size; a file of it would stall the agent. */
const maxBytes = 64 * 1024 * 1024;

/** Whether a file is read at all: editors and tools keep drafts under hidden names and other endings. */
export function isManifestName(name: string): boolean {
  return !name.startsWith('.') && /\.(?:yaml|yml|json)$/.test(name);
}

/** Identity and age of what lies under a name, to see a change without reading; undefined where no file is. */
export async function fileSignature(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join('/');
  } catch (error) {
    return isMissing(error) ? undefined : String(error);
  }
}

/** Afterwards all rings that belong to what was read have arrived. Never throws. */
export async function readManifestFile(path: string): Promise<FileContent> {
  const content = await read(path);
  // Events are queued by the kernel before the write returns to the writer: one turn of the loop collects them.
  await nextTurn();
  await nextTurn();
  return content;
}

async function read(path: string): Promise<FileContent> {
  const signature = (await fileSignature(path)) ?? '';
  try {
    const stats = await stat(path);
    // A pipe would block the reader for as long as nobody writes.
    if (!stats.isFile()) return stats.isDirectory() ? { kind: 'gone' } : { kind: 'unreadable', signature, reason: 'is no regular file' };
    if (stats.size > maxBytes) return { kind: 'unreadable', signature, reason: `is larger than ${maxBytes} bytes` };
    return { kind: 'text', signature, text: decode(await readFile(path)) };
  } catch (error) {
    return isMissing(error) ? { kind: 'gone' } : { kind: 'unreadable', signature, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** @throws TypeError where it is not UTF-8: replacement characters would be accepted as text. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
