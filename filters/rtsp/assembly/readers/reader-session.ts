// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { monotonicMs, randomHex } from "@msm/filter-sdk/assembly/signalling";
import { Leg } from "../flows/leg";
import { Gauge, move } from "../metrics";
import { settings } from "../settings";
import { Source } from "../source/source";
import { Track } from "../source/track";
import { Waiter } from "../waiter";
import { Client } from "./client";

/** 128 bits: a session id cannot be guessed (RFC 2326 section 3.4 asks for eight octets at least). */
const ID_BYTES: i32 = 16;

/** A track as one reader gets it. */
export class ReaderTrack {
  constructor(
    readonly track: Track,
    readonly leg: Leg,
    /** As the reader addressed it. */
    readonly url: string,
  ) {}
}

/** What one reader set up of one stream. */
export class ReaderSession extends Waiter {
  readonly id: string = randomHex(ID_BYTES);
  readonly tracks: ReaderTrack[] = [];
  isPlaying: bool = false;
  /** When the reader last gave a sign of life. */
  seenAt: i64 = monotonicMs();
  private isOver: bool = false;

  constructor(
    private readonly client: Client,
    readonly source: Source,
  ) {
    super();
    client.addSession(this);
    source.addSession(this);
    move(Gauge.Sessions, 1);
  }

  /** The Session field of an answer. */
  get field(): string {
    return "Session: " + this.id + ";timeout=" + settings.sessionTimeoutS.toString() + "\r\n";
  }

  isTimedOut(nowMs: i64): bool {
    return nowMs - this.seenAt > settings.sessionTimeoutS * 1_000;
  }

  /** Lets media flow, or not, to every track. */
  enable(isEnabled: bool): void {
    for (let i = 0; i < this.tracks.length; i++) {
      const leg = this.tracks[i].leg;
      if (leg.isEnabled == isEnabled) continue;
      leg.isEnabled = isEnabled;
      this.tracks[i].track.flow.put(leg);
    }
  }

  setPlaying(isPlaying: bool): void {
    if (this.isPlaying != isPlaying) move(Gauge.Readers, isPlaying ? 1 : -1);
    this.isPlaying = isPlaying;
  }

  /** Takes its legs away. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.setPlaying(false);
    for (let i = 0; i < this.tracks.length; i++) this.tracks[i].track.flow.remove(this.tracks[i].leg);
    this.client.removeSession(this);
    this.source.removeSession(this);
    move(Gauge.Sessions, -1);
  }

  /** The source is over, and its flows are closed. The reader's end of it is that of its connection. */
  advance(): void {
    if (this.isOver) return;
    this.client.close();
    this.end();
  }
}

/** Whether a URI names one of several tracks, where the session goes as a whole (RFC 2326 section 10.4). */
export function isOfOneTrack(session: ReaderSession, uri: string): bool {
  if (session.tracks.length < 2) return false;
  for (let i = 0; i < session.tracks.length; i++) if (session.tracks[i].url == uri) return true;
  return false;
}
