// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Counters of one worker: float64 numbers in shared memory, exact to 2^53. The worker adds to them with plain
 * stores, once per batch; the main thread reads them whenever it likes and no worker notices; they survive the
 * worker. The lower part is handed out in blocks by the main thread, with the plan; the upper part by the worker,
 * to the metrics that filters define.
 */
export type CounterPage = Float64Array;

/** Room for 400,000 endpoints: 100,000 that change all at once are there twice. Memory never written to costs nothing. */
export const COUNTER_SLOTS = 4_194_304;
export const FIRST_FILTER_SLOT = COUNTER_SLOTS - 524_288;

export function createCounterPage(): CounterPage {
  return new Float64Array(new SharedArrayBuffer(COUNTER_SLOTS * 8));
}

/** Slots of the worker itself, before all blocks. */
export const WorkerCounter = {
  /** Datagrams to ports that sessions share, from addresses to which none of them goes. */
  strangers: 0,
} as const;
export const WORKER_COUNTERS = 1;

/** A counter of a block: where it stands, and what it is called. */
export interface CounterDescription {
  readonly slot: number;
  readonly kind: "counter" | "gauge";
  /** Envoy's name behind the prefix, or a Prometheus name of ours. */
  readonly name: string;
  readonly help: string;
  /** A further label, as Prometheus has it. */
  readonly label?: readonly [name: string, value: string];
}

/** Slots in a listener's block. */
export const ListenerSlot = {
  sessionsTotal: 0,
  sessionsActive: 1,
  rxDatagrams: 2,
  rxBytes: 3,
  txDatagrams: 4,
  txBytes: 5,
  txErrors: 6,
  noRoute: 7,
  idleTimeout: 8,
  dropTooLarge: 9,
  dropNoSession: 10,
  dropNoEndpoint: 11,
  dropReceiveOverflow: 12,
  dropSendOverflow: 13,
  dropSendError: 14,
  dropRateLimit: 15,
  dropSourceRateLimit: 16,
  dropSessionLimit: 17,
  dropSourceSessionLimit: 18,
  dropDraining: 19,
  /** Not shown: what the rate limit let pass, by which workers know of each other. */
  admitted: 20,
  dropMemoryLimit: 21,
} as const;
export const LISTENER_SLOTS = 24;

const DROPPED = "msm_datagrams_dropped_total";
const DROPPED_HELP = "Datagrams that were not passed on, by reason.";

function dropped(slot: number, reason: string): CounterDescription {
  return { slot, kind: "counter", name: DROPPED, help: DROPPED_HELP, label: ["reason", reason] };
}

/** `udp.<stat_prefix>.…` as Envoy's udp_proxy has it; our own for what Envoy does not count. */
export const listenerCounters: readonly CounterDescription[] = [
  {
    slot: ListenerSlot.sessionsTotal,
    kind: "counter",
    name: "downstream_sess_total",
    help: "Sessions opened.",
  },
  {
    slot: ListenerSlot.sessionsActive,
    kind: "gauge",
    name: "downstream_sess_active",
    help: "Sessions open now.",
  },
  {
    slot: ListenerSlot.rxDatagrams,
    kind: "counter",
    name: "downstream_sess_rx_datagrams",
    help: "Datagrams received from clients.",
  },
  {
    slot: ListenerSlot.rxBytes,
    kind: "counter",
    name: "downstream_sess_rx_bytes",
    help: "Bytes received from clients.",
  },
  {
    slot: ListenerSlot.txDatagrams,
    kind: "counter",
    name: "downstream_sess_tx_datagrams",
    help: "Datagrams sent to clients.",
  },
  {
    slot: ListenerSlot.txBytes,
    kind: "counter",
    name: "downstream_sess_tx_bytes",
    help: "Bytes sent to clients.",
  },
  {
    slot: ListenerSlot.txErrors,
    kind: "counter",
    name: "downstream_sess_tx_errors",
    help: "Datagrams to clients that the system refused.",
  },
  {
    slot: ListenerSlot.noRoute,
    kind: "counter",
    name: "downstream_sess_no_route",
    help: "Datagrams for which no cluster was known.",
  },
  {
    slot: ListenerSlot.idleTimeout,
    kind: "counter",
    name: "idle_timeout",
    help: "Sessions closed for silence.",
  },
  dropped(ListenerSlot.dropTooLarge, "too_large"),
  dropped(ListenerSlot.dropNoSession, "no_session"),
  dropped(ListenerSlot.dropNoEndpoint, "no_endpoint"),
  dropped(ListenerSlot.dropReceiveOverflow, "receive_overflow"),
  dropped(ListenerSlot.dropSendOverflow, "send_overflow"),
  dropped(ListenerSlot.dropSendError, "send_error"),
  dropped(ListenerSlot.dropRateLimit, "rate_limit"),
  dropped(ListenerSlot.dropSourceRateLimit, "source_rate_limit"),
  dropped(ListenerSlot.dropSessionLimit, "session_limit"),
  dropped(ListenerSlot.dropSourceSessionLimit, "source_session_limit"),
  dropped(ListenerSlot.dropDraining, "draining"),
  dropped(ListenerSlot.dropMemoryLimit, "memory_limit"),
];

/** Slots in a cluster's block. */
export const ClusterSlot = {
  sessionsTotal: 0,
  sessionsActive: 1,
  rxDatagrams: 2,
  txDatagrams: 3,
  txErrors: 4,
  noneHealthy: 5,
  overflow: 6,
  pendingActive: 7,
  pendingOverflow: 8,
} as const;
export const CLUSTER_SLOTS = 9;

/** `cluster.<name>.…` as Envoy has it; a UDP session counts as a connection there, too. */
export const clusterCounters: readonly CounterDescription[] = [
  {
    slot: ClusterSlot.sessionsTotal,
    kind: "counter",
    name: "upstream_cx_total",
    help: "Sessions opened to the cluster.",
  },
  {
    slot: ClusterSlot.sessionsActive,
    kind: "gauge",
    name: "upstream_cx_active",
    help: "Sessions open to the cluster now.",
  },
  {
    slot: ClusterSlot.noneHealthy,
    kind: "counter",
    name: "upstream_cx_none_healthy",
    help: "Sessions refused because the cluster has no endpoint.",
  },
  {
    slot: ClusterSlot.overflow,
    kind: "counter",
    name: "upstream_cx_overflow",
    help: "Sessions refused because the cluster had as many as its circuit breaker allows.",
  },
  {
    slot: ClusterSlot.pendingActive,
    kind: "gauge",
    name: "upstream_rq_pending_active",
    help: "Connections to the cluster that are being made now.",
  },
  {
    slot: ClusterSlot.pendingOverflow,
    kind: "counter",
    name: "upstream_rq_pending_overflow",
    help: "Sessions refused because as many connections were being made as the circuit breaker allows.",
  },
  {
    slot: ClusterSlot.rxDatagrams,
    kind: "counter",
    name: "udp.sess_rx_datagrams",
    help: "Datagrams received from endpoints.",
  },
  {
    slot: ClusterSlot.txDatagrams,
    kind: "counter",
    name: "udp.sess_tx_datagrams",
    help: "Datagrams sent to endpoints.",
  },
  {
    slot: ClusterSlot.txErrors,
    kind: "counter",
    name: "udp.sess_tx_errors",
    help: "Errors that endpoints' hosts or the system answered.",
  },
];

/** Slots in an endpoint's block, for `/clusters`. */
export const EndpointSlot = {
  sessionsTotal: 0,
  sessionsActive: 1,
  errors: 2,
  rxDatagrams: 3,
  txDatagrams: 4,
  /** Results that signalling filters report: answers below 500, answers from there on, and no answer. */
  successes: 5,
  serverErrors: 6,
  connectFailures: 7,
  /** How often failures in a row were as many as outlier detection takes. */
  verdicts: 8,
  /** Bytes that its sessions carried: as they came, from clients and from it. */
  bytes: 9,
} as const;
export const ENDPOINT_SLOTS = 10;
