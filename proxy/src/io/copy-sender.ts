// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { RtpBatch } from "../flow/rtp-batch.ts";

/** The most datagrams of a batch that is copied to receivers at once. */
export const MOST_COPIED = 1024;

/**
 * Sends copies of datagrams to receivers of flows. A leg is named by its record, which holds its address and takes the
 * counters of what was sent and dropped; a socket by its number. What is added may be sent at once or by `flush`.
 */
export interface CopySender {
  /** What is added next are copies of these datagrams of the ring, at most `MOST_COPIED`. */
  begin(batch: RtpBatch): void;
  /** A receiver gets all of them as they are. */
  addPlain(leg: number, socket: number): void;
  /** Where rewritten headers are written. */
  readonly headers: Uint8Array;
  /** Returns where in `headers` there is room for 12 bytes for each of `count` datagrams. */
  reserveHeaders(count: number): number;
  /** A receiver gets those at the first `count` positions in `kept`, with the headers that begin at `headers`. */
  addRewritten(leg: number, socket: number, kept: Uint32Array, count: number, headers: number): void;
  /** Sends a packet that is not of the ring, RTCP, to one of the leg's addresses: `LegWord.remote` or `remoteRtcp`. */
  addPacket(
    leg: number,
    address: number,
    socket: number,
    bytes: Uint8Array,
    start: number,
    length: number,
  ): void;
  /** Where copies of `addOwn` stand: memory that never moves. */
  attach(memory: Uint8Array): void;
  /** A receiver gets datagrams of its own: the first `count` of these offsets and lengths, until `flush` as they are. */
  addOwn(leg: number, socket: number, offsets: Uint32Array, lengths: Uint32Array, count: number): void;
  /** Sends what was added. */
  flush(): void;
}
