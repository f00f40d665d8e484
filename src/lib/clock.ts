// Time as a collaborator, so that what depends on it is tested with a fake.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds (performance.now()). */
  now(): number;
  /** Calls back once; a pending timer does not keep the process alive. */
  after(milliseconds: number, callback: () => void): Timer;
}

export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  after: (milliseconds: number, callback: () => void): Timer => {
    const timer = setTimeout(callback, milliseconds);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
});
