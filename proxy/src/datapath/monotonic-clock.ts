// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// performance.now() starts anew in each thread; CLOCK_MONOTONIC does not, and times outlive a worker.
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of the clock that all threads of this process share. Never goes back. */
export function monotonicMs(): number {
  return performance.now() + offsetMs;
}
