// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { TextMessage } from "@msm/filter-sdk/assembly/signalling";
import { Transport } from "../protocol/transport";
import { chooseTransport } from "../readers/choose-transport";
import { Client } from "../readers/client";
import { Exchange } from "../readers/exchange";
import { settings } from "../settings";
import { Upstream } from "../source/upstream";
import { PublishedTrack } from "./published-track";
import { Publisher } from "./publisher";

/** SETUP of a track that is published: a flow first, whose ports the server is told, then the server's SETUP. */
export class PublishSetupExchange extends Exchange {
  private track: PublishedTrack | null = null;
  private transport: Transport | null = null;

  constructor(
    client: Client,
    request: TextMessage,
    private readonly publisher: Publisher,
  ) {
    super(client, request);
  }

  protected proceed(): void {
    const publisher = this.publisher;
    const upstream = publisher.upstream;
    if (upstream == null) {
      this.refuse(503, publisher.failure);
      return;
    }
    let track = this.track;
    if (track == null) {
      track = this.begin(upstream);
      if (track == null) return;
      this.track = track;
    }
    if (track.from.isFailed || track.to.isFailed) this.refuse(503, track.flow.failure);
    else if (!this.isSettled(track)) return;
    else if (track.isReady) this.finish(track);
    else this.ask(upstream, track);
  }

  private begin(upstream: Upstream): PublishedTrack | null {
    const track = this.publisher.findTrack(this.request.uri);
    if (track == null || track.isReady) {
      this.refuse(track == null ? 404 : 455, "this is no track that waits to be set up");
      return null;
    }
    const choice = chooseTransport(this.request.field("transport"), track.media.protocol, this.client);
    const transport = choice.transport;
    if (transport == null) {
      this.refuse(choice.status, choice.problem);
      return null;
    }
    if (!transport.isRecord) {
      this.refuse(461, "to publish, Transport says mode=record");
      return null;
    }
    this.transport = transport;
    track.openFrom(this.client, transport);
    track.openTo(upstream, this.publisher.isInterleaved);
    return track;
  }

  private isSettled(track: PublishedTrack): bool {
    if (track.from.isSettled && track.to.isSettled) return true;
    const leg = track.from.isSettled ? track.to : track.from;
    leg.waiter = this;
    return false;
  }

  private ask(upstream: Upstream, track: PublishedTrack): void {
    const answer = this.answer;
    if (answer == null) {
      this.publisher.relay(this, track, "Transport: " + track.transport + "\r\n", "");
      return;
    }
    this.answer = null;
    this.isAsked = false;
    if (answer.status == 461 && !this.publisher.isInterleaved && settings.upstreamTransport == "AUTOMATIC") {
      this.publisher.isInterleaved = true;
      track.openTo(upstream, true);
    } else if (answer.status != 200) {
      this.pass(answer);
      return;
    } else {
      const problem = track.accept(answer.field("transport"));
      if (problem.length > 0) this.refuse(502, problem);
    }
    if (!this.isDone) this.proceed();
  }

  private finish(track: PublishedTrack): void {
    const leg = track.from;
    const profile = track.media.protocol;
    let transport = profile + "/TCP;unicast;interleaved=" + pair(leg.channel, leg.rtcpChannel);
    if (!leg.isInterleaved) {
      transport = profile + ";unicast;client_port=" + pair(leg.remotePort, leg.remoteRtcpPort);
      transport +=
        ";server_port=" + pair(leg.localPort, leg.localRtcpPort) + ";source=" + this.client.advertisedIp;
    }
    this.reply(200, this.publisher.field + "Transport: " + transport + ";mode=record\r\n");
  }
}

function pair(first: i32, second: i32): string {
  return second < 0 ? first.toString() : first.toString() + "-" + second.toString();
}
