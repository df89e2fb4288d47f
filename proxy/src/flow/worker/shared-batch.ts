// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { MemoryViews } from "../../wasm/copy-bytes.ts";
import { type InterleavedRing, MOST_SHARED } from "../interleaved-ring.ts";
import type { RtpBatch } from "../rtp-batch.ts";
import { RTP_HEADER_BYTES } from "../rtp-header.ts";
import { copyPacket } from "./copy-packet.ts";

/** What found room in a ring. */
export interface Sent {
  readonly sent: number;
  readonly sentBytes: number;
}

/**
 * The batch that a flow sends, in one ring: its datagrams are written when the first connection wants them, once, and
 * each connection adds no more than its headers. A datagram that does not fit is dropped for all, a connection that
 * does not fit gets none.
 */
export class SharedBatch implements Sent {
  /** What the last call of `addPlain` or `addRewritten` sent. */
  sent = 0;
  sentBytes = 0;
  readonly #ring: InterleavedRing;
  #batch: RtpBatch | undefined;
  #from: MemoryViews | undefined;
  /** By position in the batch, where the datagram stands among the shared ones; -1 where it did not fit. */
  readonly #place = new Int32Array(MOST_SHARED);
  #shared = 0;
  #sharedBytes = 0;

  constructor(ring: InterleavedRing) {
    this.#ring = ring;
  }

  /** What is added next are copies of these datagrams, at most `MOST_SHARED`. */
  begin(batch: RtpBatch, from: MemoryViews): void {
    this.#batch = batch;
    this.#from = from;
    this.#shared = -1;
  }

  /** Adds a connection that gets every datagram as it is. */
  addPlain(connection: number, channel: number): void {
    const count = this.#batch!.count;
    this.#write();
    const isSent = this.#shared > 0 && this.#ring.copyAll(connection, channel, this.#shared);
    this.sent = isSent ? this.#shared : 0;
    this.sentBytes = isSent ? this.#sharedBytes : 0;
    this.#ring.drop(count - this.#shared);
  }

  /** Adds a connection that gets the datagrams at `kept[0, count)`, with headers that stand one behind the other. */
  addRewritten(
    connection: number,
    channel: number,
    headers: Uint8Array,
    kept: Uint32Array,
    count: number,
  ): void {
    this.sent = 0;
    this.sentBytes = 0;
    if (count === 0) return;
    this.#write();
    let fitting = 0;
    for (let i = 0; i < count; i++) if (this.#place[kept[i]!]! >= 0) fitting++;
    this.#ring.drop(count - fitting);
    if (fitting === 0) return;
    const copies = this.#ring.reserveCopies(connection, channel, fitting);
    if (copies < 0) return;
    for (let i = 0; i < count; i++) {
      const place = this.#place[kept[i]!]!;
      if (place < 0) continue;
      this.#ring.setCopy(copies, this.sent++, place, headers, i * RTP_HEADER_BYTES);
      this.sentBytes += this.#batch!.length[kept[i]!]!;
    }
  }

  /** Writes the datagrams, where no connection before wanted them. */
  #write(): void {
    if (this.#shared >= 0) return;
    this.#shared = 0;
    this.#sharedBytes = 0;
    const ring = this.#ring;
    const { count, length, offset } = this.#batch!;
    for (let i = 0; i < count; i++) {
      const to = ring.share(this.#shared, length[i]!);
      this.#place[i] = to < 0 ? -1 : this.#shared;
      if (to < 0) continue;
      copyPacket(ring, to, this.#from!, offset[i]!, length[i]!);
      this.#shared++;
      this.#sharedBytes += length[i]!;
    }
  }
}
