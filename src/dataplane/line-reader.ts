// Cuts what a child prints into lines. A last line without its end is kept until the rest of it comes.

import type { Readable } from 'node:stream';

export interface LineReader {
  /** Resolves when the stream has ended and every line was delivered. */
  readonly ended: Promise<void>;
}

export function readLines(stream: Readable, onLine: (line: string) => void): LineReader {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const text = rest === '' ? chunk : rest + chunk;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      onLine(text.slice(start, end));
      start = end + 1;
    }
    rest = text.slice(start);
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
