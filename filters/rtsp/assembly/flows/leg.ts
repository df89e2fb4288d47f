// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { JsonWriter, legAddress, readDecimal, SdpMedia } from "@msm/filter-sdk/assembly/signalling";
import { Waiter } from "../waiter";

/** One end of a flow: `Leg` of msm.flow.v1, and how far the proxy is with it. */
export class Leg {
  isEnabled: bool = false;
  isInterleaved: bool = false;
  /** Over UDP: where it is here, and the far end; a remote port of 0 is not known yet. */
  localIp: string = "";
  remoteIp: string = "";
  remotePort: i32 = 0;
  remoteRtcpPort: i32 = 0;
  /** Whether the far end may be learnt from its first datagram, which then comes from `remoteIp`. */
  isLatching: bool = false;
  /** Interleaved: the number of the connection, and the channels; no RTCP where that one is below 0. */
  connection: u64 = 0;
  channel: i32 = 0;
  rtcpChannel: i32 = 0;
  media: SdpMedia | null = null;
  /** Whether the receiver always gets `ssrc` and unbroken sequence numbers, whatever the source does. */
  isRewritten: bool = false;
  ssrc: u32 = 0;
  /** A change waits to be sent to the proxy. */
  isPending: bool = false;
  /** A change was sent and is not answered. */
  isAsked: bool = false;
  isInstalled: bool = false;
  isFailed: bool = false;
  isRemoved: bool = false;
  /** As installed: its ports here. */
  localPort: i32 = 0;
  localRtcpPort: i32 = 0;
  waiter: Waiter | null = null;

  constructor(
    readonly id: string,
    readonly isSource: bool,
  ) {}

  /** Whether the proxy has it as it is here. */
  get isSettled(): bool {
    return this.isInstalled && !this.isPending && !this.isAsked;
  }

  /** The proxy has it: its ports are known. */
  install(flow: u32): void {
    this.isInstalled = true;
    if (this.isInterleaved) return;
    this.localPort = portOf(legAddress(flow, this.id, "local"));
    this.localRtcpPort = portOf(legAddress(flow, this.id, "local_rtcp"));
  }

  write(json: JsonWriter): void {
    json.beginObject();
    json.textField("id", this.id);
    json.key("enabled");
    json.bool(this.isEnabled);
    if (this.isInterleaved) this.writeInterleaved(json);
    else this.writeUdp(json);
    const media = this.media;
    if (media != null) writeMedia(json, media);
    if (this.isRewritten) {
      json.key("rewrite");
      json.beginObject();
      json.numberField("ssrc", this.ssrc);
      json.key("continuous");
      json.bool(true);
      json.endObject();
    }
    json.endObject();
  }

  private writeUdp(json: JsonWriter): void {
    json.key("udp");
    json.beginObject();
    // Port 0 also later: a leg that stays as it is keeps what it got.
    writeAddress(json, "local", this.localIp, 0);
    if (this.remotePort > 0) writeAddress(json, "remote", this.remoteIp, this.remotePort);
    if (this.remotePort > 0 && this.remoteRtcpPort > 0) {
      writeAddress(json, "remoteRtcp", this.remoteIp, this.remoteRtcpPort);
    }
    if (this.isLatching) {
      json.textField("latch", "LATCH_ONCE");
      json.textField("latchFrom", this.remoteIp);
    }
    json.endObject();
  }

  private writeInterleaved(json: JsonWriter): void {
    json.key("interleaved");
    json.beginObject();
    json.textField("connection", this.connection.toString());
    json.numberField("rtpChannel", this.channel);
    if (this.rtcpChannel >= 0) json.numberField("rtcpChannel", this.rtcpChannel);
    json.endObject();
  }
}

function writeAddress(json: JsonWriter, key: string, ip: string, port: i32): void {
  json.key(key);
  json.beginObject();
  json.textField("ip", ip);
  json.numberField("port", port);
  json.endObject();
}

function writeMedia(json: JsonWriter, media: SdpMedia): void {
  json.key("media");
  json.beginObject();
  json.textField("kind", media.kind);
  json.numberField("clockRate", media.clockRate);
  json.key("payloadTypes");
  json.beginArray();
  for (let i = 0; i < media.payloadTypes.length; i++) json.number(media.payloadTypes[i]);
  json.endArray();
  json.endObject();
}

function portOf(address: string): i32 {
  return <i32>readDecimal(address.substring(address.lastIndexOf(":") + 1), 65_535);
}
