// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { FilterEnvironment, MetricHandle, MetricKind } from "../wasm/filter-environment.ts";

/** Why a client's connection was not taken. */
export type RefusalReason = "too_many" | "filter_failed";

/** The statistics of one signalling listener. */
export interface ListenerMetrics {
  readonly connections: MetricHandle;
  readonly activeConnections: MetricHandle;
  readonly refused: Readonly<Record<RefusalReason, MetricHandle>>;
  readonly idleTimeouts: MetricHandle;
  readonly receivedBytes: MetricHandle;
  readonly sentBytes: MetricHandle;
  readonly streams: MetricHandle;
  readonly activeStreams: MetricHandle;
  readonly failedStreams: MetricHandle;
  /** Interleaved packets from peers that were dropped: the ring was full, or the flow not installed yet. */
  readonly droppedPackets: MetricHandle;
  readonly routesNotFound: MetricHandle;
  readonly instances: MetricHandle;
  failure(kind: string): MetricHandle;
}

/** Defines the statistics of a listener. Asking again gives the same ones. */
export function listenerMetrics(
  { listener, defineMetric }: Pick<FilterEnvironment, "listener" | "defineMetric">,
  filter: string,
): ListenerMetrics {
  const define = (kind: MetricKind, name: string, labels: Readonly<Record<string, string>> = {}) =>
    defineMetric(kind, name, { listener, ...labels });
  const counter = (name: string, labels?: Readonly<Record<string, string>>) =>
    define("counter", `msm_signalling_${name}_total`, labels);
  return {
    connections: counter("connections"),
    activeConnections: define("gauge", "msm_signalling_connections_active"),
    refused: {
      too_many: counter("connections_refused", { reason: "too_many" }),
      filter_failed: counter("connections_refused", { reason: "filter_failed" }),
    },
    idleTimeouts: counter("idle_timeouts"),
    receivedBytes: counter("received_bytes"),
    sentBytes: counter("sent_bytes"),
    streams: counter("streams"),
    activeStreams: define("gauge", "msm_signalling_streams_active"),
    failedStreams: counter("streams_failed"),
    droppedPackets: counter("packets_dropped"),
    routesNotFound: counter("routes_not_found"),
    instances: counter("instances"),
    failure: (kind) => define("counter", "msm_filter_failures_total", { filter, kind }),
  };
}
