// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { read16 } from "../rtp-header.ts";

/** Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1). */
export const RtcpType = { SR: 200, RR: 201, SDES: 202, BYE: 203, APP: 204, RTPFB: 205, PSFB: 206 } as const;

/** Feedback message types (RFC 4585 sections 6.2 and 6.3, RFC 5104 section 4.3). */
export const Feedback = { NACK: 1, PLI: 1, FIR: 4 } as const;

const VERSION = 2;
const HEADER_BYTES = 4;

/**
 * Walks over the packets of a compound RTCP packet without making anything. What does not add up ends the walk: the
 * length of a packet, its version, or padding before the last (RFC 3550 A.2).
 */
export class RtcpCursor {
  /** Of the packet at hand: its type, the five bits behind the padding bit, and where it stands. */
  type = 0;
  count = 0;
  start = 0;
  length = 0;
  #bytes: Uint8Array = new Uint8Array();
  #next = 0;
  #end = 0;

  /** Begins with a compound; returns whether all of it is well formed. */
  reset(bytes: Uint8Array, offset: number, length: number): boolean {
    this.#bytes = bytes;
    this.#next = offset;
    this.#end = offset + length;
    let isPadded = false;
    while (this.#next < this.#end) {
      if (isPadded || !this.next()) return false;
      isPadded = (bytes[this.start]! & 0x20) !== 0;
    }
    this.#next = offset;
    return length > 0;
  }

  /** Goes to the next packet; false where there is none, or none that fits. */
  next(): boolean {
    const at = this.#next;
    if (at + HEADER_BYTES > this.#end || this.#bytes[at]! >> 6 !== VERSION) return false;
    const length = (read16(this.#bytes, at + 2) + 1) * 4;
    if (at + length > this.#end) return false;
    this.start = at;
    this.length = length;
    this.count = this.#bytes[at]! & 0x1f;
    this.type = this.#bytes[at + 1]!;
    this.#next = at + length;
    return true;
  }
}
