// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** The first retry comes almost at once: mostly the control plane was only restarted. */
const FIRST_RETRY_MS = 50;
const BASE_MS = 500;
const CAP_MS = 30_000;

/**
 * How long to wait before the next attempt, in milliseconds: exponential with full jitter, so that a thousand
 * proxies that lost one control plane do not return in step. `failures` counts attempts that failed in a row,
 * from 1; `random` is uniform from 0 to 1.
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = failures <= 1 ? FIRST_RETRY_MS : Math.min(CAP_MS, BASE_MS * 2 ** (failures - 2));
  return random * ceiling;
}
