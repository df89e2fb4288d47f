// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
/** How the endpoints of a cluster are checked; Envoy's `HealthCheck`. Plain data. */
export interface HealthCheckPlan {
  /** Name of the checker, and its options. */
  readonly checker: string;
  readonly options: unknown;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** While the endpoint is not well. */
  readonly unhealthyIntervalMs: number;
  /** After a failure of one that is well, and after a success of one that is not. */
  readonly unhealthyEdgeIntervalMs: number;
  readonly healthyEdgeIntervalMs: number;
  /** At most so much is waited before the first check, and in addition before each other one. */
  readonly initialJitterMs: number;
  readonly intervalJitterMs: number;
  /** Percent of the interval that is waited in addition, at most. */
  readonly intervalJitterPercent: number;
  /** So many failures or successes in a row change an endpoint's health. */
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  /** Port to be asked instead of the endpoint's own; 0 is none. */
  readonly altPort: number;
}
