// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { PPS, SPS } from "../h264-encoder.ts";
import { sessionDescription } from "../sdp.ts";
import { CameraSession, TRACKS, type Track } from "./camera-session.ts";
import type { CameraOptions } from "./rtsp-camera.ts";
import { RtspConnection } from "./rtsp-connection.ts";
import { type FieldsToSend, formatResponse, type RtspItem, type RtspRequest } from "./rtsp-message.ts";
import { parseTransports, type TransportSpec } from "./transport-header.ts";

const METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN"];
const PUBLIC = METHODS.join(", ");

/** Streams of one camera count their pictures from numbers so far apart that they are never mixed up. */
const COUNTERS_PER_STREAM = 100_000_000;

/** What a request is answered with. */
interface Answer {
  readonly status: number;
  readonly fields?: FieldsToSend;
  readonly body?: string;
  /** Called when the answer has been written. */
  readonly afterwards?: () => void;
}

/** A stream, and a track of it, that a URL names. */
interface Target {
  readonly streamUrl: string;
  readonly stream: string;
  readonly track: Track | undefined;
}

/** One connection to the camera: answers requests in order. Its sessions end with it. */
export class CameraConnection {
  readonly #options: Required<CameraOptions>;
  readonly #connection: RtspConnection;
  readonly #sessions = new Map<string, CameraSession>();
  readonly #onMethod: (method: string) => void;
  /** The last request's answer; each waits for the one before. */
  #queue: Promise<void> = Promise.resolve();
  readonly #whenClosed: () => void;

  constructor(
    socket: Socket,
    options: Required<CameraOptions>,
    events: { readonly onMethod: (method: string) => void; readonly onClose: () => void },
  ) {
    this.#options = options;
    this.#onMethod = events.onMethod;
    this.#whenClosed = events.onClose;
    this.#connection = new RtspConnection(socket, {
      onItem: (item) => this.#take(item),
      onClose: () => void this.#close(),
    });
  }

  get sessions(): readonly CameraSession[] {
    return [...this.#sessions.values()];
  }

  get dropped(): number {
    return this.#connection.dropped;
  }

  /** Says goodbye on every session and closes. */
  async stop(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.close()));
    this.#connection.destroy();
  }

  #take(item: RtspItem): void {
    if (item.type === "frame") {
      for (const session of this.#sessions.values()) session.takeFrame(item.channel, item.payload);
    } else if (item.type === "request") {
      this.#queue = this.#queue.then(() => this.#respond(item));
    }
  }

  async #respond(request: RtspRequest): Promise<void> {
    this.#onMethod(request.method);
    const session = this.#sessions.get(sessionId(request));
    session?.touch();
    // Only sockets fail, when there is no port left.
    const failed: Answer = { status: 503 };
    const answer = await this.#answer(request, session).catch(() => failed);
    const { status, fields = {}, body = "", afterwards } = answer;
    const common = { CSeq: request.headers.get("cseq"), Server: "msm-camera" };
    this.#connection.write(formatResponse(status, { ...common, ...fields }, body));
    afterwards?.();
  }

  async #answer(request: RtspRequest, session: CameraSession | undefined): Promise<Answer> {
    const { method } = request;
    if (method === "OPTIONS") return { status: 200, fields: { Public: PUBLIC } };
    if (!METHODS.includes(method)) return { status: 501, fields: { Public: PUBLIC } };
    // Without a session it is how a client asks whether the server is alive.
    if (method === "GET_PARAMETER") return { status: request.body.length === 0 ? 200 : 451 };
    const target = readTarget(request.url);
    if (target === undefined || !this.#options.streams.includes(target.stream)) return { status: 404 };
    if (method === "DESCRIBE") return this.#describe(target);
    if (method === "SETUP") return this.#setUp(request, target, session);
    if (session === undefined) return { status: 454 };
    const Session = session.id;
    if (method === "PLAY") {
      const fields = { Session, Range: "npt=0.000-", "RTP-Info": session.rtpInfo(target.streamUrl) };
      // ffmpeg throws away media that come inside the connection before the answer.
      return { status: 200, fields, afterwards: () => session.play() };
    }
    if (method === "PAUSE") session.pause();
    else await this.#end(session);
    return { status: 200, fields: { Session } };
  }

  #describe({ stream, streamUrl }: Target): Answer {
    const body = sessionDescription({
      address: "0.0.0.0",
      name: stream,
      videoPort: 0,
      audioPort: 0,
      control: (track) => `trackID=${TRACKS.indexOf(track)}`,
      sps: SPS,
      pps: PPS,
    });
    const fields = { "Content-Base": `${streamUrl}/`, "Content-Type": "application/sdp" };
    return { status: 200, fields, body };
  }

  async #setUp(request: RtspRequest, { stream, track }: Target, known?: CameraSession): Promise<Answer> {
    if (track === undefined) return { status: 459 };
    if (known === undefined && request.headers.has("session")) return { status: 454 };
    const wanted = parseTransports(request.headers.get("transport") ?? "").find((spec) => this.#serves(spec));
    if (wanted === undefined) return { status: 461 };
    const session = known ?? this.#newSession(stream);
    const Transport =
      wanted.protocol === "RTP/AVP"
        ? await session.setUpUdp(track, wanted.clientPorts!)
        : session.setUpInterleaved(track, wanted);
    const Session = `${session.id};timeout=${Math.round(this.#options.sessionTimeoutMs / 1000)}`;
    return { status: 200, fields: { Transport, Session } };
  }

  #serves({ protocol, isMulticast, clientPorts }: TransportSpec): boolean {
    if (isMulticast) return false;
    const { transports } = this.#options;
    if (protocol === "RTP/AVP") return transports.includes("udp") && clientPorts !== undefined;
    return protocol === "RTP/AVP/TCP" && transports.includes("tcp");
  }

  #newSession(stream: string): CameraSession {
    const { clock, random, streams, sessionTimeoutMs } = this.#options;
    const session = new CameraSession({
      id: randomBytes(8).toString("hex"),
      stream,
      firstCounter: COUNTERS_PER_STREAM * streams.indexOf(stream),
      connection: this.#connection,
      timeoutMs: sessionTimeoutMs,
      clock,
      random,
      onTimeout: () => void this.#end(session),
    });
    this.#sessions.set(session.id, session);
    return session;
  }

  async #end(session: CameraSession): Promise<void> {
    this.#sessions.delete(session.id);
    await session.close();
  }

  async #close(): Promise<void> {
    this.#whenClosed();
    await Promise.all(this.sessions.map((session) => this.#end(session)));
  }
}

function sessionId(request: RtspRequest): string {
  const [id = ""] = (request.headers.get("session") ?? "").split(";");
  return id.trim();
}

/** Splits `rtsp://host/stream/trackID=0`, with or without the track and a slash behind; queries are passed over. */
function readTarget(url: string): Target | undefined {
  const match = /^(rtsp:\/\/[^/]*)\/([^?]*?)(?:\/trackID=(\d))?\/?(?:\?.*)?$/i.exec(url);
  if (!match) return undefined;
  const [, server, stream = "", track] = match;
  return {
    streamUrl: `${server}/${stream}`,
    stream,
    track: track === undefined ? undefined : TRACKS[Number(track)],
  };
}
