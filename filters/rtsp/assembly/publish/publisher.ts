// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { monotonicMs, randomHex, Sdp, TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { MediaFlow } from "../flows/media-flow";
import { count, Event, Gauge, move } from "../metrics";
import { asBase, resolveUrl } from "../protocol/rtsp-url";
import { sessionIdOf, sessionTimeoutMs } from "../protocol/session-field";
import { Client } from "../readers/client";
import { Exchange } from "../readers/exchange";
import { settings } from "../settings";
import { Route } from "../source/route";
import { trackName } from "../source/track";
import { Upstream, UpstreamOwner } from "../source/upstream";
import { UpstreamRequest } from "../source/upstream-request";
import { wake } from "../waiter";
import { PublishedTrack } from "./published-track";

const SESSION_ID_BYTES: i32 = 16;

const MAX_KEEP_ALIVE_MS: i64 = 15_000;

/** One client that publishes a stream (ANNOUNCE, SETUP, RECORD), and the server that takes it: a session with each. */
export class Publisher extends UpstreamOwner {
  readonly id: string = randomHex(SESSION_ID_BYTES);
  readonly tracks: PublishedTrack[] = [];
  upstream: Upstream | null = null;
  isInterleaved: bool = settings.upstreamTransport == "INTERLEAVED";
  isRecording: bool = false;
  /** Why it is over; empty while it is not. */
  failure: string = "";
  /** When the client last gave a sign of life. */
  seenAt: i64 = monotonicMs();
  private serverSession: string = "";
  private timeoutMs: i64 = 60_000;
  private lastAskedAt: i64 = 0;
  private request: UpstreamRequest | null = null;

  constructor(
    private readonly client: Client,
    private readonly route: Route,
    /** As the client wrote it. */
    readonly url: string,
    readonly sdp: Sdp,
  ) {
    super();
    const base = asBase(url);
    for (let i = 0; i < sdp.media.length; i++) {
      const flow = new MediaFlow(route.url + " published, track " + i.toString());
      flow.idleS = settings.sessionTimeoutS;
      this.tracks.push(new PublishedTrack(i, sdp.media[i], trackName(sdp.media[i], i, base), flow));
    }
    client.addPublisher(this);
    move(Gauge.Publishers, 1);
    move(Gauge.Sessions, 1);
    this.upstream = Upstream.connect(route.handle, this);
    if (this.upstream == null) this.failure = "the proxy takes no more connections to servers";
  }

  get isOver(): bool {
    return this.failure.length > 0;
  }

  /** The Session field of an answer. */
  get field(): string {
    return "Session: " + this.id + ";timeout=" + settings.sessionTimeoutS.toString() + "\r\n";
  }

  /** Whether a track is set up. */
  get hasSetup(): bool {
    for (let i = 0; i < this.tracks.length; i++) if (this.tracks[i].isReady) return true;
    return false;
  }

  /** The track that a URI of the client's names; null where there is none. */
  findTrack(uri: string): PublishedTrack | null {
    for (let i = 0; i < this.tracks.length; i++)
      if (uri.endsWith("/" + this.tracks[i].name)) return this.tracks[i];
    return this.tracks.length == 1 ? this.tracks[0] : null;
  }

  /** Lets media flow, or not, on every track that is set up. */
  enable(isEnabled: bool): void {
    this.isRecording = isEnabled;
    for (let i = 0; i < this.tracks.length; i++) if (this.tracks[i].isReady) this.tracks[i].enable(isEnabled);
  }

  /** The server's URL of the stream, or of one of its tracks. */
  urlOf(track: PublishedTrack | null): string {
    return track == null ? this.route.url : resolveUrl(this.route.url, track.name);
  }

  /** Passes a request of the client on, as soon as the server can be asked; the answer comes to the exchange. */
  relay(exchange: Exchange, track: PublishedTrack | null, fields: string, body: string): void {
    if (exchange.isAsked) return;
    exchange.isAsked = true;
    const message = exchange.request;
    const request = new UpstreamRequest(message.method, this.urlOf(track), message.field("authorization"));
    request.exchange = exchange;
    request.fields = fields;
    request.body = body;
    request.add("Session", this.serverSession);
    request.add("User-Agent", message.field("user-agent"));
    this.request = request;
    this.advance();
  }

  advance(): void {
    const upstream = this.upstream;
    const request = this.request;
    if (upstream == null || request == null || !upstream.isIdle) return;
    const exchange = request.exchange;
    this.request = null;
    if (exchange != null && exchange.isDone) return;
    this.lastAskedAt = monotonicMs();
    upstream.send(request);
  }

  onUpstreamReady(): void {
    this.advance();
  }

  onAnswer(request: UpstreamRequest, answer: TextMessage): void {
    this.route.report(answer.status);
    const exchange = request.exchange;
    if (request.method == "SETUP" && answer.status == 200) {
      this.serverSession = sessionIdOf(answer.field("session"));
      this.timeoutMs = sessionTimeoutMs(answer.field("session"));
    }
    if (exchange != null && !exchange.isDone) {
      exchange.answer = answer;
      wake(exchange);
    }
    this.advance();
  }

  onUpstreamLost(problem: string): void {
    this.route.report(0);
    this.upstream = null;
    this.failure = "the server " + this.route.endpoint + " is lost: " + problem;
    const exchange = this.client.pending;
    // Who waits is told why; who publishes has its connection closed.
    if (exchange != null) exchange.advance();
    this.client.close();
  }

  onTick(nowMs: i64): void {
    if (this.isOver) return;
    if (nowMs - this.seenAt > settings.sessionTimeoutS * 1_000 && this.isSilent) {
      count(Event.SessionsTimedOut);
      this.client.close();
      return;
    }
    const isDue = nowMs - this.lastAskedAt >= min(this.timeoutMs / 2, MAX_KEEP_ALIVE_MS);
    if (this.serverSession.length == 0 || this.request != null || !isDue) return;
    const request = new UpstreamRequest("OPTIONS", this.route.url, "");
    request.add("Session", this.serverSession);
    this.request = request;
    this.advance();
  }

  /** Ends it, with the flows and the server's session. */
  end(): void {
    const upstream = this.upstream;
    this.upstream = null;
    if (upstream != null) upstream.end(this.lastRequest());
    if (!this.isOver) this.failure = "it has ended";
    for (let i = 0; i < this.tracks.length; i++) this.tracks[i].flow.close();
    this.route.release();
    this.client.removePublisher();
    move(Gauge.Publishers, -1);
    move(Gauge.Sessions, -1);
  }

  /** Whether no media come: those that do are a sign of life as well. */
  private get isSilent(): bool {
    for (let i = 0; i < this.tracks.length; i++)
      if (this.tracks[i].isReady && !this.tracks[i].flow.isIdle) return false;
    return true;
  }

  private lastRequest(): UpstreamRequest | null {
    if (this.serverSession.length == 0) return null;
    const request = new UpstreamRequest("TEARDOWN", this.route.url, "");
    request.add("Session", this.serverSession);
    return request;
  }
}
