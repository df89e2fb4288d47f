// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { type Clock, systemClock } from "../clock.ts";
import { IncomingMedia, type ViewedStream } from "../incoming-media.ts";
import { bindUdpPair } from "../udp-pair.ts";
import { RtspClient } from "./rtsp-client.ts";
import { type DescribedTrack, describedStream } from "./session-media.ts";
import { formatTransport, parseTransports } from "./transport-header.ts";

/** What to view, and how. */
export interface RtspViewerOptions {
  /** `rtsp://host:port/path`. */
  readonly url: string;
  /** How media are to come; `udp` by default. */
  readonly transport?: "udp" | "tcp";
  readonly clock?: Clock;
}

/** One track that is being received. */
interface ViewedTrack {
  readonly media: IncomingMedia;
  close(): void;
}

/** Keep-alive as a part of the session's time-out; the 60 s are RFC 2326's own (section 12.37). */
const KEEP_ALIVE_PART = 0.4;
const DEFAULT_TIMEOUT_SECONDS = 60;

/** A player that shows nothing: plays every track of an RTSP stream and counts what comes. */
export class RtspViewer {
  /** Resolves when the server or the network has ended the connection; never rejects. */
  readonly ended: Promise<Error | undefined>;
  readonly #options: RtspViewerOptions;
  readonly #client: RtspClient;
  readonly #clock: Clock;
  readonly #tracks: ViewedTrack[] = [];
  readonly #frames = new Map<number, (payload: Buffer) => void>();
  #streamUrl = "";
  #session = "";
  #timeoutSeconds = DEFAULT_TIMEOUT_SECONDS;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  private constructor(options: RtspViewerOptions, client: RtspClient) {
    this.#options = options;
    this.#client = client;
    this.#clock = options.clock ?? systemClock;
    this.ended = client.ended;
    client.onFrame = (channel, payload) => this.#frames.get(channel)?.(payload);
  }

  /** Connects, sets up every track and plays. Throws with the status of what was refused. */
  static async start(options: RtspViewerOptions): Promise<RtspViewer> {
    const client = await RtspClient.connect(options.url);
    const viewer = new RtspViewer(options, client);
    try {
      await viewer.#open();
    } catch (error) {
      viewer.#close();
      throw error;
    }
    return viewer;
  }

  /** What arrived so far: one entry for each SSRC of each track. */
  get streams(): readonly ViewedStream[] {
    return this.#tracks.flatMap(({ media }) => media.streams);
  }

  /** Asks for a pause; nothing comes until `play`. */
  async pause(): Promise<void> {
    await this.#client.request("PAUSE", this.#streamUrl, { Session: this.#session });
  }

  async play(): Promise<void> {
    await this.#client.request("PLAY", this.#streamUrl, { Session: this.#session, Range: "npt=0.000-" });
  }

  /** Ends the session, where the server still answers, and frees the ports; safe to call twice. */
  async stop(): Promise<void> {
    if (this.#isClosed) return;
    await this.#client
      .request("TEARDOWN", this.#streamUrl, { Session: this.#session })
      .catch(() => undefined);
    this.#close();
  }

  /** Is gone at once without a word: with a reset of the connection, as a player that crashed. */
  abort(): void {
    this.#client.reset();
    this.#close();
  }

  /**
   * Reads nothing more and says nothing more, but leaves its connection open, as a player that hangs or whose network is
   * gone. `abort` frees what it still has.
   */
  vanish(): void {
    this.#cancel();
    this.#client.stall();
    for (const track of this.#tracks) track.close();
    this.#tracks.length = 0;
  }

  async #open(): Promise<void> {
    const { url } = this.#options;
    await this.#client.request("OPTIONS", url, {});
    const description = await this.#client.request("DESCRIBE", url, { Accept: "application/sdp" });
    const base =
      description.headers.get("content-base") ?? description.headers.get("content-location") ?? url;
    const stream = describedStream(description.body.toString("utf8"), base);
    if (stream.tracks.length === 0) throw new Error(`${url} has neither video nor audio`);
    this.#streamUrl = stream.url;
    for (const track of stream.tracks) await this.#setUp(track);
    await this.play();
    this.#keepAlive();
  }

  async #setUp({ kind, clockHz, url }: DescribedTrack): Promise<void> {
    const media = new IncomingMedia(kind, clockHz, this.#clock);
    const Transport =
      this.#options.transport === "tcp" ? this.#receiveInside(media) : await this.#receiveByUdp(media);
    const session = this.#session === "" ? {} : { Session: this.#session };
    const { headers } = await this.#client.request("SETUP", url, { Transport, ...session });
    const [id = "", ...parameters] = (headers.get("session") ?? "").split(";");
    this.#session = id.trim();
    const timeout = parameters.map((text) => /timeout=(\d+)/.exec(text)?.[1]).find(Boolean);
    this.#timeoutSeconds = Number(timeout) || DEFAULT_TIMEOUT_SECONDS;
    // The server may have chosen other channels than those that it was asked for.
    const [chosen] = parseTransports(headers.get("transport") ?? "");
    if (chosen?.channels) this.#listen(media, ...chosen.channels);
  }

  #receiveInside(media: IncomingMedia): string {
    const first = 2 * this.#tracks.length;
    this.#tracks.push({ media, close: () => undefined });
    return formatTransport("RTP/AVP/TCP", { interleaved: [first, first + 1] });
  }

  async #receiveByUdp(media: IncomingMedia): Promise<string> {
    const pair = await bindUdpPair(this.#client.localAddress);
    pair.rtp.on("message", (datagram) => media.takeRtp(datagram));
    pair.rtcp.on("message", (datagram, from) => {
      for (const report of media.takeRtcp(datagram)) {
        pair.rtcp.send(report, from.port, from.address, () => undefined);
      }
    });
    this.#tracks.push({ media, close: () => pair.close() });
    return formatTransport("RTP/AVP", { client_port: [pair.rtpPort, pair.rtpPort + 1] });
  }

  #listen(media: IncomingMedia, rtp: number, rtcp: number): void {
    this.#frames.set(rtp, (payload) => media.takeRtp(payload));
    this.#frames.set(rtcp, (payload) => {
      for (const report of media.takeRtcp(payload)) this.#client.sendFrame(rtcp, report);
    });
  }

  #keepAlive(): void {
    this.#cancel = this.#clock.after(this.#timeoutSeconds * 1000 * KEEP_ALIVE_PART, () => {
      // An error shows by the end of the connection.
      void this.#client
        .request("GET_PARAMETER", this.#streamUrl, { Session: this.#session })
        .catch(() => undefined);
      this.#keepAlive();
    });
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#client.close();
    for (const track of this.#tracks) track.close();
  }
}
