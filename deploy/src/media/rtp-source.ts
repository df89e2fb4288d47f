// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Clock, systemClock } from "./clock.ts";
import { LiveSource, type SourceCounts } from "./live-source.ts";
import { bindUdpPair, type UdpPair, udpTransmit } from "./udp-pair.ts";

/** Where a stream goes; RTCP goes one port above. */
export interface UdpAddress {
  readonly address: string;
  readonly port: number;
}

/** What to send, and where to. */
export interface RtpSourceOptions {
  readonly video: UdpAddress;
  readonly audio: UdpAddress;
  /** The address to send from; loopback by default. */
  readonly bindAddress?: string;
  /** Ends by itself after so many frames; runs until stopped by default. */
  readonly frames?: number;
  readonly clock?: Clock;
  /** A number from 0 to below 1, for SSRCs and the spread of reports. */
  readonly random?: () => number;
}

/** Sends the moving test picture and a tone as RTP to two addresses that are known beforehand. */
export class RtpSource {
  readonly #source: LiveSource;
  readonly #pairs: readonly UdpPair[];

  private constructor(source: LiveSource, pairs: readonly UdpPair[]) {
    this.#source = source;
    this.#pairs = pairs;
  }

  /** Binds sockets and begins to send. */
  static async start(options: RtpSourceOptions): Promise<RtpSource> {
    const { bindAddress = "127.0.0.1", clock = systemClock, random = Math.random } = options;
    const video = await bindUdpPair(bindAddress);
    const audio = await bindUdpPair(bindAddress);
    const source = new LiveSource({
      video: udpTransmit(video, options.video.address, options.video.port),
      audio: udpTransmit(audio, options.audio.address, options.audio.port),
      cname: `source@${bindAddress}`,
      ...(options.frames === undefined ? {} : { frames: options.frames }),
      clock,
      random,
    });
    video.rtcp.on("message", (datagram) => source.video.takeRtcp(datagram));
    audio.rtcp.on("message", (datagram) => source.audio.takeRtcp(datagram));
    source.play();
    return new RtpSource(source, [video, audio]);
  }

  /** Resolves when the last frame was sent or the source was stopped. */
  get ended(): Promise<void> {
    return this.#source.ended;
  }

  /** What was sent so far, by stream. */
  get counts(): SourceCounts {
    return this.#source.counts;
  }

  /** Sends no more, says goodbye and closes the sockets. */
  async stop(): Promise<void> {
    await this.#source.stop();
    for (const pair of this.#pairs) pair.close();
  }
}
