// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase, Sdp, TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { MAX_TRACKS } from "../limits";
import { RtspUrl } from "../protocol/rtsp-url";
import { Client } from "../readers/client";
import { Exchange } from "../readers/exchange";
import { Route, RouteQuery } from "../source/route";
import { Publisher } from "./publisher";

/** ANNOUNCE of a client (RFC 2326 section 10.3): it will publish this stream. The server may take it or not. */
export class AnnounceExchange extends Exchange {
  private publisher: Publisher | null = null;

  constructor(
    client: Client,
    request: TextMessage,
    private readonly url: RtspUrl,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    let publisher = this.publisher;
    if (publisher == null) {
      publisher = this.findPublisher();
      if (publisher == null) return;
      this.publisher = publisher;
    }
    const answer = this.answer;
    if (answer != null) this.finish(publisher, answer);
    else if (publisher.isOver) {
      this.refuse(503, publisher.failure);
    } else this.announce(publisher);
  }

  private findPublisher(): Publisher | null {
    if (!lowerCase(this.request.field("content-type")).startsWith("application/sdp")) {
      this.refuse(415, "a description is application/sdp");
      return null;
    }
    const sdp = new Sdp(this.request.body);
    if (!sdp.isValid || sdp.media.length == 0 || sdp.media.length > MAX_TRACKS) {
      this.refuse(400, "the description is no SDP with 1 to " + MAX_TRACKS.toString() + " media");
      return null;
    }
    const known = this.client.publisher;
    const url = this.url.toString();
    // Again with credentials: on the same connection to the server, to which its challenge may be bound.
    if (known != null && known.url == url && !known.hasSetup && !known.isOver) return known;
    if (known != null && known.isOver) known.end();
    else if (known != null) {
      this.refuse(455, "this connection publishes already");
      return null;
    }
    const route = Route.find(new RouteQuery(this.url, this.request, this.client.remote));
    if (route.endpoint.length > 0) return new Publisher(this.client, route, url, sdp);
    route.release();
    this.refuse(route.status >= 400 ? route.status : 404, route.reason);
    return null;
  }

  private announce(publisher: Publisher): void {
    const upstream = publisher.upstream;
    if (upstream == null || this.isAsked) return;
    const names: string[] = [];
    for (let i = 0; i < publisher.tracks.length; i++) names.push(publisher.tracks[i].name);
    const address = this.client.advertisedIp;
    const body = publisher.sdp.rewritten(address, "*", names);
    publisher.relay(this, null, "Content-Type: application/sdp\r\n", body);
  }

  private finish(publisher: Publisher, answer: TextMessage): void {
    if (answer.status != 200 && answer.status != 401) publisher.end();
    this.pass(answer);
  }
}
