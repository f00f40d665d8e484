// Bits of the packet mark with which our chains talk to each other, taken from the configured mask, lowest first, in Felix's order.

export interface Marks {
  /** A policy or profile allowed the packet. */
  readonly accept: number;
  /** A policy passed it on to the next tier. */
  readonly pass: number;
  /** Not set by our rules; reserved, because Felix sets it before it drops. */
  readonly drop: number;
  /** Intermediate results within one rule. */
  readonly scratch0: number;
  readonly scratch1: number;
  /** All of the above. */
  readonly all: number;
}

/** Throws RangeError when the mask has fewer than five bits; configuration checks that first. */
export function marksOf(mask: number): Marks {
  const bits: number[] = [];
  for (let bit = 0; bit < 32; bit += 1) if ((mask >>> bit) & 1) bits.push((1 << bit) >>> 0);
  const [accept, pass, drop, scratch0, scratch1] = bits;
  if (accept === undefined || pass === undefined || drop === undefined || scratch0 === undefined || scratch1 === undefined) {
    throw new RangeError(`mark mask 0x${mask.toString(16)} has fewer than five bits`);
  }
  return Object.freeze({ accept, pass, drop, scratch0, scratch1, all: (accept | pass | drop | scratch0 | scratch1) >>> 0 });
}
