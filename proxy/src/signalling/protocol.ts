// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MessagePort } from "node:worker_threads";
import type { ConsecutivePlan } from "../cluster/outlier-plan.ts";
import type { SignallingPlan, SocketAddress } from "../plan.ts";
import type { MetricDefinition, WorkerClusterChange } from "../worker/protocol.ts";

/** What a signalling worker is started with. Counters outlive the thread. */
export interface SignallingWorkerData {
  readonly index: number;
  /** Number of its attachment to the flows: the high half of the numbers of its connections. */
  readonly attachment: number;
  readonly counters: Float64Array;
  readonly pages: readonly Float64Array[];
  /** See `Vital` of the datapath's workers. */
  readonly vitals: Float64Array;
  readonly port: MessagePort;
  /** Where the rings to the datapath come from. */
  readonly links: MessagePort;
  readonly metrics: readonly MetricDefinition[];
}

/** A listener as its worker is told of it. */
export type ListenerOrder = Omit<SignallingPlan, "mediaChain">;

/** A cluster as a signalling worker is told of it. */
export interface SignallingCluster extends WorkerClusterChange {
  readonly connectTimeoutMs: number;
  /** Which failures in a row take endpoints out; none unless said. */
  readonly consecutive?: ConsecutivePlan;
}

/** What changes; what is not named stays. */
export interface SignallingUpdate {
  readonly listeners: readonly ListenerOrder[];
  readonly removedListeners: readonly string[];
  readonly clusters: readonly SignallingCluster[];
  readonly removedClusters: readonly string[];
}

/** What became of a listener: the address that it got, or why it could not be opened. */
export type ListenerAnswer =
  | { readonly name: string; readonly localAddress: SocketAddress }
  | { readonly name: string; readonly error: string };

export type ToSignalling =
  | { readonly type: "apply"; readonly sequence: number; readonly update: SignallingUpdate }
  /** An event of a flow, as `msm.flow.v1.FlowEvent`, and the datapath worker that has the flow. */
  | {
      readonly type: "flow";
      readonly owner: string;
      readonly flow: number;
      readonly worker: number;
      readonly event: Uint8Array;
    }
  | { readonly type: "stop" }
  /** For tests of what happens then. */
  | { readonly type: "fail"; readonly how: "throw" | "spin" };

/** What a filter wants of flows; messages as `msm.flow.v1.Flow`. */
export type FlowOrder =
  | { readonly call: "put"; readonly flow: number; readonly message: Uint8Array }
  | {
      readonly call: "change";
      readonly flow: number;
      readonly changed: Uint8Array;
      readonly removed: readonly string[];
    }
  | { readonly call: "close"; readonly flow: number }
  /** The filter is gone; its flows live on for so long. */
  | { readonly call: "release"; readonly lingerMs: number };

export type FromSignalling =
  | { readonly type: "applied"; readonly sequence: number; readonly answers: readonly ListenerAnswer[] }
  | { readonly type: "flow"; readonly listener: string; readonly owner: string; readonly order: FlowOrder }
  | { readonly type: "metric"; readonly definition: MetricDefinition }
  | {
      readonly type: "log";
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
      readonly fields: object;
    };
