// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../clock.ts";
import { LiveSource, type SourceCounts } from "../live-source.ts";
import type { Transmit } from "../outgoing-stream.ts";
import { bindUdpPair, udpTransmit } from "../udp-pair.ts";
import type { RtspConnection } from "./rtsp-connection.ts";
import { formatTransport, type NumberPair, type TransportSpec } from "./transport-header.ts";

/** The tracks of a stream, by their place in its description. */
export const TRACKS = ["video", "audio"] as const;

/** A track of a stream. */
export type Track = (typeof TRACKS)[number];

/** What a session is made from. */
export interface CameraSessionOptions {
  readonly id: string;
  /** The path of its stream, without the first slash. */
  readonly stream: string;
  /** The number in its first picture. */
  readonly firstCounter: number;
  readonly connection: RtspConnection;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called when nothing was heard of the reader for `timeoutMs`. */
  readonly onTimeout: () => void;
}

/** One way of a track to its reader. */
interface TrackOutput {
  readonly transmit: Transmit;
  /** The channel on which the reader reports; undefined for UDP. */
  readonly reportChannel: number | undefined;
  close(): void;
}

const silence: Transmit = (_datagram, _isRtcp, onSent) => onSent();

/** One reader's session: a source of its own, which begins with a whole picture, and where its tracks go. */
export class CameraSession {
  readonly id: string;
  readonly stream: string;
  readonly #options: CameraSessionOptions;
  readonly #source: LiveSource;
  readonly #outputs = new Map<Track, TrackOutput>();
  #heardAt: number;
  #cancel: () => void = () => undefined;

  constructor(options: CameraSessionOptions) {
    const { id, stream, clock, random, firstCounter } = options;
    this.id = id;
    this.stream = stream;
    this.#options = options;
    this.#heardAt = clock.now();
    const output = (track: Track): Transmit => {
      return (...datagram) => (this.#outputs.get(track)?.transmit ?? silence)(...datagram);
    };
    this.#source = new LiveSource({
      video: output("video"),
      audio: output("audio"),
      cname: "camera",
      firstCounter,
      clock,
      random,
    });
    this.#watch();
  }

  get counts(): SourceCounts {
    return this.#source.counts;
  }

  hasTrack(track: Track): boolean {
    return this.#outputs.has(track);
  }

  /** Sends a track by UDP from a pair of ports of its own; returns the Transport header for the reader. */
  async setUpUdp(track: Track, clientPorts: NumberPair): Promise<string> {
    const { connection } = this.#options;
    const pair = await bindUdpPair(connection.localAddress);
    pair.rtcp.on("message", (datagram) => this.#takeReport(track, datagram));
    this.#replace(track, {
      transmit: udpTransmit(pair, connection.remoteAddress, ...clientPorts),
      reportChannel: undefined,
      close: () => pair.close(),
    });
    return formatTransport("RTP/AVP", {
      client_port: clientPorts,
      server_port: [pair.rtpPort, pair.rtpPort + 1],
      ssrc: this.#ssrc(track),
    });
  }

  /** Sends a track between the messages of the connection; returns the Transport header for the reader. */
  setUpInterleaved(track: Track, { channels }: TransportSpec): string {
    const { connection } = this.#options;
    const first = 2 * TRACKS.indexOf(track);
    const [rtp, rtcp] = channels ?? [first, first + 1];
    this.#replace(track, {
      transmit: (datagram, isRtcp, onSent) => connection.writeFrame(isRtcp ? rtcp : rtp, datagram, onSent),
      reportChannel: rtcp,
      close: () => undefined,
    });
    return formatTransport("RTP/AVP/TCP", { interleaved: [rtp, rtcp], ssrc: this.#ssrc(track) });
  }

  /** The RTP-Info header: where each track goes on (RFC 2326 section 12.33). */
  rtpInfo(streamUrl: string): string {
    const { positions } = this.#source;
    return TRACKS.filter((track) => this.#outputs.has(track))
      .map((track) => {
        const { sequenceNumber, timestamp } = positions[track];
        const url = `${streamUrl}/trackID=${TRACKS.indexOf(track)}`;
        return `url=${url};seq=${sequenceNumber};rtptime=${timestamp}`;
      })
      .join(",");
  }

  play(): void {
    this.#source.play();
  }

  pause(): void {
    this.#source.pause();
  }

  /** Notes that the reader is alive. */
  touch(): void {
    this.#heardAt = this.#options.clock.now();
  }

  /** Takes a packet that came inside the connection; those on channels of no track are passed over. */
  takeFrame(channel: number, payload: Buffer): void {
    const track = TRACKS.find((candidate) => this.#outputs.get(candidate)?.reportChannel === channel);
    if (track !== undefined) this.#takeReport(track, payload);
  }

  /** Says goodbye and frees its ports. */
  async close(): Promise<void> {
    this.#cancel();
    await this.#source.stop();
    for (const output of this.#outputs.values()) output.close();
    this.#outputs.clear();
  }

  #replace(track: Track, output: TrackOutput): void {
    this.#outputs.get(track)?.close();
    this.#outputs.set(track, output);
  }

  #takeReport(track: Track, datagram: Buffer): void {
    this.touch();
    this.#source[track].takeRtcp(datagram);
  }

  #ssrc(track: Track): string {
    return this.#source.counts[track].ssrc.toString(16).padStart(8, "0").toUpperCase();
  }

  #watch(): void {
    const { clock, timeoutMs, onTimeout } = this.#options;
    const left = this.#heardAt + timeoutMs - clock.now();
    if (left <= 0) onTimeout();
    else this.#cancel = clock.after(left, () => this.#watch());
  }
}
