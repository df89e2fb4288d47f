// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What a filter may know of its listener. */
export interface SignallingOptions {
  /** Address that peers are told; empty for the local address of the connection. */
  readonly advertisedAddress: string;
  /** Address on which media are received; empty for the local address of the connection. */
  readonly localAddress: string;
  readonly upstreamTransport: "AUTOMATIC" | "UDP" | "INTERLEAVED";
  readonly upstreamLingerMs: number;
  readonly idleTimeoutMs: number;
  /** Flows that may be open in the name of one connection or stream. */
  readonly maxFlowsPerConnection: number;
}
