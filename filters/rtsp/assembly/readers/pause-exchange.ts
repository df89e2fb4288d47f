// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Client } from "./client";
import { Exchange } from "./exchange";
import { isOfOneTrack, ReaderSession } from "./reader-session";

/** PAUSE (RFC 2326 section 10.6) of one reader: the source plays on for the others, and for its return. */
export class PauseExchange extends Exchange {
  constructor(
    client: Client,
    request: TextMessage,
    private readonly session: ReaderSession,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    const session = this.session;
    if (isOfOneTrack(session, this.request.uri))
      this.refuse(460, "PAUSE the stream: its tracks play together");
    else if (!session.isPlaying) this.refuse(455, "the session does not play");
    else {
      session.enable(false);
      session.setPlaying(false);
      this.reply(200, session.field);
    }
  }
}
