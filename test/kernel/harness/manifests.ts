// A folder of manifests that a test writes and the agent reads: one file per object, each put in place by a rename, as a careful
// operator does. Removed with the process at the latest.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { WireObject } from '../../../src/model/verdict.ts';
import { makeScratch, removeScratch } from '../../cluster/harness/scratch.ts';

export class Manifests {
  readonly path = makeScratch();

  put(...objects: readonly WireObject[]): void {
    for (const object of objects) this.write(fileOf(object), stringify(object));
  }

  remove(...objects: readonly WireObject[]): void {
    for (const object of objects) rmSync(path.join(this.path, fileOf(object)));
  }

  /** Any text, as a file of this name. */
  write(file: string, text: string): void {
    const target = path.join(this.path, file);
    writeFileSync(`${target}.new`, text);
    renameSync(`${target}.new`, target);
  }

  delete(file: string): void {
    rmSync(path.join(this.path, file));
  }

  close(): void {
    removeScratch(this.path);
  }
}

function fileOf({ kind, metadata }: WireObject): string {
  return `${kind.toLowerCase()}-${metadata.namespace ?? ''}-${metadata.name}.yaml`;
}
