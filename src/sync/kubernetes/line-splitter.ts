// Cuts a stream of bytes into lines. In: chunks as the network cuts them. Out: complete lines without their "\n".
//
// Works on bytes and at 0x0A only: a UTF-8 character that lies in two chunks stays whole, and U+2028, U+2029 or "\r" inside a
// JSON string, which other splitters take for line ends, stay where they are.

import { ResponseBroken } from '../errors.ts';

const newline = 0x0a;

export class LineSplitter {
  readonly #maxLength: number;
  #parts: Buffer[] = [];
  #length = 0;

  /** Bytes; a longer line is not what the API serves, and would grow without end. */
  constructor(maxLength = 64 * 1024 * 1024) {
    this.#maxLength = maxLength;
  }

  /** @throws ResponseBroken when a line is too long. */
  *push(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const line = this.#complete(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > 0) yield line;
    }
    const rest = chunk.length - start;
    if (rest === 0) return;
    this.#length += rest;
    if (this.#length > this.#maxLength) throw new ResponseBroken(`a line of more than ${this.#maxLength} bytes`);
    // A copy: the chunk may be a part of a much larger buffer.
    this.#parts.push(Buffer.from(chunk.subarray(start)));
  }

  #complete(end: Buffer): Buffer {
    if (this.#parts.length === 0) return end;
    const line = Buffer.concat([...this.#parts, end]);
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}
