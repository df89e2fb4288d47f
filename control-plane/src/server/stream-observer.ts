// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

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
  opened(stream: StreamInfo): void;
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
  closed(stream: StreamInfo): void;
}
