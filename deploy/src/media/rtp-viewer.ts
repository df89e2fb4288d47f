// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:dgram";
import { type Clock, systemClock } from "./clock.ts";
import { IncomingMedia, type ViewedStream } from "./incoming-media.ts";
import { SAMPLES_PER_SECOND } from "./pcmu-tone.ts";
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
  readonly #media: IncomingMedia;
  readonly #sockets: UdpPair;

  constructor(
    kind: ViewedStream["kind"],
    sockets: UdpPair,
    clockHz: number,
    clock: Clock,
    copyPort: number | undefined,
  ) {
    this.#media = new IncomingMedia(kind, clockHz, clock);
    this.#sockets = sockets;
    const { rtp, rtcp } = sockets;
    rtp.on("message", (datagram) => this.#media.takeRtp(datagram));
    rtcp.on("message", (datagram, from) => {
      for (const report of this.#media.takeRtcp(datagram)) {
        rtcp.send(report, from.port, from.address, () => undefined);
      }
    });
    if (copyPort === undefined) return;
    const { address } = rtp.address();
    const copy = (socket: Socket, port: number) =>
      socket.on("message", (datagram) => socket.send(datagram, port, address, () => undefined));
    copy(rtp, copyPort);
    copy(rtcp, copyPort + 1);
  }

  get rtpPort(): number {
    return this.#sockets.rtpPort;
  }

  get streams(): readonly ViewedStream[] {
    return this.#media.streams;
  }

  close(): void {
    this.#sockets.close();
  }
}
