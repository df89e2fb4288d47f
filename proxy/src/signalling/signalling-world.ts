// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Flow } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import type { FlowChange } from "../flow/flow-service.ts";
import type { SocketAddress } from "../plan.ts";

/**
 * What one signalling filter can do to the world: connections, flows, routes. The guest is the only caller. Nothing here
 * calls back into the guest before it returns; what comes of it is told by the methods of SignallingGuest.
 */
export interface SignallingWorld {
  /**
   * Writes to a connection or stream; the bytes are only good during the call. Returns false where too much waits
   * already: nothing is written then, and `writable` of the guest follows.
   */
  write(context: number, bytes: Uint8Array): boolean;
  /** Ends a connection or stream, after what was written has left or at once. It is told of as closed. */
  close(context: number, how: CloseHow): void;
  /** Goes on with reading what a filter had paused. */
  resume(context: number): void;
  /** For how long a connection may be silent, in milliseconds; 0 for ever. */
  setIdleTimeout(context: number, timeoutMs: number): void;
  /** Begins to connect a stream. Returns its number, by which interleaved legs name it. */
  connect(context: number, target: StreamTarget): number;
  /** Installs a flow, or replaces what was installed under this number. */
  putFlow(flow: number, message: Flow): void;
  /** Changes some legs of a flow. */
  changeFlow(flow: number, change: FlowChange): void;
  closeFlow(flow: number): void;
  /** Hands a packet that came inside a connection to the leg that has the channel. */
  sendInterleaved(context: number, channel: number, packet: Uint8Array): Delivery;
  selectRoute(request: RouteRequest): RouteChoice;
  /** Tells how a choice turned out: a status as of HTTP, or 0 where the connection failed. */
  reportResult(choice: RouteChoice, code: number): void;
  /** Forgets a choice: a session of its endpoint is over. */
  releaseRoute(choice: RouteChoice): void;
}

/** `flush` ends after what was written; `reset` at once, and the peer is told so. */
export type CloseHow = "flush" | "reset";

/** What became of an interleaved packet. */
export type Delivery = "taken" | "no-leg" | "full";

/** Where a stream goes. */
export type StreamTarget =
  | { readonly kind: "route"; readonly choice: RouteChoice }
  | { readonly kind: "cluster"; readonly cluster: string }
  | { readonly kind: "address"; readonly address: SocketAddress };

/** What a route is looked up by. */
export interface RouteRequest {
  /** Host of the request's URI, with or without a port. */
  readonly host: string;
  /** Path of the URI, with its query. */
  readonly path: string;
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** `ip:port` of who asks. */
  readonly source: string;
  /** Filter state of the connection that asks, by name; nothing unless said. */
  readonly state?: (name: string) => string | undefined;
}

/** What became of a look-up. Its identity stands for the session at the endpoint, until it is released. */
export interface RouteChoice {
  /** 200 where there is an endpoint, else what the client should be told. */
  readonly status: number;
  /** Why there is no endpoint; empty where there is one. */
  readonly reason: string;
  readonly name: string;
  readonly cluster: string;
  /** `ip:port`; empty where there is none. */
  readonly endpoint: string;
  /** Host and path after the rewrites of the route. */
  readonly host: string;
  readonly path: string;
}
