// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Client } from "./client";
import { Exchange } from "./exchange";
import { isOfOneTrack, ReaderSession } from "./reader-session";

/** PLAY (RFC 2326 section 10.5). The first reader makes the server play; others join what is there. */
export class PlayExchange extends Exchange {
  /** Whether its legs take media from the first packet on. */
  private isFromStart: bool = false;

  constructor(
    client: Client,
    request: TextMessage,
    private readonly session: ReaderSession,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    const session = this.session;
    const source = session.source;
    const answer = this.answer;
    if (isOfOneTrack(session, this.request.uri))
      this.refuse(460, "PLAY the stream: its tracks play together");
    else if (source.isOver) this.refuse(source.failureStatus, source.failure);
    else if (answer != null && answer.status != 200) {
      session.enable(false);
      this.pass(answer);
    } else if (source.isPlaying || session.isPlaying) this.finish();
    else this.start();
  }

  /** Legs first: the first packets are those of a key frame. */
  private start(): void {
    const session = this.session;
    this.isFromStart = true;
    session.enable(true);
    for (let i = 0; i < session.tracks.length; i++) {
      const leg = session.tracks[i].leg;
      if (leg.isSettled) continue;
      leg.waiter = this;
      return;
    }
    session.source.play(this);
  }

  private finish(): void {
    const session = this.session;
    let info = "";
    for (let i = 0; i < session.tracks.length; i++) {
      const one = session.tracks[i];
      // Who joins later begins at a packet that nobody knows yet.
      info += (i == 0 ? "" : ",") + "url=" + one.url + (this.isFromStart ? one.track.start : "");
    }
    const range = this.isFromStart && session.source.range.length > 0 ? session.source.range : "npt=now-";
    // The change of the flow leaves behind this answer, so that on a shared connection no packet comes before it.
    session.enable(true);
    session.setPlaying(true);
    this.reply(200, session.field + "Range: " + range + "\r\nRTP-Info: " + info + "\r\n");
  }
}
