// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Client } from "../readers/client";
import { Exchange } from "../readers/exchange";
import { Publisher } from "./publisher";

/** RECORD, PAUSE and TEARDOWN of a client that publishes: for the server to do, with the flows in step. */
export class PublishStateExchange extends Exchange {
  constructor(
    client: Client,
    request: TextMessage,
    private readonly publisher: Publisher,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    const publisher = this.publisher;
    const method = this.request.method;
    const answer = this.answer;
    if (answer != null) this.finish(answer);
    else if (publisher.isOver) this.refuse(503, publisher.failure);
    else if (method == "RECORD") this.record();
    else if (method == "PAUSE" || method == "TEARDOWN") publisher.relay(this, null, "", "");
    else this.refuse(455, method + " is for those that read; this session publishes");
  }

  /** The flows take media before the client is told to send them. */
  private record(): void {
    const publisher = this.publisher;
    if (!publisher.hasSetup) {
      this.refuse(455, "no track is set up");
      return;
    }
    if (!publisher.isRecording) publisher.enable(true);
    for (let i = 0; i < publisher.tracks.length; i++) {
      const track = publisher.tracks[i];
      if (!track.isReady || (track.from.isSettled && track.to.isSettled)) continue;
      const leg = track.from.isSettled ? track.to : track.from;
      leg.waiter = this;
      return;
    }
    publisher.relay(this, null, rangeField(this.request), "");
  }

  private finish(answer: TextMessage): void {
    const publisher = this.publisher;
    const method = this.request.method;
    if (method == "TEARDOWN") publisher.end();
    else if (answer.status == 200 && method == "PAUSE") publisher.enable(false);
    else if (answer.status != 200 && method == "RECORD") publisher.enable(false);
    if (answer.status == 200) this.reply(200, publisher.field);
    else this.pass(answer);
  }
}

function rangeField(request: TextMessage): string {
  return request.has("range") ? "Range: " + request.field("range") + "\r\n" : "";
}
