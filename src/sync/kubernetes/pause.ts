// A wait that can be cut short. One at a time.

import type { Clock } from '../../lib/clock.ts';

export class Pause {
  readonly #clock: Clock;
  #end = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after so many milliseconds, or when it is ended. */
  async wait(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(milliseconds, resolve);
      this.#end = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#end = () => {};
  }

  /** Ends the wait; without one it does nothing. */
  end(): void {
    this.#end();
  }
}
