// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Sample } from "../stats/sample.ts";

/** A last session is seldom waited for longer than it lasts by this. */
const LOOK_INTERVAL_MS = 250;
/** The gauges of what clients have here. */
const ACTIVE = new Set([
  "udp.downstream_sess_active",
  "msm_signalling_connections_active",
  "msm_flows_active",
]);

/** How many sessions, connections of signalling and flows there are. */
export function countActive(samples: readonly Sample[]): number {
  return samples.reduce((sum, { name, value }) => (ACTIVE.has(name) ? sum + Number(value) : sum), 0);
}

/**
 * Resolves when nothing of what `active` counts is left, after `limitMs`, or when `signal` is aborted, whichever comes first;
 * with what is left then.
 */
export function whenIdle(active: () => number, limitMs: number, signal: AbortSignal): Promise<number> {
  if (active() === 0 || signal.aborted) return Promise.resolve(active());
  return new Promise((resolve) => {
    const finish = (): void => {
      clearInterval(look);
      clearTimeout(limit);
      signal.removeEventListener("abort", finish);
      resolve(active());
    };
    const look = setInterval(() => {
      if (active() === 0) finish();
    }, LOOK_INTERVAL_MS);
    const limit = setTimeout(finish, limitMs);
    signal.addEventListener("abort", finish);
  });
}
