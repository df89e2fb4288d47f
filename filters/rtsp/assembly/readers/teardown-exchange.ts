// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Client } from "./client";
import { Exchange } from "./exchange";
import { isOfOneTrack, ReaderSession } from "./reader-session";

/** TEARDOWN (RFC 2326 section 10.7) of one reader. */
export class TeardownExchange extends Exchange {
  constructor(
    client: Client,
    request: TextMessage,
    private readonly session: ReaderSession,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    if (isOfOneTrack(this.session, this.request.uri)) {
      this.refuse(460, "TEARDOWN the stream: its tracks go together");
      return;
    }
    this.session.end();
    this.reply(200, "Session: " + this.session.id + "\r\n");
  }
}
