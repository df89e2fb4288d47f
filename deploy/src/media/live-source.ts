// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "./clock.ts";
import { FRAMES_PER_SECOND, H264Encoder } from "./h264-encoder.ts";
import { type OutgoingCounts, OutgoingStream, type Transmit } from "./outgoing-stream.ts";
import { pcmuTone, SAMPLES_PER_PACKET, SAMPLES_PER_SECOND } from "./pcmu-tone.ts";
import { AUDIO_PAYLOAD_TYPE, VIDEO_CLOCK_HZ, VIDEO_PAYLOAD_TYPE } from "./sdp.ts";

/** What to send, and how. */
export interface LiveSourceOptions {
  readonly video: Transmit;
  readonly audio: Transmit;
  readonly cname: string;
  /** Ends by itself after so many frames; runs until stopped by default. */
  readonly frames?: number;
  /** The number in the first picture; 0 by default. */
  readonly firstCounter?: number;
  readonly clock: Clock;
  /** A number from 0 to below 1, for SSRCs and the spread of reports. */
  readonly random: () => number;
}

/** What was sent so far, by stream. */
export interface SourceCounts {
  readonly frames: number;
  readonly video: OutgoingCounts;
  readonly audio: OutgoingCounts;
}

/** The sequence number and the timestamp of the datagram that comes next. */
export interface StreamPosition {
  readonly sequenceNumber: number;
  readonly timestamp: number;
}

const FRAME_MS = 1000 / FRAMES_PER_SECOND;
const TONE_MS = (1000 * SAMPLES_PER_PACKET) / SAMPLES_PER_SECOND;
/** A camera's network card spreads a large frame; 8 datagrams of 1,400 bytes in a millisecond are 90 Mbit/s. */
const DATAGRAMS_PER_MS = 8;

/**
 * A camera with a microphone: makes the moving test picture and a tone as RTP, in time, with RTCP sender reports. Of
 * RFC 3550 section 6.2 it keeps the 5 s minimum, halved at first, with its random spread; the scaling by members and
 * bandwidth is left out, since such a session has two members.
 */
export class LiveSource {
  readonly video: OutgoingStream;
  readonly audio: OutgoingStream;
  readonly #options: LiveSourceOptions;
  readonly #encoder: H264Encoder;
  readonly #waiting: Buffer[] = [];
  /** When frame 0 was due; moved on by pauses. */
  #startedAt: number;
  #pausedAt: number | undefined;
  #frames = 0;
  #tones = 0;
  #reportAt: number;
  #cancel: () => void = () => undefined;
  #end: () => void = () => undefined;
  /** Resolves when the last frame was sent or the source was stopped. */
  readonly ended: Promise<void>;

  /** Sends nothing before `play`. */
  constructor(options: LiveSourceOptions) {
    const { clock, random, cname } = options;
    const common = { cname, wallMs: () => clock.wallMs(), random };
    this.#options = options;
    this.#encoder = new H264Encoder(options.firstCounter);
    this.video = new OutgoingStream(options.video, {
      ...common,
      payloadType: VIDEO_PAYLOAD_TYPE,
      clockHz: VIDEO_CLOCK_HZ,
    });
    this.audio = new OutgoingStream(options.audio, {
      ...common,
      payloadType: AUDIO_PAYLOAD_TYPE,
      clockHz: SAMPLES_PER_SECOND,
    });
    this.#startedAt = clock.now();
    this.#pausedAt = this.#startedAt;
    this.#reportAt = this.#reportDelay() / 2;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Begins to send, or goes on where it was paused. */
  play(): void {
    if (this.#pausedAt === undefined) return;
    this.#startedAt += this.#options.clock.now() - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#step();
  }

  /** Sends nothing until `play`. */
  pause(): void {
    if (this.#pausedAt !== undefined) return;
    this.#cancel();
    this.#pausedAt = this.#options.clock.now();
  }

  /** Sends no more and says goodbye; resolves when that has left. */
  async stop(): Promise<void> {
    this.pause();
    this.#end();
    await Promise.all([this.video.goodbye(), this.audio.goodbye()]);
  }

  get counts(): SourceCounts {
    return { frames: this.#frames, video: this.video.counts, audio: this.audio.counts };
  }

  /** Where each stream goes on, for RTP-Info (RFC 2326 section 12.33). */
  get positions(): { readonly video: StreamPosition; readonly audio: StreamPosition } {
    const [first] = this.#waiting;
    const video = first
      ? { sequenceNumber: first.readUInt16BE(2), timestamp: first.readUInt32BE(4) }
      : {
          sequenceNumber: this.video.packetizer.nextSequenceNumber,
          timestamp: this.video.timestampAt(this.#frames * FRAME_MS),
        };
    const audio = {
      sequenceNumber: this.audio.packetizer.nextSequenceNumber,
      timestamp: this.audio.timestampAt(this.#tones * TONE_MS),
    };
    return { video, audio };
  }

  /** Sends all that is due and sets the timer for what comes next. Late timers are made up for. */
  #step(): void {
    const { clock, frames: frameLimit = Number.POSITIVE_INFINITY } = this.#options;
    const elapsed = clock.now() - this.#startedAt;
    while (this.#frames < frameLimit && this.#frames * FRAME_MS <= elapsed) this.#queueFrame();
    for (const datagram of this.#waiting.splice(0, DATAGRAMS_PER_MS)) this.video.send(datagram);
    const isLast = this.#frames >= frameLimit;
    while (!isLast && this.#tones * TONE_MS <= elapsed) this.#sendTone();
    if (elapsed >= this.#reportAt) this.#sendReports(elapsed);
    if (isLast && this.#waiting.length === 0) {
      this.#end();
      return;
    }
    const nextMedia = Math.min(this.#frames * FRAME_MS, this.#tones * TONE_MS, this.#reportAt);
    const delay = this.#waiting.length > 0 ? 1 : Math.max(1, nextMedia - elapsed);
    this.#cancel = clock.after(delay, () => this.#step());
  }

  #queueFrame(): void {
    const timestamp = this.video.timestampAt(this.#frames * FRAME_MS);
    this.#waiting.push(...this.video.packetizer.h264Frame(this.#encoder.nextFrame(), timestamp));
    this.#frames++;
  }

  #sendTone(): void {
    const timestamp = this.audio.timestampAt(this.#tones * TONE_MS);
    // RFC 3551 section 4.1: the marker begins a talkspurt.
    this.audio.send(this.audio.packetizer.packet(timestamp, this.#tones === 0, pcmuTone(this.#tones)));
    this.#tones++;
  }

  #sendReports(elapsed: number): void {
    this.video.sendReport(elapsed);
    this.audio.sendReport(elapsed);
    this.#reportAt = elapsed + this.#reportDelay();
  }

  /** RFC 3550 section 6.3.1: 5 s times 0.5 to 1.5, divided by e - 3/2. */
  #reportDelay(): number {
    return (5000 * (0.5 + this.#options.random())) / (Math.E - 1.5);
  }
}
