// Applies unified diffs, exactly: every hunk's old lines must stand in the file once, wherever they have moved to. No fuzz, no
// guessing, and neither git nor patch(1) is needed on the machine.

export interface FilePatch {
  /** Path from the root of the checkout. */
  readonly file: string;
  readonly hunks: readonly Hunk[];
}

export interface Hunk {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export interface Patch {
  /** The text above the first diff, as one line: what is broken. */
  readonly title: string;
  readonly files: readonly FilePatch[];
}

/** A patch that cannot be read, or that does not fit. */
export class PatchError extends Error {}

export function parsePatch(text: string): Patch {
  const title: string[] = [];
  const files: { readonly file: string; readonly hunks: { readonly before: string[]; readonly after: string[] }[] }[] = [];
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const file = files.at(-1);
    const hunk = file?.hunks.at(-1);
    if (line.startsWith('+++ ')) {
      files.push({ file: line.replace(/^\+\+\+ (b\/)?/, '').replace(/\t.*$/, ''), hunks: [] });
    } else if (line.startsWith('--- ') || /^(diff|index) /.test(line)) {
      continue;
    } else if (file === undefined) {
      if (line.trim() !== '') title.push(line.trim());
    } else if (line.startsWith('@@ ')) {
      file.hunks.push({ before: [], after: [] });
    } else if (hunk === undefined || !/^[ +-]|^$/.test(line)) {
      throw new PatchError(`not understood: ${line}`);
    } else {
      if (!line.startsWith('+')) hunk.before.push(line.slice(1));
      if (!line.startsWith('-')) hunk.after.push(line.slice(1));
    }
  }
  if (title.length === 0) throw new PatchError('the first line must say what is broken');
  if (files.length === 0 || files.some(({ hunks }) => hunks.length === 0)) throw new PatchError('no changes');
  return { title: title.join(' '), files };
}

/** The text of a file with all hunks applied; throws PatchError where one does not fit exactly once. */
export function applyHunks(text: string, { file, hunks }: FilePatch): string {
  let lines = text.split('\n');
  for (const { before, after } of hunks) {
    const places = lines.flatMap((_, start) => (before.every((line, i) => lines[start + i] === line) ? [start] : []));
    const [place] = places;
    if (before.length === 0 || place === undefined || places.length > 1) {
      throw new PatchError(`${file}: ${places.length === 0 ? 'these lines are gone' : 'these lines stand in several places'}:\n${before.join('\n')}`);
    }
    lines = lines.toSpliced(place, before.length, ...after);
  }
  return lines.join('\n');
}
