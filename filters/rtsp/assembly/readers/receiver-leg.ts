// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Leg } from "../flows/leg";
import { Transport } from "../protocol/transport";
import { Track } from "../source/track";
import { Client } from "./client";

// Legs of one flow are told apart by their id; numbers of the whole filter do for that.
let lastLeg: u64 = 0;

/** The leg by which a reader gets a track, as it asked for it; not enabled yet. */
export function receiverLeg(client: Client, track: Track, transport: Transport): Leg {
  const leg = new Leg("reader-" + (++lastLeg).toString(), false);
  leg.isInterleaved = transport.isInterleaved;
  leg.connection = client.connection;
  leg.channel = transport.channel;
  leg.rtcpChannel = transport.rtcpChannel;
  leg.localIp = client.mediaIp;
  leg.remoteIp = client.remoteIp;
  leg.remotePort = transport.clientPort;
  leg.remoteRtcpPort = transport.clientRtcpPort;
  leg.media = track.media;
  leg.isRewritten = track.isRewritable;
  leg.ssrc = track.receiverSsrc;
  return leg;
}

/** The Transport field of the answer. */
export function receiverTransport(client: Client, track: Track, leg: Leg): string {
  const ssrc = track.receiverSsrc;
  // Eight digits (RFC 2326 section 12.39).
  const end = ssrc != 0 ? ";ssrc=" + ssrc.toString(16).padStart(8, "0") : "";
  const profile = track.media.protocol;
  if (leg.isInterleaved) {
    return profile + "/TCP;unicast;interleaved=" + range(leg.channel, leg.rtcpChannel) + end;
  }
  const clientPorts = ";client_port=" + range(leg.remotePort, leg.remoteRtcpPort);
  const serverPorts = ";server_port=" + range(leg.localPort, leg.localRtcpPort);
  return profile + ";unicast" + clientPorts + serverPorts + ";source=" + client.advertisedIp + end;
}

function range(first: i32, second: i32): string {
  return second < 0 ? first.toString() : first.toString() + "-" + second.toString();
}
