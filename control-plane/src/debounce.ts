// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "./clock.ts";

/** How long to wait for more changes. */
export interface DebounceOptions {
  /** A change takes effect when so long nothing has followed it, in milliseconds. */
  readonly quietMs: number;
  /** And at the latest so long after it came, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Makes one call of `run`, with the newest value, out of calls that come close together. Returns the function to call
 * in its place, and how to give up what waits.
 */
export function debounce<Value>(
  run: (value: Value) => void,
  { quietMs, maxMs }: DebounceOptions,
  clock: Clock,
): { readonly call: (value: Value) => void; readonly cancel: () => void } {
  let firstAt: number | undefined;
  let cancel = (): void => {};
  const call = (value: Value): void => {
    cancel();
    firstAt ??= clock.now();
    const delayMs = Math.max(0, Math.min(quietMs, firstAt + maxMs - clock.now()));
    cancel = clock.after(delayMs, () => {
      firstAt = undefined;
      run(value);
    });
  };
  return { call, cancel: () => cancel() };
}
