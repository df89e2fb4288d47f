// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { LogLevel, log, monotonicMs, Sdp, TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { MAX_TRACKS } from "../limits";
import { count, Event, Gauge, move } from "../metrics";
import { isReusable } from "../protocol/credentials";
import { RtpInfo } from "../protocol/rtp-info";
import { Exchange } from "../readers/exchange";
import { ReaderSession } from "../readers/reader-session";
import { settings } from "../settings";
import { wake } from "../waiter";
import { findTrack } from "./find-track";
import { Route } from "./route";
import { forgetSource } from "./source-table";
import { baseOf, isAlike, tracksOf } from "./stream-description";
import { TrackState, trackUrl } from "./track";
import { TrackSetup } from "./track-setup";
import { Upstream } from "./upstream";
import { UpstreamRequest } from "./upstream-request";

/** Readers are to have their stream again, from another server or the same, within so many milliseconds. */
const REVIVAL_MS: i64 = 2_000;

/** Endpoints that are tried at once for who asks first; more only keep a reader waiting. */
const MAX_ATTEMPTS: i32 = 3;

/**
 * One stream of one server, with one session there, whoever and however many read it. It does what is wanted of it one
 * request after the other: describe, set tracks up, play, keep alive; and all of it again where the server is lost.
 */
export class Source extends TrackSetup {
  /** Whether readers must show credentials that the server accepts. */
  isGuarded: bool = false;
  /** Range that the server said when it began to play. */
  range: string = "";
  /** Why it is over: status and reason for those that wait. 0 while it is not. */
  failureStatus: i32 = 0;
  failure: string = "";
  private readonly sessions: ReaderSession[] = [];
  private waiting: Exchange[] = [];
  private isDescribing: bool = false;
  private wantsPlay: bool = false;
  private isPlayAsked: bool = false;
  private player: Exchange | null = null;
  /** What the first reader asked to play; the same of a server that takes over. Without a wish, what most clients ask. */
  private askedRange: string = "npt=0.000-";
  /** Since when nobody needs it; 0 while somebody does. */
  private unusedSince: i64 = 0;
  private attempts: i32 = 0;
  /** Until when it may look for a server again; 0 while it has one. */
  private reviveUntil: i64 = 0;

  constructor(
    route: Route,
    readonly key: string,
  ) {
    super(route);
    this.unusedSince = monotonicMs();
    move(Gauge.Sources, 1);
  }

  get isOver(): bool {
    return this.failureStatus != 0;
  }

  // What readers want of it.

  /** `exchange` is to be told when something changes. */
  wait(exchange: Exchange): void {
    if (!exchange.isWaiting) this.waiting.push(exchange);
    exchange.isWaiting = true;
    this.unusedSince = 0;
  }

  /** Asks the server to describe the stream for a reader; one at a time. */
  describe(exchange: Exchange): void {
    this.wait(exchange);
    if (this.isDescribing || exchange.isAsked) return;
    this.isDescribing = true;
    exchange.isAsked = true;
    const request = this.describeRequest(exchange.request.field("authorization"));
    request.exchange = exchange;
    request.add("User-Agent", exchange.request.field("user-agent"));
    this.requests.push(request);
    this.advance();
  }

  play(exchange: Exchange): void {
    this.wait(exchange);
    if (this.wantsPlay) return;
    this.wantsPlay = true;
    this.player = exchange;
    this.advance();
  }

  /** Passes a request of a reader on; its answer comes to `exchange.answer`. */
  relay(exchange: Exchange): void {
    if (exchange.isAsked) return;
    exchange.isAsked = true;
    this.wait(exchange);
    const message = exchange.request;
    const request = this.sessionRequest(message.method, message.field("authorization"));
    request.exchange = exchange;
    request.add("Content-Type", message.field("content-type"));
    request.body = message.body;
    this.requests.push(request);
    this.advance();
  }

  addSession(session: ReaderSession): void {
    this.sessions.push(session);
    this.unusedSince = 0;
  }

  removeSession(session: ReaderSession): void {
    const index = this.sessions.indexOf(session);
    if (index < 0) return;
    this.sessions[index] = this.sessions[this.sessions.length - 1];
    this.sessions.pop();
  }

  // What it does for that.

  /** Does the next thing that can be done. */
  advance(): void {
    if (this.isOver) return;
    const upstream = this.upstream;
    if (upstream == null) {
      this.connect();
      return;
    }
    for (let i = 0; i < this.tracks.length; i++) this.askForOpened(this.tracks[i]);
    this.askToPlay();
    while (upstream.isIdle && this.requests.length > 0) {
      const request = this.requests.shift();
      const exchange = request.exchange;
      if (exchange != null && exchange.isDone && request.method == "DESCRIBE") {
        this.isDescribing = false;
        this.kick();
        continue;
      }
      this.send(upstream, request);
    }
  }

  onTick(nowMs: i64): void {
    if (this.isOver) return;
    if (this.reviveUntil > 0 && nowMs > this.reviveUntil) {
      this.fail(503, "the source is gone, and no other one took over");
      return;
    }
    if (this.upstream == null && this.reviveUntil > 0) this.connect();
    this.forgetDone();
    if (this.sessions.length > 0 || this.waiting.length > 0) this.unusedSince = 0;
    else if (this.unusedSince == 0) this.unusedSince = nowMs;
    const isUnused = this.unusedSince > 0 && nowMs - this.unusedSince >= settings.lingerMs;
    if (isUnused) this.fail(503, "nobody reads it");
    else this.keepAlive(nowMs);
  }

  onUpstreamReady(): void {
    // Who is looking for a server anew has to see first whether it is the same stream.
    if (this.sdp != null) this.describeAgain();
    this.advance();
  }

  onAnswer(request: UpstreamRequest, answer: TextMessage): void {
    this.route.report(answer.status);
    const exchange = request.exchange;
    const track = request.track;
    if (request.method == "DESCRIBE") this.onDescribed(request, answer);
    else if (track != null) this.onSetUp(track, answer);
    else if (request.method == "PLAY") this.onPlayed(answer);
    else if (exchange != null) this.answerExchange(exchange, answer);
    else this.onKeptAlive(answer);
    this.advance();
  }

  onUpstreamLost(problem: string): void {
    if (this.isOver) return;
    const isNew = this.sdp == null;
    this.upstream = null;
    this.route.report(0);
    this.forgetRequests();
    if (isNew && ++this.attempts < MAX_ATTEMPTS) {
      this.advanceElsewhere();
      return;
    }
    const canRevive = !isNew && this.sessions.length > 0 && (!this.isGuarded || this.credentials.length > 0);
    if (canRevive) this.revive(problem);
    else this.fail(503, "the source " + this.route.endpoint + " is lost: " + problem);
  }

  /** Another endpoint for those that wait for the first description. */
  private advanceElsewhere(): void {
    this.selectAgain();
    this.kick();
  }

  private revive(problem: string): void {
    if (this.reviveUntil == 0) {
      count(Event.SourcesLost);
      log(LogLevel.Warn, "lost " + this.route.url + " at " + this.route.endpoint + ": " + problem);
      this.reviveUntil = monotonicMs() + REVIVAL_MS;
      this.attempts = 0;
    }
    this.isPlaying = false;
    this.sessionId = "";
    this.selectAgain();
    // The first look elsewhere is at once; further ones at every tick.
    if (this.attempts++ < MAX_ATTEMPTS) this.connect();
  }

  private connect(): void {
    if (this.upstream != null) return;
    if (this.route.endpoint.length == 0 && this.reviveUntil > 0) this.selectAgain();
    if (this.route.endpoint.length == 0) {
      // Who looks for a server anew may find one with the next tick.
      if (this.reviveUntil == 0) this.fail(this.route.status, this.route.reason);
      return;
    }
    const upstream = Upstream.connect(this.route.handle, this);
    if (upstream == null) this.fail(503, "the proxy takes no more connections to servers");
    else this.upstream = upstream;
  }

  private describeAgain(): void {
    this.isDescribing = true;
    this.requests.unshift(this.describeRequest(this.credentials));
  }

  private onDescribed(request: UpstreamRequest, answer: TextMessage): void {
    this.isDescribing = false;
    const exchange = request.exchange;
    if (exchange == null) {
      this.onDescribedAgain(answer);
      return;
    }
    const authorization = exchange.request.field("authorization");
    if (answer.status == 200 && this.sdp == null) {
      const problem = this.accept(answer);
      if (problem.length > 0) {
        this.fail(502, problem);
        return;
      }
      this.isGuarded = authorization.length > 0;
      if (isReusable(authorization)) this.credentials = authorization;
    }
    exchange.answer = answer;
    this.kick();
  }

  /** Takes the description that a server sent. Returns what is wrong with it; empty where nothing is. */
  private accept(answer: TextMessage): string {
    const sdp = new Sdp(answer.body);
    if (!sdp.isValid || sdp.media.length == 0 || sdp.media.length > MAX_TRACKS) {
      return "the source's description is no SDP with 1 to " + MAX_TRACKS.toString() + " media";
    }
    this.sdp = sdp;
    this.base = baseOf(answer, this.route.url);
    this.tracks = tracksOf(sdp, this.base, this.route.url);
    return "";
  }

  private onDescribedAgain(answer: TextMessage): void {
    const known = this.sdp;
    const sdp = new Sdp(answer.body);
    if (answer.status != 200 || known == null || !isAlike(sdp, known)) {
      this.fail(503, "the source is gone, and the one that took over has another stream");
      return;
    }
    this.base = baseOf(answer, this.route.url);
    for (let i = 0; i < this.tracks.length; i++) {
      const track = this.tracks[i];
      const wasReady = track.state != TrackState.Unset;
      track.media = sdp.media[i];
      track.url = trackUrl(sdp.media[i], this.base);
      track.state = TrackState.Unset;
      if (wasReady) this.open(track);
    }
    if (!this.wantsPlay) this.endRevival();
  }

  /** PLAY, once every track is set up that should be. */
  private askToPlay(): void {
    if (!this.wantsPlay || this.isPlaying || this.isPlayAsked || (this.reviveUntil > 0 && this.isDescribing))
      return;
    const player = this.player;
    // Tracks that nobody has asked for yet may be asked for later, when many servers refuse SETUP. What has to be
    // signed for can only be what the reader signed.
    if (!this.isGuarded || this.credentials.length > 0) this.openOthers();
    if (this.isSettingUp) return;
    if (this.sessionId.length == 0) return;
    const request = this.sessionRequest("PLAY", player == null ? "" : player.request.field("authorization"));
    if (player != null && player.request.has("range")) this.askedRange = player.request.field("range");
    request.add("Range", this.askedRange);
    this.isPlayAsked = true;
    this.requests.push(request);
  }

  private onPlayed(answer: TextMessage): void {
    const player = this.player;
    this.player = null;
    this.isPlayAsked = false;
    if (answer.status != 200) {
      this.wantsPlay = false;
      if (player != null) player.answer = answer;
      if (this.reviveUntil > 0)
        this.fail(503, "the source is gone, and the one that took over does not play");
      else this.kick();
      return;
    }
    this.isPlaying = true;
    this.range = answer.field("range");
    this.readStart(answer.field("rtp-info"));
    if (this.reviveUntil > 0) this.endRevival();
    this.attempts = 0;
    this.kick();
    // What the server can be kept alive with, it says in Public.
    this.requests.push(this.sessionRequest("OPTIONS", ""));
  }

  private endRevival(): void {
    count(Event.SourcesRevived);
    log(LogLevel.Info, "goes on with " + this.route.url + " at " + this.route.endpoint);
    this.reviveUntil = 0;
    this.attempts = 0;
  }

  private readStart(field: string): void {
    const entries = RtpInfo.parseAll(field);
    for (let i = 0; i < entries.length; i++) {
      const track = findTrack(this.tracks, entries[i].url);
      if (track != null) track.start = entries[i].start;
    }
  }

  private onKeptAlive(answer: TextMessage): void {
    if (answer.status != 454) {
      this.noteAlive(answer);
      return;
    }
    // The server has forgotten the session, so that there are no media either.
    const upstream = this.upstream;
    if (upstream != null) upstream.end(null);
    this.onUpstreamLost("it has forgotten the session");
  }

  private answerExchange(exchange: Exchange, answer: TextMessage): void {
    exchange.answer = answer;
    this.kick();
  }

  protected kick(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (let i = 0; i < waiting.length; i++) {
      waiting[i].isWaiting = false;
      wake(waiting[i]);
    }
  }

  /** Those that are gone wait no longer. */
  private forgetDone(): void {
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      if (this.waiting[i].isDone) this.waiting.splice(i, 1);
    }
  }

  /** What was asked of a server that is gone is to be asked again. */
  private forgetRequests(): void {
    this.requests = [];
    this.isDescribing = false;
    this.isPlayAsked = false;
    for (let i = 0; i < this.waiting.length; i++) this.waiting[i].isAsked = false;
  }

  /** Ends it: those that wait get the status, and readers a clean end. */
  private fail(status: i32, reason: string): void {
    if (this.isOver) return;
    this.failureStatus = status;
    this.failure = reason;
    forgetSource(this);
    move(Gauge.Sources, -1);
    this.endUpstream();
    this.route.release();
    for (let i = 0; i < this.tracks.length; i++) this.tracks[i].flow.close();
    this.kick();
    for (let i = 0; i < this.sessions.length; i++) wake(this.sessions[i]);
  }
}
