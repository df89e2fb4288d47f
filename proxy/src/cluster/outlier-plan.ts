// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SilencePlan } from "./silence-watch.ts";

/** When an endpoint is taken out for errors of its sessions' sockets; Envoy's `OutlierDetection`. Plain data. */
export interface OutlierPlan {
  /** So many errors without a sweep that found none take the endpoint out; 0 never does. */
  readonly consecutiveErrors: number;
  /** An ejection lasts this long, twice as long the second time and so on, up to the longest. */
  readonly baseEjectionMs: number;
  readonly longestEjectionMs: number;
  /** Not more than so many percent of the endpoints are out at once, but one always may be. */
  readonly maxEjectionPercent: number;
  /** After so long without errors the next ejection is shorter by one step. */
  readonly intervalMs: number;
  /** Whether silence takes endpoints out, too; not unless said. */
  readonly silence?: SilencePlan;
}
