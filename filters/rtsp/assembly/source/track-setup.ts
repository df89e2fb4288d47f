// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { sessionIdOf, sessionTimeoutMs } from "../protocol/session-field";
import { Exchange } from "../readers/exchange";
import { settings } from "../settings";
import { ServerSession } from "./server-session";
import { Track, TrackState } from "./track";
import { UpstreamRequest } from "./upstream-request";

/** The tracks of a source, and how they are set up at the server: a flow first, whose ports SETUP names. */
export abstract class TrackSetup extends ServerSession {
  tracks: Track[] = [];
  isPlaying: bool = false;
  private isInterleaved: bool = settings.upstreamTransport == "INTERLEAVED";

  /** `exchange` is to be told when something changes. */
  abstract wait(exchange: Exchange): void;

  /** Lets all that wait look again; who still waits says so. */
  protected abstract kick(): void;

  /** Sets a track up, for a reader. */
  setUp(track: Track, exchange: Exchange): void {
    this.wait(exchange);
    if (track.state != TrackState.Unset) return;
    track.asker = exchange;
    this.open(track);
  }

  protected open(track: Track): void {
    const upstream = this.upstream;
    if (upstream == null || !upstream.isReady) return;
    track.open(upstream, this.isInterleaved);
    track.leg.waiter = this;
  }

  /** SETUP of a track whose ports are known. */
  protected askForOpened(track: Track): void {
    if (track.state != TrackState.Opening) return;
    if (track.leg.isFailed) {
      this.refuse(track, 503, track.flow.failure);
      return;
    }
    // One after the other: all but the first name the session that the first one began.
    if (!track.leg.isSettled || this.isSetUpAsked) return;
    const asker = track.asker;
    const signed = asker == null ? "" : asker.request.field("authorization");
    const request = new UpstreamRequest("SETUP", track.url, signed.length > 0 ? signed : this.credentials);
    request.track = track;
    request.add("Transport", track.transport);
    request.add("Session", this.sessionId);
    track.state = TrackState.Asked;
    this.requests.push(request);
  }

  protected onSetUp(track: Track, answer: TextMessage): void {
    if (answer.status == 461 && !track.leg.isInterleaved && settings.upstreamTransport == "AUTOMATIC") {
      this.isInterleaved = true;
      this.open(track);
      return;
    }
    if (answer.status != 200) {
      const asker = track.asker;
      if (asker != null) asker.answer = answer;
      this.refuse(track, answer.status, answer.reason);
      return;
    }
    const problem = track.accept(answer.field("transport"));
    if (problem.length > 0) {
      this.refuse(track, 502, problem);
      return;
    }
    this.sessionId = sessionIdOf(answer.field("session"));
    this.timeoutMs = sessionTimeoutMs(answer.field("session"));
    track.state = TrackState.Ready;
    track.asker = null;
    // A track that comes later has to be played as well; the others go on meanwhile.
    this.isPlaying = false;
    this.kick();
  }

  /** A track is not to be had. Who asked is told; others may ask for themselves. */
  protected refuse(track: Track, status: i32, reason: string): void {
    const asker = track.asker;
    track.state = TrackState.Unset;
    track.isRefused = asker == null;
    track.asker = null;
    if (asker != null && asker.answer == null) asker.answer = localAnswer(status, reason);
    this.kick();
  }

  /** Sets up what nobody has asked for, as far as it is RTP and the server did not refuse it. */
  protected openOthers(): void {
    for (let i = 0; i < this.tracks.length; i++) {
      const track = this.tracks[i];
      if (track.state == TrackState.Unset && track.isRtp && !track.isRefused) this.open(track);
    }
  }

  /** Whether the server has a SETUP to answer. */
  private get isSetUpAsked(): bool {
    for (let i = 0; i < this.tracks.length; i++) if (this.tracks[i].state == TrackState.Asked) return true;
    return false;
  }

  /** Whether a track is being set up. */
  protected get isSettingUp(): bool {
    for (let i = 0; i < this.tracks.length; i++) {
      const state = this.tracks[i].state;
      if (state == TrackState.Opening || state == TrackState.Asked) return true;
    }
    return false;
  }
}

function localAnswer(status: i32, reason: string): TextMessage {
  const answer = new TextMessage();
  answer.status = status;
  answer.reason = reason;
  return answer;
}
