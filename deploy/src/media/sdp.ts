// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** Payload types of the test streams: dynamic for H.264, static for PCMU (RFC 3551). */
export const VIDEO_PAYLOAD_TYPE = 96;
export const AUDIO_PAYLOAD_TYPE = 0;

/** RTP clock of H.264 (RFC 6184 section 8.2.1). */
export const VIDEO_CLOCK_HZ = 90_000;

/** Where the streams of a session description arrive. RTCP is one port above each. */
export interface SdpOptions {
  /** An IPv4 or IPv6 address. */
  readonly address: string;
  /** What the session is called. */
  readonly name?: string;
  readonly videoPort: number;
  /** Leave it out for a description of the picture alone. */
  readonly audioPort?: number;
  /** Where each track is set up by RTSP (RFC 2326 appendix C.1.1); left out where ports say it. */
  readonly control?: (track: "video" | "audio") => string;
  /** The H.264 parameter sets, without start codes. */
  readonly sps: Buffer;
  readonly pps: Buffer;
}

/** Describes the test streams so that ffplay, VLC and GStreamer can play them (RFC 8866, RFC 6184 section 8.2). */
export function sessionDescription(options: SdpOptions): string {
  const family = options.address.includes(":") ? "IP6" : "IP4";
  const lines = [
    "v=0",
    `o=- 0 0 IN ${family} ${options.address}`,
    `s=${options.name ?? "Media Streaming Mesh test picture"}`,
    `c=IN ${family} ${options.address}`,
    "t=0 0",
    ...(options.control ? ["a=control:*", "a=range:npt=0-"] : []),
    `m=video ${options.videoPort} RTP/AVP ${VIDEO_PAYLOAD_TYPE}`,
    `a=rtpmap:${VIDEO_PAYLOAD_TYPE} H264/${VIDEO_CLOCK_HZ}`,
    `a=fmtp:${VIDEO_PAYLOAD_TYPE} ${h264Parameters(options.sps, options.pps)}`,
    "a=framerate:25",
    ...direction(options, "video"),
  ];
  if (options.audioPort !== undefined) {
    lines.push(
      `m=audio ${options.audioPort} RTP/AVP ${AUDIO_PAYLOAD_TYPE}`,
      `a=rtpmap:${AUDIO_PAYLOAD_TYPE} PCMU/8000`,
      "a=ptime:20",
      ...direction(options, "audio"),
    );
  }
  return `${lines.join("\r\n")}\r\n`;
}

function direction({ control }: SdpOptions, track: "video" | "audio"): readonly string[] {
  return control ? [`a=control:${control(track)}`] : ["a=recvonly"];
}

function h264Parameters(sps: Buffer, pps: Buffer): string {
  const sets = `${sps.toString("base64")},${pps.toString("base64")}`;
  const profileLevel = sps.toString("hex", 1, 4);
  return `packetization-mode=1;profile-level-id=${profileLevel};sprop-parameter-sets=${sets}`;
}
