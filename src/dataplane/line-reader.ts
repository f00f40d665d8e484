// Cuts what a child prints into lines. A last line without its end is kept until the rest of it comes. Prompts, which have no end, are
// thrown away: kept, they would grow for as long as the child lives.

import type { Readable } from 'node:stream';

export interface LineReader {
  /** Resolves when the stream has ended and every line was delivered. */
  readonly ended: Promise<void>;
}

export function readLines(stream: Readable, onLine: (line: string) => void, prompt?: string): LineReader {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const text = rest === '' ? chunk : rest + chunk;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      onLine(withoutPrompts(text.slice(start, end), prompt));
      start = end + 1;
    }
    rest = withoutPrompts(text.slice(start), prompt);
  });
  const ended = new Promise<void>((resolve) => {
    const finish = (): void => {
      if (rest !== '') onLine(rest);
      rest = '';
      resolve();
    };
    stream.once('end', finish);
    stream.once('error', finish);
    stream.once('close', finish);
  });
  return { ended };
}

function withoutPrompts(text: string, prompt: string | undefined): string {
  if (prompt === undefined) return text;
  let start = 0;
  while (text.startsWith(prompt, start)) start += prompt.length;
  return start === 0 ? text : text.slice(start);
}
