// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { Transport } from "../protocol/transport";
import { Client } from "./client";

/** The transport that a client gets, or why it gets none. */
export class TransportChoice {
  constructor(
    readonly transport: Transport | null,
    readonly status: i32,
    readonly problem: string,
  ) {}
}

/** The first alternative of a Transport field that can be served. */
export function chooseTransport(field: string, profile: string, client: Client): TransportChoice {
  if (field.length == 0) return new TransportChoice(null, 400, "Transport is missing");
  const all = Transport.parseAll(field);
  let isElsewhere = false;
  let problem = "";
  for (let i = 0; i < all.length; i++) {
    const one = all[i];
    // Media go to who asks, and to nobody else: a proxy must not be made to flood others.
    const isOther = one.hasDestination && one.destination.length > 0 && one.destination != client.remoteIp;
    if (one.problem.length > 0) problem = one.problem;
    else if (isOther) isElsewhere = true;
    else if (isServed(one, profile) && chooseChannels(one, client)) return new TransportChoice(one, 200, "");
  }
  if (isElsewhere) {
    return new TransportChoice(
      null,
      403,
      "media go to the address that asks for them; leave destination out",
    );
  }
  if (problem.length > 0) return new TransportChoice(null, 400, "Transport cannot be read: " + problem);
  const served = profile + ";unicast;client_port=... and " + profile + "/TCP;unicast;interleaved=...";
  return new TransportChoice(null, 461, "served are " + served);
}

function isServed(transport: Transport, profile: string): bool {
  if (transport.isMulticast || transport.profile != profile) return false;
  return transport.isInterleaved || transport.clientPort > 0;
}

/** Gives an interleaved track channels that its connection does not use yet: those asked for, or others. */
function chooseChannels(transport: Transport, client: Client): bool {
  if (!transport.isInterleaved) return true;
  const hasRtcp = transport.rtcpChannel >= 0 || transport.channel < 0;
  let channel = transport.channel;
  if (channel < 0 || isUsed(client, channel, hasRtcp ? transport.rtcpChannel : channel)) {
    channel = 0;
    while (channel < 255 && isUsed(client, channel, channel + 1)) channel += 2;
    if (channel >= 255) return false;
    transport.rtcpChannel = hasRtcp ? channel + 1 : -1;
  }
  transport.channel = channel;
  return true;
}

function isUsed(client: Client, first: i32, second: i32): bool {
  for (let i = 0; i < client.sessions.length; i++) {
    const tracks = client.sessions[i].tracks;
    for (let j = 0; j < tracks.length; j++) {
      const leg = tracks[j].leg;
      if (!leg.isInterleaved) continue;
      if (leg.channel == first || leg.channel == second) return true;
      if (leg.rtcpChannel == first || leg.rtcpChannel == second) return true;
    }
  }
  return false;
}
