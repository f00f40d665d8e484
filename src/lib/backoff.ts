// How long to wait before the next attempt: doubles from `first` up to `limit`, and starts over after a success.

export class Backoff {
  readonly #first: number;
  readonly #limit: number;
  #next: number;

  /** Both in milliseconds. */
  constructor(first: number, limit: number) {
    this.#first = first;
    this.#limit = limit;
    this.#next = 0;
  }

  /** Milliseconds to wait before the attempt that follows; 0 before the first one and after a success. */
  delay(): number {
    const delay = this.#next;
    this.#next = Math.min(Math.max(this.#first, delay * 2), this.#limit);
    return delay;
  }

  succeeded(): void {
    this.#next = 0;
  }
}
