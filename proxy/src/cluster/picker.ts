// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { LoadMeter } from "./load-meter.ts";

/** An endpoint as a picker sees it. */
export interface Candidate {
  /** `ip:port`, IPv6 in brackets: what Envoy hashes to place an endpoint. */
  readonly key: string;
  /** Its share of new sessions relative to the others; above 0. */
  readonly weight: number;
  /** When it began to take sessions, in milliseconds of the clock that pickers are given; for slow start. */
  readonly sinceMs: number;
  /** First slot of its counters; for LEAST_REQUEST. */
  readonly counters: number;
  /** How much its sessions carry; only where the policy compares that. */
  readonly meter?: LoadMeter;
}

/**
 * Chooses one of a fixed set of candidates. A choice allocates nothing. `high` and `low` are the halves of the hash
 * of the session; policies without a hash do not look at them.
 */
export interface Picker {
  /** Index of the chosen candidate. There is at least one. */
  pick(high: number, low: number): number;
}

/** What pickers need of the world. */
export interface PickerWorld {
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  readonly nowMs: () => number;
  /** How many sessions the endpoint with these counters has now. */
  readonly activeSessions: (counters: number) => number;
  /** How many bytes its sessions carried, both ways, since the beginning. */
  readonly bytes: (counters: number) => number;
  /** Where a round robin begins: different for each worker, so that a few sessions spread, too. */
  readonly start: number;
}
