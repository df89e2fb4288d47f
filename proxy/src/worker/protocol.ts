// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { MessagePort } from "node:worker_threads";
import type { BalancingPlan } from "../cluster/balancing-plan.ts";
import type { LiveStream } from "../datapath/datapath.ts";
import type { WorkerLink } from "../flow/worker/ring-links.ts";
import type { FlowUpdate, WorkerFlowEvent } from "../flow/worker-flow.ts";
import type { EndpointPlan, ListenerPlan, SocketAddress } from "../plan.ts";
import type { SinkRecord } from "./worker-sinks.ts";

/** What a worker thread loads before it has anything to do. */
export interface WorkerPreparation {
  /** Name of its I/O backend. */
  readonly io: string;
}

/** What a worker thread is started with; all of it outlives the thread, so that a successor takes over where it was. */
export interface WorkerData {
  readonly index: number;
  readonly ioHandle: unknown;
  readonly sessions: WebAssembly.Memory;
  /** The legs of its flows. */
  readonly legs: WebAssembly.Memory;
  readonly counters: Float64Array;
  /** The counters of every worker, its own among them: sessions of a cluster count wherever they are. */
  readonly pages: readonly Float64Array[];
  /** See `Vital`. */
  readonly vitals: Float64Array;
  readonly port: MessagePort;
  /** Whether filters may write to files. */
  readonly hasSinks: boolean;
  /** Metrics that an earlier incarnation defined: their slots are used again. */
  readonly metrics: readonly MetricDefinition[];
}

/** Slots of the memory through which a worker is stopped and watched. */
export const Vital = {
  /** Not 0: leave the loop. */
  stop: 0,
  /** When the turn under way began, monotonic milliseconds; 0 while the worker waits. */
  turnStartMs: 1,
  /** Bytes of sinks that the main thread has dealt with. */
  sinkBytes: 2,
  /** Not 0: the process has as much memory as it may; no new sessions. */
  isShortOfMemory: 3,
  /** The kernel's number of the thread; see `currentThread`. */
  thread: 4,
} as const;
export const VITALS = 5;

/** A listener as a worker is told of it. The number stands for it in sessions and events, and is never reused. */
export interface WorkerListener {
  readonly id: number;
  readonly plan: ListenerPlan;
  /** With the port that the kernel chose where the plan leaves that open. */
  readonly localAddress: SocketAddress;
  readonly socket: unknown;
  /** First slot of its counters. */
  readonly counters: number;
}

/** An endpoint as a worker is told of it. The number stands for it in sessions, and is never reused. */
export interface WorkerEndpoint extends EndpointPlan {
  readonly id: number;
  readonly counters: number;
}

export interface WorkerCluster {
  readonly name: string;
  readonly counters: number;
  readonly endpoints: readonly WorkerEndpoint[];
  /** `defaultBalancing` unless said. */
  readonly balancing?: BalancingPlan;
}

/** A cluster that is new or changed. An endpoint that the worker knows as it is stands there by its number alone. */
export interface WorkerClusterChange extends Omit<WorkerCluster, "endpoints"> {
  readonly endpoints: readonly (WorkerEndpoint | number)[];
}

/** What changes; what is not named stays. */
export interface WorkerUpdate {
  readonly listeners: readonly WorkerListener[];
  readonly removedListeners: readonly number[];
  readonly clusters: readonly WorkerClusterChange[];
  readonly removedClusters: readonly string[];
}

export type ToWorker =
  | { readonly type: "apply"; readonly sequence: number; readonly update: WorkerUpdate }
  | { readonly type: "flows"; readonly sequence: number; readonly update: FlowUpdate }
  /** Rings to and from another thread; its port, where it has one, is transferred. */
  | { readonly type: "link"; readonly link: WorkerLink }
  | { readonly type: "unlink"; readonly attachment: number }
  | { readonly type: "streams"; readonly sequence: number }
  /** Wakes a worker that should see that it is to stop. */
  | { readonly type: "stop" }
  /** For tests of what happens then. */
  | { readonly type: "fail"; readonly how: "throw" | "spin" };

/**
 * A metric that a filter defined, and where its numbers stand. A histogram has a slot per bound (not
 * cumulative), one for what lies above the last, and the sum.
 */
export interface MetricDefinition {
  readonly slot: number;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly bounds: readonly number[];
}

export type FromWorker =
  | { readonly type: "applied"; readonly sequence: number }
  | { readonly type: "streams"; readonly sequence: number; readonly streams: readonly LiveStream[] }
  | { readonly type: "flow"; readonly event: WorkerFlowEvent }
  | { readonly type: "sink"; readonly record: SinkRecord }
  | { readonly type: "metric"; readonly definition: MetricDefinition }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: object;
    };
