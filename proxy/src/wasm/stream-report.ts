// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What a filter tells of one media stream: `msm_stream` of filters/sdk/ABI.md, in host units. */
export interface StreamReport {
  /** Index of the session in its worker. */
  readonly session: number;
  /** True where the stream flows from the endpoint to the client. */
  readonly upstreamDirection: boolean;
  readonly ssrc: number;
  readonly payloadType: number;
  /** RTP clock in Hz, 0 where it is not known. */
  readonly clockRateHz: number;
  readonly packets: number;
  /** Bytes of the datagrams, RTP headers included. */
  readonly bytes: number;
  /** RFC 3550 A.3: expected less received; below zero where duplicates outnumber losses. */
  readonly lost: number;
  readonly reordered: number;
  readonly duplicated: number;
  /** Times that the sequence jumped and was followed anew (RFC 3550 A.1). */
  readonly restarts: number;
  /** RFC 3550 A.8 interarrival jitter, milliseconds. */
  readonly jitterMs: number;
  /** What the far end last reported of this stream (RFC 3550 6.4.1); null until it did. */
  readonly far: {
    /** 0 to 1, since the report before. */
    readonly fractionLost: number;
    readonly cumulativeLost: number;
    readonly jitterMs: number;
    /** From here to the far end and back; null until a report answered a sender report seen here. */
    readonly roundTripMs: number | null;
  } | null;
}
