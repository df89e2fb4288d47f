// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { randomHex, SdpMedia } from "@msm/filter-sdk/assembly/signalling";
import { Leg } from "../flows/leg";
import { MediaFlow } from "../flows/media-flow";
import { RtspUrl, resolveUrl } from "../protocol/rtsp-url";
import { Transport } from "../protocol/transport";
import { Exchange } from "../readers/exchange";
import { settings } from "../settings";
import { Upstream } from "./upstream";

/** How far a track is set up at the server. */
export enum TrackState {
  Unset = 0,
  /** Its flow is being opened: the ports are needed for SETUP. */
  Opening = 1,
  /** SETUP is under way. */
  Asked = 2,
  Ready = 3,
}

/** One medium of a source: its SETUP at the server, and the flow that carries it to the readers. */
export class Track {
  state: TrackState = TrackState.Unset;
  /** The reader whose SETUP this is, for its credentials and its answer. */
  asker: Exchange | null = null;
  /** The server refused it when nobody had asked for it. */
  isRefused: bool = false;
  leg: Leg;
  private ssrc: u32 = 0;
  /** `;seq=…;rtptime=…` of the first packet. */
  start: string = "";
  /** What the server is asked with. */
  url: string = "";
  private generation: i32 = 0;

  constructor(
    readonly index: i32,
    public media: SdpMedia,
    /** What readers call it, relative to the stream. */
    readonly name: string,
    readonly flow: MediaFlow,
  ) {
    this.leg = new Leg("source-0", true);
  }

  /** Whether it is RTP at all. */
  get isRtp(): bool {
    return this.media.protocol.startsWith("RTP/");
  }

  /**
   * Whether receivers can be given an SSRC and unbroken numbers of the proxy's own. Not where headers are signed (SRTP),
   * nor where several streams may share the session, as retransmissions and repair data do.
   */
  get isRewritable(): bool {
    return this.media.protocol == "RTP/AVP" && this.media.payloadTypes.length == 1;
  }

  /** What readers find in RTP; 0 where it is not known. */
  get receiverSsrc(): u32 {
    if (this.ssrc == 0 && this.isRewritable) this.ssrc = <u32>parseInt(randomHex(4), 16);
    return this.ssrc;
  }

  /** Asks for the leg that media come in on, in place of one before. */
  open(upstream: Upstream, isInterleaved: bool): void {
    const leg = new Leg("source-" + (++this.generation).toString(), true);
    leg.isInterleaved = isInterleaved;
    leg.connection = upstream.connection;
    leg.channel = this.index * 2;
    leg.rtcpChannel = this.index * 2 + 1;
    leg.localIp = settings.localAddress.length > 0 ? settings.localAddress : upstream.localIp;
    leg.remoteIp = upstream.remoteIp;
    leg.media = this.media;
    this.flow.remove(this.leg);
    this.leg = leg;
    this.flow.put(leg);
    this.state = TrackState.Opening;
  }

  /** The Transport field of its SETUP. */
  get transport(): string {
    const leg = this.leg;
    if (leg.isInterleaved) {
      const channels = leg.channel.toString() + "-" + leg.rtcpChannel.toString();
      return this.media.protocol + "/TCP;unicast;interleaved=" + channels;
    }
    return (
      this.media.protocol +
      ";unicast;client_port=" +
      leg.localPort.toString() +
      "-" +
      leg.localRtcpPort.toString()
    );
  }

  /** Takes the server's answer to SETUP. Returns what is wrong with it; empty where nothing is. */
  accept(field: string): string {
    const all = Transport.parseAll(field);
    if (all.length == 0 || all[0].problem.length > 0) return "it answered SETUP with Transport: " + field;
    const transport = all[0];
    const leg = this.leg;
    if (transport.isInterleaved != leg.isInterleaved || transport.isMulticast) {
      return "it answered SETUP with another transport: " + field;
    }
    if (leg.isInterleaved && transport.channel >= 0) {
      leg.channel = transport.channel;
      leg.rtcpChannel = transport.rtcpChannel;
    }
    if (!leg.isInterleaved) this.acceptPorts(transport);
    const isKept = this.ssrc != 0 && this.isRewritable;
    if (transport.ssrc.length > 0 && !isKept) this.ssrc = <u32>parseInt(transport.ssrc, 16);
    leg.isEnabled = true;
    this.flow.put(leg);
    return "";
  }

  private acceptPorts(transport: Transport): void {
    const leg = this.leg;
    // Some servers send media from another of their addresses, and say so.
    if (isAddress(transport.source, leg.remoteIp)) leg.remoteIp = transport.source;
    leg.isLatching = transport.serverPort <= 0;
    if (leg.isLatching) return;
    leg.remotePort = transport.serverPort;
    leg.remoteRtcpPort = transport.serverRtcpPort;
  }
}

/** What readers call a track: as its server does where that is relative, else by its number. */
export function trackName(media: SdpMedia, index: i32, base: string): string {
  const control = media.control;
  if (control.startsWith(base) && control.length > base.length) return control.substring(base.length);
  const isRelative = control.length > 0 && !control.startsWith("/") && RtspUrl.parse(control) == null;
  return isRelative && control != "*" ? control : "track" + index.toString();
}

/** What a server calls a track. */
export function trackUrl(media: SdpMedia, base: string): string {
  return resolveUrl(base, media.control);
}

/** Whether `text` is an IP address that can be sent to, of the family of `other`. */
function isAddress(text: string, other: string): bool {
  if (text.length == 0 || text == "0.0.0.0" || text == "::") return false;
  if (text.includes(":") != other.includes(":")) return false;
  const allowed = other.includes(":") ? "0123456789abcdefABCDEF:." : "0123456789.";
  for (let i = 0; i < text.length; i++) if (!allowed.includes(text.charAt(i))) return false;
  return true;
}
