// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SdpMedia } from "@msm/filter-sdk/assembly/signalling";
import { Leg } from "../flows/leg";
import { MediaFlow } from "../flows/media-flow";
import { Transport } from "../protocol/transport";
import { Client } from "../readers/client";
import { settings } from "../settings";
import { Upstream } from "../source/upstream";

/** One medium that a client publishes: from the client to the server. */
export class PublishedTrack {
  readonly from: Leg = new Leg("publisher", true);
  to: Leg = new Leg("server-0", false);
  isReady: bool = false;
  private generation: i32 = 0;

  constructor(
    readonly index: i32,
    readonly media: SdpMedia,
    /** What client and server call it, relative to the stream. */
    readonly name: string,
    readonly flow: MediaFlow,
  ) {}

  /** Asks for the leg that the client sends to. */
  openFrom(client: Client, transport: Transport): void {
    const leg = this.from;
    leg.isInterleaved = transport.isInterleaved;
    leg.connection = client.connection;
    leg.channel = transport.channel;
    leg.rtcpChannel = transport.rtcpChannel;
    leg.localIp = client.mediaIp;
    leg.remoteIp = client.remoteIp;
    leg.remotePort = transport.clientPort;
    leg.remoteRtcpPort = transport.clientRtcpPort;
    leg.media = this.media;
    this.flow.put(leg);
  }

  /** Asks for the leg to the server, in place of one before. */
  openTo(upstream: Upstream, isInterleaved: bool): void {
    const leg = new Leg("server-" + (++this.generation).toString(), false);
    leg.isInterleaved = isInterleaved;
    leg.connection = upstream.connection;
    leg.channel = this.index * 2;
    leg.rtcpChannel = this.index * 2 + 1;
    leg.localIp = settings.localAddress.length > 0 ? settings.localAddress : upstream.localIp;
    leg.remoteIp = upstream.remoteIp;
    leg.media = this.media;
    this.flow.remove(this.to);
    this.to = leg;
    this.flow.put(leg);
  }

  /** The Transport field of its SETUP at the server. */
  get transport(): string {
    const leg = this.to;
    const profile = this.media.protocol;
    if (leg.isInterleaved) {
      return profile + "/TCP;unicast;interleaved=" + pair(leg.channel, leg.rtcpChannel) + ";mode=record";
    }
    return profile + ";unicast;client_port=" + pair(leg.localPort, leg.localRtcpPort) + ";mode=record";
  }

  /** Takes the server's answer to SETUP. Returns what is wrong with it; empty where nothing is. */
  accept(field: string): string {
    const all = Transport.parseAll(field);
    const leg = this.to;
    if (all.length == 0 || all[0].problem.length > 0 || all[0].isInterleaved != leg.isInterleaved) {
      return "the server answered SETUP with Transport: " + field;
    }
    const transport = all[0];
    if (leg.isInterleaved && transport.channel >= 0) {
      leg.channel = transport.channel;
      leg.rtcpChannel = transport.rtcpChannel;
    }
    if (!leg.isInterleaved && transport.serverPort <= 0) return "the server named no server_port: " + field;
    leg.remotePort = transport.serverPort;
    leg.remoteRtcpPort = transport.serverRtcpPort;
    this.isReady = true;
    this.flow.put(leg);
    return "";
  }

  enable(isEnabled: bool): void {
    this.from.isEnabled = isEnabled;
    this.to.isEnabled = isEnabled;
    this.flow.put(this.from);
    this.flow.put(this.to);
  }
}

function pair(first: i32, second: i32): string {
  return second < 0 ? first.toString() : first.toString() + "-" + second.toString();
}
