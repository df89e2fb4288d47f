// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "./clock.ts";
import { readFrameCounter } from "./h264-encoder.ts";
import { Reception, type ReceptionCounts } from "./reception.ts";
import { ntpMiddle, parseRtcp, receiverReport, type SenderInfo } from "./rtcp.ts";
import { parseRtp, type RtpPacket } from "./rtp-header.ts";

/** What arrived of one stream. */
export interface ViewedStream extends ReceptionCounts {
  readonly kind: "video" | "audio";
  readonly ssrc: number;
  readonly bytes: number;
  /** Frames whose last datagram (the marker) arrived, and how often the number in the picture did not go up by one. */
  readonly frames: number;
  readonly frameGaps: number;
  /** The number in the last picture; undefined where pictures have none. */
  readonly lastCounter: number | undefined;
}

/** A port under a flood of made-up SSRCs keeps to so many streams; the rest is not counted. */
const MAX_STREAMS = 16;

/** Reads the datagrams of one medium, however they came: statistics by RFC 3550, and answers to sender reports. */
export class IncomingMedia {
  readonly #kind: ViewedStream["kind"];
  readonly #clockHz: number;
  readonly #clock: Clock;
  readonly #streams = new Map<number, IncomingStream>();

  /** The clock rate is that of the RTP timestamps. */
  constructor(kind: ViewedStream["kind"], clockHz: number, clock: Clock) {
    this.#kind = kind;
    this.#clockHz = clockHz;
    this.#clock = clock;
  }

  /** One entry for each SSRC, in the order in which they came. */
  get streams(): readonly ViewedStream[] {
    return [...this.#streams].map(([ssrc, stream]) => stream.view(this.#kind, ssrc));
  }

  /** Counts a datagram; what is no RTP is passed over. */
  takeRtp(datagram: Buffer): void {
    const packet = parseRtp(datagram);
    if (!packet) return;
    let stream = this.#streams.get(packet.ssrc);
    if (!stream) {
      if (this.#streams.size === MAX_STREAMS) return;
      stream = new IncomingStream(this.#clockHz);
      this.#streams.set(packet.ssrc, stream);
    }
    stream.add(packet, datagram.length, this.#clock.now());
  }

  /**
   * Reads a compound of RTCP; returns the receiver reports to answer with. A simplification of RFC 3550 section 6.2:
   * the report's interval is that of the sender.
   */
  takeRtcp(datagram: Buffer): readonly Buffer[] {
    return parseRtcp(datagram).flatMap((packet) => {
      if (packet.type !== "senderReport") return [];
      const stream = this.#streams.get(packet.ssrc);
      return stream ? [stream.report(packet.ssrc, packet.sender)] : [];
    });
  }
}

/** One SSRC as it arrives. */
class IncomingStream {
  readonly #reception: Reception;
  /** The SSRC of our own reports. */
  readonly #ownSsrc = Math.floor(Math.random() * 2 ** 32);
  #bytes = 0;
  #frames = 0;
  #frameGaps = 0;
  #lastCounter: number | undefined;

  constructor(clockHz: number) {
    this.#reception = new Reception(clockHz);
  }

  add(packet: RtpPacket, lengthBytes: number, nowMs: number): void {
    this.#reception.add(packet.sequenceNumber, packet.timestamp, nowMs);
    this.#bytes += lengthBytes;
    if (packet.marker) this.#frames++;
    const counter = readFrameCounter(packet.payload);
    if (counter === undefined) return;
    if (this.#lastCounter !== undefined && counter !== this.#lastCounter + 1) this.#frameGaps++;
    this.#lastCounter = counter;
  }

  view(kind: ViewedStream["kind"], ssrc: number): ViewedStream {
    return {
      ...this.#reception.counts,
      kind,
      ssrc,
      bytes: this.#bytes,
      frames: this.#frames,
      frameGaps: this.#frameGaps,
      lastCounter: this.#lastCounter,
    };
  }

  /** Answers at once, so DLSR is 0. */
  report(ssrc: number, sender: SenderInfo): Buffer {
    const { lost: cumulativeLost, highestSequence } = this.#reception.counts;
    const block = { ...this.#reception.takeReport(), ssrc, cumulativeLost, highestSequence };
    return receiverReport(this.#ownSsrc, "viewer", [{ ...block, lsr: ntpMiddle(sender.ntp), dlsr: 0 }]);
  }
}
