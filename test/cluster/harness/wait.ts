// Waiting for a condition with a limit, for what offers no event to wait on: a server's readiness,
// an authorizer's cache. What cannot happen in time fails with a sentence that names it.

import { setTimeout as pause } from "node:timers/promises";

const INTERVAL_MS = 25;

/**
 * The first value of `probe` that is not undefined. `what` completes "waited for …". An error thrown
 * by `probe` ends the wait.
 */
export const waitFor = async <T>(what: string, limitMs: number, probe: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs / 1000} s for ${what}`);
    await pause(INTERVAL_MS);
  }
};

/** `promise`, or an error when it has not settled within `limitMs`. */
export const within = async <T>(what: string, limitMs: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${limitMs / 1000} s for ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
};
