// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** RFC 3550 section 6.2: the least interval. The share of bandwidth does not matter for one report per interval. */
const MINIMUM_MS = 5_000;
/** RFC 3550 A.7: makes up for reconsideration. */
const COMPENSATION = Math.E - 1.5;

/** Milliseconds until the next report; `random` is 0 to 1, and the first comes after half of the time (RFC 3550 sections 6.2 and 6.3.1). */
export function rtcpIntervalMs(random: number, isFirst: boolean): number {
  return ((isFirst ? MINIMUM_MS / 2 : MINIMUM_MS) * (0.5 + random)) / COMPENSATION;
}
