// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** How an endpoint that is new, or well again, comes to its full share; Envoy's SlowStartConfig. */
export interface SlowStart {
  readonly windowMs: number;
  /** 1 grows evenly, more grows fast at first. Above 0. */
  readonly aggression: number;
  /** The share with which it begins, from 0 to 1. */
  readonly leastFactor: number;
}

/** What part of its weight an endpoint has after `ageMs`: from `leastFactor` to 1 (Envoy, "Slow start mode"). */
export function slowStartFactor({ windowMs, aggression, leastFactor }: SlowStart, ageMs: number): number {
  if (ageMs >= windowMs) return 1;
  // An endpoint of age 0 must still come up one day: Envoy counts from one millisecond, too.
  const timeFactor = Math.max(ageMs, 1) / windowMs;
  return Math.max(leastFactor, timeFactor ** (1 / aggression));
}
