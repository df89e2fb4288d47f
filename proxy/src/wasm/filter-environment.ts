// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { SocketAddress } from "../plan.ts";
import type { SharedState } from "./shared-state.ts";

/** What a worker gives to the filters of one listener. */
export interface FilterEnvironment {
  readonly worker: number;
  readonly listener: string;
  /**
   * Where its filters run, a bit of `Stage`; absent where they are only tried, and any stage will do. At LISTENER there are no sessions yet, and batches say
   * where datagrams come from (`Batch.sourceOf`); at EGRESS a session is one receiver of a flow.
   */
  readonly stage?: number;
  /** At LISTENER: the address that datagrams are sent to. */
  readonly local?: SocketAddress;
  /** Takes a filter's message; `level` is a `LogLevel`. Already limited in rate per filter instance. */
  log(level: number, filter: string, message: string): void;
  /**
   * Returns the metric of that name and labels, and makes it at the first call: an instance that replaces
   * another goes on with its counters. Histograms get their buckets from the unit at the end of their name.
   */
  defineMetric(kind: MetricKind, name: string, labels: Readonly<Record<string, string>>): MetricHandle;
  /** Clocks in nanoseconds, read at set-up and at ticks, never per datagram. */
  monotonicNs(): bigint;
  wallNs(): bigint;
  /**
   * Whether the worker sends what `FilterChain.outgoing` holds. Where it does not, a filter that emits, replies, pauses
   * or paces fails with `unsupported_action` instead of losing datagrams.
   */
  readonly sendsOutgoing?: boolean;
  /**
   * Lets a session go on to another endpoint of its cluster, `ip:port`. False where there is none; absent where sessions
   * have no endpoint of their own.
   */
  readonly routeSession?: (session: number, endpoint: string) => boolean;
  /** Whether the worker sends emitted datagrams to targets, too; `msm_resolve_target` answers UNIMPLEMENTED where not. */
  readonly sendsToTargets?: boolean;
  /**
   * Opens a sink: files that the host keeps, each of which begins with `header`. Absent, or undefined, where nobody wants
   * any.
   */
  readonly openSink?: (name: string, header: Uint8Array) => Sink | undefined;
  /** What the filters of several listeners share; each listener has its own where this is absent. */
  readonly shared?: SharedState;
}

/** Where a filter writes records that the host keeps. */
export interface Sink {
  /** Takes a copy of a record, whole; false where the host is too far behind. */
  write(bytes: Uint8Array): boolean;
}

/** The kinds of metric, by their Prometheus names. */
export type MetricKind = "counter" | "gauge" | "histogram";

/** One metric with its labels, ready to be counted without look-up or allocation. */
export interface MetricHandle {
  add(delta: number): void;
  set(value: number): void;
  observe(value: number): void;
  get(): number;
}

/** A session as filters see it; addresses are `ip:port`, IPv6 in brackets. */
export interface SessionInfo {
  /** Dense index in the worker, used again after the session closed. */
  readonly index: number;
  readonly client: string;
  readonly endpoint: string;
  readonly local: string;
  /** Whether the session is older than the filter instance that is told of it. */
  readonly resumed: boolean;
}
