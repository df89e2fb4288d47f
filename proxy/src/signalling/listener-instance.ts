// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import type { FlowEvent } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { ListenerOrder } from "./protocol.ts";
import { RelayInstance } from "./relay-instance.ts";
import { type InstanceHost, SignallingInstance } from "./signalling-instance.ts";
import type { SignallingOptions } from "./signalling-options.ts";

/** One instance of a listener's filter, with the connections that it has. */
export interface ListenerInstance {
  /** Name of its flows' owner. */
  readonly owner: string;
  /** Connections of clients that are open. */
  readonly connectionCount: number;
  /** Whether it has nothing left to do. */
  readonly isIdle: boolean;
  setOptions(options: SignallingOptions): void;
  /** Takes a client's connection over. */
  accept(socket: Socket): void;
  flowEvent(flow: number, event: FlowEvent, worker: number): void;
  /** Ends everything: connections and streams at once, flows after their linger. */
  dispose(lingerMs: number): void;
}

/** Starts the filter of a listener. Throws FilterFailure. */
export function startInstance(order: ListenerOrder, owner: string, host: InstanceHost): ListenerInstance {
  return order.isRelay === true
    ? new RelayInstance(order, owner, host)
    : new SignallingInstance(order, owner, host);
}
