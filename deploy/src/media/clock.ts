// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Time and timers, passed in so that tests own them. */
export interface Clock {
  /** Monotonic milliseconds with a fraction. */
  now(): number;
  /** Unix time in milliseconds. */
  wallMs(): number;
  /** Calls once after so many milliseconds; returns what cancels it. */
  after(delayMs: number, call: () => void): () => void;
}

/** The process's own clock. Its timers do not keep a process alive that has nothing else to do. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
