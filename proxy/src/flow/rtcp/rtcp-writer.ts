// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { write16, write32 } from "../rtp-header.ts";
import type { ReportBlock } from "./reception.ts";
import { Feedback, RtcpType } from "./rtcp-cursor.ts";

/** SDES item types (RFC 3550 section 6.5.1). */
const CNAME = 1;
const VERSION_BITS = 0x80;
/** From 1900, where NTP begins (RFC 5905 section 6). */
const NTP_SECONDS_TO_1970 = 2_208_988_800;

/** Puts a compound RTCP packet together, in memory of its own. */
export class RtcpWriter {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  length = 0;
  readonly #ssrc: number;
  readonly #cname: Uint8Array;

  /** `ssrc` and `cname` are the sender's. */
  constructor(ssrc: number, cname: string) {
    this.words = new Uint32Array(512);
    this.bytes = new Uint8Array(this.words.buffer);
    this.#ssrc = ssrc;
    this.#cname = new TextEncoder().encode(cname);
  }

  /** Begins a compound: a receiver report about `about`, or without a block where it is undefined, and the name (RFC 3550 section 6.1). */
  begin(about: number, block: ReportBlock | undefined): void {
    const { bytes } = this;
    this.length = 0;
    const at = this.#packet(RtcpType.RR, block === undefined ? 0 : 1, block === undefined ? 8 : 32);
    write32(bytes, at + 4, this.#ssrc);
    if (block !== undefined) writeBlock(bytes, at + 8, about, block);
    this.#addName(this.#ssrc);
  }

  /**
   * Begins a compound in the place of a stream's source: a sender report of `ssrc` (RFC 3550 section 6.4.1), which says
   * that `timestamp` is the wall clock's `wallMs`, milliseconds since 1970, and the name.
   */
  beginSender(ssrc: number, wallMs: number, timestamp: number, packets: number, octets: number): void {
    const { bytes } = this;
    this.length = 0;
    const at = this.#packet(RtcpType.SR, 0, 28);
    const seconds = Math.floor(wallMs / 1000);
    write32(bytes, at + 4, ssrc);
    write32(bytes, at + 8, seconds + NTP_SECONDS_TO_1970);
    write32(bytes, at + 12, Math.floor((wallMs / 1000 - seconds) * 2 ** 32));
    write32(bytes, at + 16, timestamp);
    write32(bytes, at + 20, packets);
    write32(bytes, at + 24, octets);
    this.#addName(ssrc);
  }

  #addName(ssrc: number): void {
    const { bytes } = this;
    const itemBytes = 2 + this.#cname.length;
    // At least one zero ends the list of items.
    const chunkBytes = (4 + itemBytes + 4) & ~3;
    const sdes = this.#packet(RtcpType.SDES, 1, 4 + chunkBytes);
    bytes.fill(0, sdes + 4, sdes + 4 + chunkBytes);
    write32(bytes, sdes + 4, ssrc);
    bytes[sdes + 8] = CNAME;
    bytes[sdes + 9] = this.#cname.length;
    bytes.set(this.#cname, sdes + 10);
  }

  /** Asks for a whole picture: a picture loss indication (RFC 4585 section 6.3.1). */
  addPli(about: number): void {
    const at = this.#packet(RtcpType.PSFB, Feedback.PLI, 12);
    write32(this.bytes, at + 4, this.#ssrc);
    write32(this.bytes, at + 8, about);
  }

  /** Begins a generic NACK (RFC 4585 section 6.2.1), to which `addLost` adds. Returns where it stands. */
  beginNack(about: number): number {
    const at = this.#packet(RtcpType.RTPFB, Feedback.NACK, 12);
    write32(this.bytes, at + 4, this.#ssrc);
    write32(this.bytes, at + 8, about);
    return at;
  }

  /** Adds a lost packet, and by `following` bit by bit the 16 behind it. Returns false where there is no more room. */
  addLost(nack: number, seq: number, following: number): boolean {
    if (this.length + 4 > this.bytes.length) return false;
    write16(this.bytes, this.length, seq);
    write16(this.bytes, this.length + 2, following);
    this.length += 4;
    write16(this.bytes, nack + 2, (this.length - nack) / 4 - 1);
    return true;
  }

  #packet(type: number, count: number, length: number): number {
    const at = this.length;
    this.bytes[at] = VERSION_BITS | count;
    this.bytes[at + 1] = type;
    write16(this.bytes, at + 2, length / 4 - 1);
    this.length += length;
    return at;
  }
}

/** RFC 3550 section 6.4.1. */
function writeBlock(bytes: Uint8Array, at: number, about: number, block: ReportBlock): void {
  write32(bytes, at, about);
  write32(bytes, at + 4, (block.fractionLost << 24) | (block.cumulativeLost & 0xff_ffff));
  write32(bytes, at + 8, block.highestSequence);
  write32(bytes, at + 12, block.jitter);
  write32(bytes, at + 16, block.lsr);
  write32(bytes, at + 20, block.dlsr);
}
