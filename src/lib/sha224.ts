// SHA-224 (FIPS 180-4) of a text in UTF-8. In plain JavaScript because the pure layers may not import node:crypto; meant for
// short texts (names), not for bulk data.

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const roundConstants = constants();

/** The second 32 bits of the fractional parts of the square roots of the 9th to 16th primes. */
const initialState = [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4] as const;

const encoder = new TextEncoder();

/** 28 bytes. */
export function sha224(text: string): Uint8Array {
  const state = Uint32Array.from(initialState);
  const message = padded(encoder.encode(text));
  const view = new DataView(message.buffer);
  const schedule = new Uint32Array(64);
  for (let offset = 0; offset < message.length; offset += 64) compress(state, schedule, view, offset);
  const digest = new DataView(new ArrayBuffer(28));
  for (let i = 0; i < 7; i += 1) digest.setUint32(4 * i, at(state, i));
  return new Uint8Array(digest.buffer);
}

/** The message, a 1 bit, zeros, and its length in bits as 64 bits, in whole blocks of 64 bytes. */
function padded(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  bytes.set(message);
  bytes[message.length] = 0x80;
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, BigInt(message.length) * 8n);
  return bytes;
}

function compress(state: Uint32Array, w: Uint32Array, message: DataView, offset: number): void {
  for (let i = 0; i < 16; i += 1) w[i] = message.getUint32(offset + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const a = at(w, i - 15);
    const b = at(w, i - 2);
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3);
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10);
    w[i] = at(w, i - 16) + s0 + at(w, i - 7) + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + at(roundConstants, i) + at(w, i)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = at(state, i) + value;
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function at(words: Uint32Array, index: number): number {
  return words[index] as number;
}

/** Exact: the cube root of p * 2^96 in integers, of which the low 32 bits are wanted. */
function constants(): Uint32Array {
  const words = new Uint32Array(64);
  let found = 0;
  for (let n = 2; found < 64; n += 1) {
    if (!isPrime(n)) continue;
    words[found] = Number(BigInt.asUintN(32, cubeRoot(BigInt(n) << 96n)));
    found += 1;
  }
  return words;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) return false;
  return true;
}

/** Largest integer whose cube is at most n. */
function cubeRoot(n: bigint): bigint {
  let low = 0n;
  let high = 1n << 36n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** 3n <= n) low = middle;
    else high = middle;
  }
  return low;
}
