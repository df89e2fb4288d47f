// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Node } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import type { ResourceEntry } from "../snapshot/resource-entry.ts";
import type { Response } from "./protocol.ts";

/** A connected proxy's stream; one proxy may have several. */
export interface StreamInfo {
  readonly id: number;
  readonly nodeId: string;
  readonly group: string;
  readonly variant: "delta" | "sotw";
  readonly peer: string;
}

/** Is told what happens on the streams, for status and metrics. */
export interface StreamObserver {
  /** A stream's node is known; called again with the same id when the node changes what it says of itself. */
  opened(stream: StreamInfo, node: Node): void;
  /** The proxy asks for a type for the first time. */
  subscribed?(stream: StreamInfo, typeUrl: string): void;
  sent(stream: StreamInfo, response: Response): void;
  /** `nonce` is empty for what a reconnecting proxy has already. */
  accepted(stream: StreamInfo, typeUrl: string, nonce: string, entries: readonly ResourceEntry[]): void;
  refused(
    stream: StreamInfo,
    typeUrl: string,
    nonce: string,
    entries: readonly ResourceEntry[],
    error: string,
  ): void;
  /** The proxy answered nothing for too long. */
  stalled(stream: StreamInfo): void;
  /** Something that an operator may want to know, and that changes nothing. */
  noticed?(stream: StreamInfo, notice: Notice): void;
  closed(stream: StreamInfo): void;
}

/** What is worth a line in a log. */
export interface Notice {
  readonly kind: /** A response that had been replaced was refused. */
    | "late-refusal"
    /** A response is larger than what gRPC clients take by default. */
    | "oversized"
    /** A proxy came back with endpoints and asks for no clusters. */
    | "no-clusters";
  readonly typeUrl: string;
  readonly bytes?: number;
}
