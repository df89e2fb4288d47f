// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Leg } from "../flows/leg";
import { MAX_PER_CONNECTION } from "../limits";
import { RtspUrl } from "../protocol/rtsp-url";
import { sessionIdOf } from "../protocol/session-field";
import { Transport } from "../protocol/transport";
import { findTrack } from "../source/find-track";
import { Source } from "../source/source";
import { Track, TrackState } from "../source/track";
import { chooseTransport } from "./choose-transport";
import { Client } from "./client";
import { sourceOf } from "./describe-exchange";
import { Exchange } from "./exchange";
import { ReaderSession, ReaderTrack } from "./reader-session";
import { receiverLeg, receiverTransport } from "./receiver-leg";

/** SETUP of a reader (RFC 2326 section 10.4): the track is set up at the server, then the reader gets a leg of its flow. */
export class SetupExchange extends Exchange {
  private session: ReaderSession | null = null;
  private source: Source | null = null;
  private transport: Transport | null = null;
  private track: Track | null = null;
  private leg: Leg | null = null;

  constructor(
    client: Client,
    request: TextMessage,
    private readonly url: RtspUrl,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    let source = this.source;
    if (source == null) {
      source = this.findSource();
      if (source == null) return;
      this.source = source;
    }
    const answer = this.answer;
    if (answer != null && answer.status != 200) this.pass(answer);
    else if (source.isOver) this.refuse(source.failureStatus, source.failure);
    else if (source.sdp == null) source.describe(this);
    else this.setUp(source);
  }

  onAbandoned(): void {
    const track = this.track;
    const leg = this.leg;
    if (track != null && leg != null) track.flow.remove(leg);
  }

  private findSource(): Source | null {
    if (this.request.has("session") && !this.findSession()) return null;
    const session = this.session;
    if (session != null) return session.source;
    if (this.client.sessions.length == MAX_PER_CONNECTION) {
      this.refuse(503, "one connection has at most " + MAX_PER_CONNECTION.toString() + " sessions");
      return null;
    }
    const url = this.url.toString();
    const descriptions = this.client.descriptions;
    let found: Source | null = null;
    let length = 0;
    for (let i = 0; i < descriptions.length; i++) {
      const one = descriptions[i];
      if (one.source.isOver || one.url.length < length || !isBelow(url, one.url)) continue;
      found = one.source;
      length = one.url.length;
    }
    return found != null ? found : this.findUndescribed();
  }

  /** The stream of a track that was not described on this connection: the client has its description from elsewhere. */
  private findUndescribed(): Source | null {
    const path = this.url.path;
    const slash = path.lastIndexOf("/");
    const parent = slash > 0 ? path.substring(0, slash) : path;
    const source = sourceOf(this, new RtspUrl(this.url.authority, this.url.host, parent));
    if (source == null || !source.isGuarded) return source;
    this.refuse(455, "this stream needs credentials: DESCRIBE it first, on this connection");
    return null;
  }

  private findSession(): bool {
    const id = sessionIdOf(this.request.field("session"));
    const sessions = this.client.sessions;
    for (let i = 0; i < sessions.length; i++) if (sessions[i].id == id) this.session = sessions[i];
    const session = this.session;
    if (session == null) this.refuse(454, "this connection has no session of that id");
    else if (session.isPlaying) this.refuse(455, "the session plays: PAUSE it or TEARDOWN first");
    return !this.isDone;
  }

  private setUp(source: Source): void {
    let track = this.track;
    if (track == null) {
      track = this.findTrack(source);
      if (track == null) return;
      this.track = track;
    }
    const leg = this.leg;
    if (track.state != TrackState.Ready) source.setUp(track, this);
    else if (leg == null) this.addLeg(track);
    else if (leg.isFailed) this.refuse(503, track.flow.failure);
    else if (leg.isSettled) this.finish(source, track, leg);
  }

  private findTrack(source: Source): Track | null {
    const track = findTrack(source.tracks, this.url.toString());
    if (track == null || !track.isRtp) {
      this.refuse(track == null ? 459 : 461, "the URL is of no track that can be set up");
      return null;
    }
    const session = this.session;
    for (let i = 0; session != null && i < session.tracks.length; i++) {
      if (session.tracks[i].track != track) continue;
      this.refuse(455, "the track is set up already: TEARDOWN first");
      return null;
    }
    const choice = chooseTransport(this.request.field("transport"), track.media.protocol, this.client);
    this.transport = choice.transport;
    if (choice.status != 200) this.refuse(choice.status, choice.problem);
    return choice.status == 200 ? track : null;
  }

  private addLeg(track: Track): void {
    const transport = this.transport;
    if (transport == null) return;
    const leg = receiverLeg(this.client, track, transport);
    leg.waiter = this;
    this.leg = leg;
    track.flow.put(leg);
  }

  private finish(source: Source, track: Track, leg: Leg): void {
    let session = this.session;
    if (session == null) session = new ReaderSession(this.client, source);
    session.tracks.push(new ReaderTrack(track, leg, this.url.toString()));
    const transport = receiverTransport(this.client, track, leg);
    this.leg = null;
    this.reply(200, session.field + "Transport: " + transport + "\r\n");
  }
}

/** Whether `url` is that of a stream or of something below it. */
function isBelow(url: string, stream: string): bool {
  if (!url.startsWith(stream)) return false;
  if (url.length == stream.length || stream.endsWith("/")) return true;
  const next = url.charCodeAt(stream.length);
  // A slash, a question mark or an ampersand.
  return next == 0x2f || next == 0x3f || next == 0x26;
}
