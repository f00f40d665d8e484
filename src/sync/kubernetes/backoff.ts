// How long to wait before the next attempt, as client-go's reflectors do: 800 ms, doubling up to 30 s, from the start again after
// two minutes without a failure. Full jitter (anything between nothing and that), so that nodes do not come back all at once.

const firstDelay = 800;
const longestDelay = 30_000;
const healthyTime = 120_000;

export class JitteredBackoff {
  readonly #random: () => number;
  #limit = firstDelay;
  #lastFailure = Number.NEGATIVE_INFINITY;

  /** @param random as Math.random */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds to wait after a failure now; `now` is monotonic milliseconds. */
  delay(now: number): number {
    if (now - this.#lastFailure > healthyTime) this.#limit = firstDelay;
    const delay = this.#random() * this.#limit;
    this.#limit = Math.min(this.#limit * 2, longestDelay);
    // Waiting is not being healthy.
    this.#lastFailure = now + delay;
    return delay;
  }
}
