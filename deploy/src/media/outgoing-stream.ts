// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { goodbye, ntpMiddle, ntpTime, parseRtcp, type ReportBlock, senderReport } from "./rtcp.ts";
import { RtpPacketizer } from "./rtp-packetizer.ts";

/** Sends a datagram on its way, RTP or RTCP, and calls back when it has left. */
export type Transmit = (datagram: Buffer, isRtcp: boolean, onSent: () => void) => void;

/** What a stream is. */
export interface OutgoingStreamOptions {
  readonly payloadType: number;
  readonly clockHz: number;
  readonly cname: string;
  /** Unix time in milliseconds. */
  readonly wallMs: () => number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/** What was sent of a stream and what the far end said of it. */
export interface OutgoingCounts {
  readonly ssrc: number;
  readonly datagrams: number;
  /** Datagrams, RTP headers included. */
  readonly bytes: number;
  readonly far: {
    readonly cumulativeLost: number;
    readonly jitterMs: number;
    readonly roundTripMs: number | null;
  } | null;
}

const RTP_HEADER_BYTES = 12;
const ignore = (): void => undefined;

/** One RTP stream that is being sent, with its sender reports and what came back. */
export class OutgoingStream {
  readonly packetizer: RtpPacketizer;
  readonly #options: OutgoingStreamOptions;
  readonly #transmit: Transmit;
  readonly #ssrc: number;
  readonly #timestampOffset: number;
  #datagrams = 0;
  #bytes = 0;
  #far: OutgoingCounts["far"] = null;

  constructor(transmit: Transmit, options: OutgoingStreamOptions) {
    const uint32 = () => Math.floor(options.random() * 2 ** 32);
    this.#transmit = transmit;
    this.#options = options;
    this.#ssrc = uint32();
    this.#timestampOffset = uint32();
    const { payloadType } = options;
    this.packetizer = new RtpPacketizer({ ssrc: this.#ssrc, sequenceNumber: uint32() & 0xffff, payloadType });
  }

  /** The RTP timestamp at so many milliseconds of media. */
  timestampAt(mediaMs: number): number {
    return (this.#timestampOffset + Math.round((mediaMs * this.#options.clockHz) / 1000)) % 2 ** 32;
  }

  send(datagram: Buffer): void {
    this.#datagrams++;
    this.#bytes += datagram.length;
    this.#transmit(datagram, false, ignore);
  }

  /** Sends a sender report that says which timestamp `mediaMs` is now. */
  sendReport(mediaMs: number): void {
    const sender = {
      ntp: ntpTime(this.#options.wallMs()),
      rtpTimestamp: this.timestampAt(mediaMs),
      packetCount: this.#datagrams,
      octetCount: this.#bytes - this.#datagrams * RTP_HEADER_BYTES,
    };
    this.#transmit(senderReport(this.#ssrc, this.#options.cname, sender), true, ignore);
  }

  /** Says goodbye; resolves when that has left. */
  goodbye(): Promise<void> {
    return new Promise((resolve) =>
      this.#transmit(goodbye(this.#ssrc, this.#options.cname), true, () => resolve()),
    );
  }

  /** Reads what the far end reports. */
  takeRtcp(datagram: Buffer): void {
    for (const packet of parseRtcp(datagram)) {
      if (packet.type === "bye") continue;
      const block = packet.blocks.find((candidate) => candidate.ssrc === this.#ssrc);
      if (block) this.#far = this.#readBlock(block);
    }
  }

  get counts(): OutgoingCounts {
    return { ssrc: this.#ssrc, datagrams: this.#datagrams, bytes: this.#bytes, far: this.#far };
  }

  /** RFC 3550 section 6.4.1: the round trip is now less LSR less DLSR, in 1/65536 s. */
  #readBlock(block: ReportBlock): OutgoingCounts["far"] {
    const elapsed = (ntpMiddle(ntpTime(this.#options.wallMs())) - block.lsr - block.dlsr) >>> 0;
    return {
      cumulativeLost: block.cumulativeLost,
      jitterMs: (block.jitter * 1000) / this.#options.clockHz,
      roundTripMs: block.lsr === 0 ? null : elapsed / 65.536,
    };
  }
}
