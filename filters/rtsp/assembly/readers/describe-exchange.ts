// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { lowerCase, TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { asBase, RtspUrl } from "../protocol/rtsp-url";
import { Route, RouteQuery } from "../source/route";
import { Source } from "../source/source";
import { sourceFor } from "../source/source-table";
import { Client } from "./client";
import { Exchange } from "./exchange";

/** DESCRIBE (RFC 2326 section 10.2): from what is known of the stream, or by asking its server. */
export class DescribeExchange extends Exchange {
  private source: Source | null = null;

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
    else if (answer != null || (source.sdp != null && !source.isGuarded)) this.describe(source);
    else source.describe(this);
  }

  private findSource(): Source | null {
    const accept = lowerCase(this.request.field("accept"));
    if (accept.length > 0 && !accept.includes("application/sdp") && !accept.includes("*")) {
      this.refuse(406, "there is application/sdp alone");
      return null;
    }
    return sourceOf(this, this.url);
  }

  private describe(source: Source): void {
    const sdp = source.sdp;
    if (sdp == null) return;
    const names: string[] = [];
    for (let i = 0; i < source.tracks.length; i++) names.push(source.tracks[i].name);
    const url = this.url.toString();
    this.client.addDescription(source, url);
    const fields = "Content-Base: " + asBase(url) + "\r\nContent-Type: application/sdp\r\n";
    this.reply(200, fields, sdp.rewritten(this.client.advertisedIp, "*", names));
  }
}

/** The source of a URL; null where there is none, and the request was refused. */
export function sourceOf(exchange: Exchange, url: RtspUrl): Source | null {
  const route = Route.find(new RouteQuery(url, exchange.request, exchange.client.remote));
  if (route.endpoint.length == 0) {
    route.release();
    exchange.refuse(route.status >= 400 ? route.status : 404, route.reason);
    return null;
  }
  const source = sourceFor(route);
  if (source == null) exchange.refuse(503, "the proxy reads as many streams as it can");
  return source;
}
