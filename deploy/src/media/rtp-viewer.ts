// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { RemoteInfo, Socket } from "node:dgram";
import { type Clock, systemClock } from "./clock.ts";
import { readFrameCounter } from "./h264-encoder.ts";
import { SAMPLES_PER_SECOND } from "./pcmu-tone.ts";
import { Reception, type ReceptionCounts } from "./reception.ts";
import { ntpMiddle, parseRtcp, receiverReport, type SenderInfo } from "./rtcp.ts";
import { parseRtp, type RtpPacket } from "./rtp-header.ts";
import { VIDEO_CLOCK_HZ } from "./sdp.ts";
import { bindUdpPair, type UdpPair } from "./udp-pair.ts";

/** Where to receive, and where to hand a copy. Each port is RTP's; RTCP is one above. 0 finds a free pair. */
export interface RtpViewerOptions {
  readonly address?: string;
  readonly videoPort: number;
  readonly audioPort: number;
  /** Every datagram received is sent on to these ports of the same address, for a player to show. */
  readonly copyTo?: { readonly videoPort: number; readonly audioPort: number };
  readonly clock?: Clock;
}

/** What arrived of one stream. */
export interface ViewedStream extends ReceptionCounts {
  readonly kind: "video" | "audio";
  readonly ssrc: number;
  readonly bytes: number;
  /** Frames whose last datagram (the marker) arrived, and how often the number in the picture did not go up by one. */
  readonly frames: number;
  readonly frameGaps: number;
}

/** A port under a flood of made-up SSRCs keeps to so many streams; the rest is not counted. */
const MAX_STREAMS_PER_PORT = 16;

/** Receives the test streams, keeps RFC 3550 statistics of its own and answers each sender report with a report. */
export class RtpViewer {
  readonly #ports: readonly ViewedPort[];

  private constructor(ports: readonly ViewedPort[]) {
    this.#ports = ports;
  }

  /** Binds the ports. Passes on the error of a bind. */
  static async start(options: RtpViewerOptions): Promise<RtpViewer> {
    const { address = "127.0.0.1", clock = systemClock, copyTo } = options;
    const video = await bindUdpPair(address, options.videoPort);
    const audio = await bindUdpPair(address, options.audioPort).catch((error: unknown) => {
      video.close();
      throw error;
    });
    return new RtpViewer([
      new ViewedPort("video", video, VIDEO_CLOCK_HZ, clock, copyTo?.videoPort),
      new ViewedPort("audio", audio, SAMPLES_PER_SECOND, clock, copyTo?.audioPort),
    ]);
  }

  get videoPort(): number {
    return this.#ports[0]!.rtpPort;
  }

  get audioPort(): number {
    return this.#ports[1]!.rtpPort;
  }

  /** What arrived so far: one entry for each SSRC of each port, in the order in which they came. */
  get streams(): readonly ViewedStream[] {
    return this.#ports.flatMap((port) => port.streams);
  }

  stop(): void {
    for (const port of this.#ports) port.close();
  }
}

/** One pair of sockets of the viewer. */
class ViewedPort {
  readonly #kind: ViewedStream["kind"];
  readonly #sockets: UdpPair;
  readonly #clockHz: number;
  readonly #clock: Clock;
  readonly #streams = new Map<number, IncomingStream>();

  constructor(
    kind: ViewedStream["kind"],
    sockets: UdpPair,
    clockHz: number,
    clock: Clock,
    copyPort: number | undefined,
  ) {
    this.#kind = kind;
    this.#sockets = sockets;
    this.#clockHz = clockHz;
    this.#clock = clock;
    sockets.rtp.on("message", (datagram) => this.#onRtp(datagram));
    sockets.rtcp.on("message", (datagram, from) => this.#onRtcp(datagram, from));
    if (copyPort !== undefined) {
      const { address } = sockets.rtp.address();
      const copy = (socket: Socket, port: number) =>
        socket.on("message", (datagram) => socket.send(datagram, port, address, () => undefined));
      copy(sockets.rtp, copyPort);
      copy(sockets.rtcp, copyPort + 1);
    }
  }

  get rtpPort(): number {
    return this.#sockets.rtpPort;
  }

  get streams(): readonly ViewedStream[] {
    return [...this.#streams].map(([ssrc, stream]) => stream.view(this.#kind, ssrc));
  }

  close(): void {
    this.#sockets.close();
  }

  #onRtp(datagram: Buffer): void {
    const packet = parseRtp(datagram);
    if (!packet) return;
    let stream = this.#streams.get(packet.ssrc);
    if (!stream) {
      if (this.#streams.size === MAX_STREAMS_PER_PORT) return;
      stream = new IncomingStream(this.#clockHz);
      this.#streams.set(packet.ssrc, stream);
    }
    stream.add(packet, datagram.length, this.#clock.now());
  }

  /** A simplification of RFC 3550 section 6.2: the report's interval is that of the sender. */
  #onRtcp(datagram: Buffer, from: RemoteInfo): void {
    for (const packet of parseRtcp(datagram)) {
      if (packet.type !== "senderReport") continue;
      const stream = this.#streams.get(packet.ssrc);
      if (!stream) continue;
      const report = stream.report(packet.ssrc, packet.sender);
      this.#sockets.rtcp.send(report, from.port, from.address, () => undefined);
    }
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
    const { counts } = this.#reception;
    return { ...counts, kind, ssrc, bytes: this.#bytes, frames: this.#frames, frameGaps: this.#frameGaps };
  }

  /** Answers at once, so DLSR is 0. */
  report(ssrc: number, sender: SenderInfo): Buffer {
    const { lost: cumulativeLost, highestSequence } = this.#reception.counts;
    const block = { ...this.#reception.takeReport(), ssrc, cumulativeLost, highestSequence };
    return receiverReport(this.#ownSsrc, "viewer", [{ ...block, lsr: ntpMiddle(sender.ntp), dlsr: 0 }]);
  }
}
