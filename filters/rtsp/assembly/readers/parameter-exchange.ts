// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Client } from "./client";
import { Exchange } from "./exchange";
import { ReaderSession } from "./reader-session";

/**
 * GET_PARAMETER and SET_PARAMETER (RFC 2326 sections 10.8 and 10.9). Without a body it is a sign of life, which is the
 * proxy's to answer; parameters are the server's.
 */
export class ParameterExchange extends Exchange {
  constructor(
    client: Client,
    request: TextMessage,
    private readonly session: ReaderSession | null,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    const session = this.session;
    const answer = this.answer;
    if (this.request.body.length == 0) this.reply(200, session == null ? "" : session.field);
    else if (session == null) this.refuse(454, "parameters are those of a session");
    else if (answer != null) this.pass(answer);
    else if (session.source.isOver) this.refuse(session.source.failureStatus, session.source.failure);
    else session.source.relay(this);
  }
}
