// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Clock, systemClock } from "./clock.ts";
import { FRAMES_PER_SECOND, H264Encoder } from "./h264-encoder.ts";
import { type OutgoingCounts, OutgoingStream, type UdpAddress } from "./outgoing-stream.ts";
import { pcmuTone, SAMPLES_PER_PACKET, SAMPLES_PER_SECOND } from "./pcmu-tone.ts";
import { AUDIO_PAYLOAD_TYPE, VIDEO_CLOCK_HZ, VIDEO_PAYLOAD_TYPE } from "./sdp.ts";
import { bindUdpPair } from "./udp-pair.ts";

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

const FRAME_MS = 1000 / FRAMES_PER_SECOND;
const TONE_MS = (1000 * SAMPLES_PER_PACKET) / SAMPLES_PER_SECOND;
/** A camera's network card spreads a large frame; 8 datagrams of 1,400 bytes in a millisecond are 90 Mbit/s. */
const DATAGRAMS_PER_MS = 8;

/**
 * A camera with a microphone: sends the moving test picture and a tone as RTP, with RTCP sender reports. Of
 * RFC 3550 section 6.2 it keeps the 5 s minimum, halved at first, with its random spread; the scaling by members and
 * bandwidth is left out, since such a session has two members.
 */
export class RtpSource {
  readonly #video: OutgoingStream;
  readonly #audio: OutgoingStream;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #frameLimit: number;
  readonly #encoder = new H264Encoder();
  readonly #startedAt: number;
  readonly #waiting: Buffer[] = [];
  #frames = 0;
  #tones = 0;
  #reportAt: number;
  #cancel: () => void = () => undefined;
  #end: () => void = () => undefined;
  /** Resolves when the last frame was sent or the source was stopped. */
  readonly ended: Promise<void>;

  private constructor(video: OutgoingStream, audio: OutgoingStream, options: RtpSourceOptions) {
    this.#video = video;
    this.#audio = audio;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#frameLimit = options.frames ?? Number.POSITIVE_INFINITY;
    this.#startedAt = this.#clock.now();
    this.#reportAt = this.#reportDelay() / 2;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Binds sockets and begins to send. */
  static async start(options: RtpSourceOptions): Promise<RtpSource> {
    const { bindAddress = "127.0.0.1", clock = systemClock, random = Math.random } = options;
    const common = { cname: `source@${bindAddress}`, wallMs: () => clock.wallMs(), random };
    const video = new OutgoingStream(await bindUdpPair(bindAddress), {
      ...common,
      target: options.video,
      payloadType: VIDEO_PAYLOAD_TYPE,
      clockHz: VIDEO_CLOCK_HZ,
    });
    const audio = new OutgoingStream(await bindUdpPair(bindAddress), {
      ...common,
      target: options.audio,
      payloadType: AUDIO_PAYLOAD_TYPE,
      clockHz: SAMPLES_PER_SECOND,
    });
    const source = new RtpSource(video, audio, options);
    source.#step();
    return source;
  }

  /** What was sent so far, by stream. */
  get counts(): { readonly frames: number; readonly video: OutgoingCounts; readonly audio: OutgoingCounts } {
    return { frames: this.#frames, video: this.#video.counts, audio: this.#audio.counts };
  }

  /** Sends no more, says goodbye and closes the sockets. */
  async stop(): Promise<void> {
    this.#cancel();
    this.#end();
    await Promise.all([this.#video.close(), this.#audio.close()]);
  }

  /** Sends all that is due and sets the timer for what comes next. Late timers are made up for. */
  #step(): void {
    const elapsed = this.#clock.now() - this.#startedAt;
    while (this.#frames < this.#frameLimit && this.#frames * FRAME_MS <= elapsed) this.#queueFrame();
    for (const datagram of this.#waiting.splice(0, DATAGRAMS_PER_MS)) this.#video.send(datagram);
    const isLast = this.#frames >= this.#frameLimit;
    while (!isLast && this.#tones * TONE_MS <= elapsed) this.#sendTone();
    if (elapsed >= this.#reportAt) this.#sendReports(elapsed);
    if (isLast && this.#waiting.length === 0) {
      this.#end();
      return;
    }
    const nextMedia = Math.min(this.#frames * FRAME_MS, this.#tones * TONE_MS, this.#reportAt);
    const delay = this.#waiting.length > 0 ? 1 : Math.max(1, nextMedia - elapsed);
    this.#cancel = this.#clock.after(delay, () => this.#step());
  }

  #queueFrame(): void {
    const timestamp = this.#video.timestampAt(this.#frames * FRAME_MS);
    this.#waiting.push(...this.#video.packetizer.h264Frame(this.#encoder.nextFrame(), timestamp));
    this.#frames++;
  }

  #sendTone(): void {
    const timestamp = this.#audio.timestampAt(this.#tones * TONE_MS);
    // RFC 3551 section 4.1: the marker begins a talkspurt.
    this.#audio.send(this.#audio.packetizer.packet(timestamp, this.#tones === 0, pcmuTone(this.#tones)));
    this.#tones++;
  }

  #sendReports(elapsed: number): void {
    this.#video.sendReport(elapsed);
    this.#audio.sendReport(elapsed);
    this.#reportAt = elapsed + this.#reportDelay();
  }

  /** RFC 3550 section 6.3.1: 5 s times 0.5 to 1.5, divided by e - 3/2. */
  #reportDelay(): number {
    return (5000 * (0.5 + this.#random())) / (Math.E - 1.5);
  }
}
