// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import {
  type Address,
  type InterleavedTransport,
  InterleavedTransportSchema,
  type Leg,
  LegSchema,
  type Media,
  MediaSchema,
  type Rewrite,
  RewriteSchema,
  type UdpTransport,
  UdpTransport_Latch,
  UdpTransport_Rtcp,
  UdpTransportSchema,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { at, refuse, refuseOthers } from "../config/refuse.ts";
import type { SocketAddress } from "../plan.ts";
import type { InterleavedPlan, LegPlan, RewritePlan, UdpPlan } from "./flow-plan.ts";

const RTCP = {
  [UdpTransport_Rtcp.PAIR]: "PAIR",
  [UdpTransport_Rtcp.MUX]: "MUX",
  [UdpTransport_Rtcp.NONE]: "NONE",
} as const;
const LATCH = {
  [UdpTransport_Latch.NONE]: "NONE",
  [UdpTransport_Latch.ONCE]: "ONCE",
  [UdpTransport_Latch.SSRC]: "SSRC",
} as const;

/** Checks a leg but for its id. Throws a `ConfigError` that names the field below `path`. */
export function readLeg(leg: Leg, role: LegPlan["role"], path: string): LegPlan {
  refuseOthers(LegSchema, leg, path, {
    id: "accepted",
    enabled: "accepted",
    udp: "accepted",
    interleaved: "accepted",
    rewrite: "accepted",
    media: "accepted",
  });
  if (leg.rewrite !== undefined && role === "source") {
    refuse("MSM_FLOW_INVALID", at(path, "rewrite"), "is for receivers only; remove it");
  }
  const { clockRate, payloadTypes } = readMedia(leg.media, at(path, "media"));
  return {
    id: leg.id,
    role,
    isEnabled: leg.enabled,
    transport: readTransport(leg, path),
    rewrite: leg.rewrite && readRewrite(leg.rewrite, at(path, "rewrite")),
    clockRate,
    payloadTypes,
  };
}

function readTransport(leg: Leg, path: string): UdpPlan | InterleavedPlan {
  switch (leg.transport.case) {
    case "udp":
      return readUdp(leg.transport.value, leg.enabled, at(path, "udp"));
    case "interleaved":
      return readInterleaved(leg.transport.value, at(path, "interleaved"));
    default:
      return refuse("MSM_FLOW_INVALID", path, "has no transport; give it udp or interleaved");
  }
}

function readUdp(udp: UdpTransport, isEnabled: boolean, path: string): UdpPlan {
  refuseOthers(UdpTransportSchema, udp, path, {
    local: "accepted",
    remote: "accepted",
    remote_rtcp: "accepted",
    rtcp: "accepted",
    latch: "accepted",
    latch_from: "accepted",
    dscp: "accepted",
    ttl: "accepted",
  });
  const { [udp.rtcp]: rtcp = invalid(at(path, "rtcp"), "is none of PAIR, MUX and NONE") } = RTCP;
  const {
    [udp.latch]: latch = invalid(at(path, "latch"), "is none of LATCH_NONE, LATCH_ONCE and LATCH_SSRC"),
  } = LATCH;
  const remoteIp = readIp(udp.remote?.ip ?? "", at(path, "remote.ip"));
  const remote = readRemote(udp.remote, at(path, "remote"));
  const latchFrom =
    latch === "NONE" ? undefined : (readIp(udp.latchFrom, at(path, "latch_from")) ?? remoteIp);
  if (latch === "NONE" && udp.latchFrom !== "") {
    refuse("MSM_FLOW_INVALID", at(path, "latch_from"), "does nothing with LATCH_NONE; remove it");
  }
  if (latch === "NONE" && remote === undefined && isEnabled) {
    refuse("MSM_FLOW_INVALID", at(path, "remote"), "is needed with LATCH_NONE before the leg can be enabled");
  }
  const wildcard = isIP(remoteIp ?? latchFrom ?? "") === 6 ? "::" : "0.0.0.0";
  const local = {
    address: readIp(udp.local?.ip ?? "", at(path, "local.ip")) ?? wildcard,
    port: readPort(udp.local?.port ?? 0, at(path, "local.port")),
  };
  for (const [name, ip] of [
    ["remote", remoteIp],
    ["latch_from", latchFrom],
  ] as const) {
    if (ip !== undefined && isIP(ip) !== isIP(local.address)) {
      refuse("MSM_FLOW_INVALID", at(path, name), `is of another address family than local, ${local.address}`);
    }
  }
  if (rtcp === "PAIR" && local.port % 2 === 1) {
    refuse(
      "MSM_FLOW_INVALID",
      at(path, "local.port"),
      "is odd; with PAIR it must be even (RFC 3550 section 11)",
    );
  }
  return {
    kind: "udp",
    local,
    remote,
    remoteRtcp: readRemoteRtcp(udp, rtcp, remote, path),
    rtcp,
    latch,
    latchFrom,
    dscp: udp.dscp === undefined ? undefined : inRange(udp.dscp, 0, 63, at(path, "dscp")),
    ttl: udp.ttl === undefined ? undefined : inRange(udp.ttl, 1, 255, at(path, "ttl")),
  };
}

function readRemoteRtcp(
  { remoteRtcp }: UdpTransport,
  rtcp: UdpPlan["rtcp"],
  remote: SocketAddress | undefined,
  path: string,
): SocketAddress | undefined {
  const field = at(path, "remote_rtcp");
  if (remoteRtcp !== undefined && rtcp !== "PAIR") {
    refuse("MSM_FLOW_INVALID", field, "is for PAIR only; remove it");
  }
  if (rtcp === "NONE") return undefined;
  if (rtcp === "MUX" || remote === undefined) return readRemote(remoteRtcp, field) ?? remote;
  return (
    readRemote(remoteRtcp, field) ?? (remote.port < 65_535 ? { ...remote, port: remote.port + 1 } : undefined)
  );
}

function readInterleaved(value: InterleavedTransport, path: string): InterleavedPlan {
  refuseOthers(InterleavedTransportSchema, value, path, {
    connection: "accepted",
    rtp_channel: "accepted",
    rtcp_channel: "accepted",
  });
  const attachment = value.connection >> 32n;
  if (attachment < 1n || attachment >= 1n << 21n) {
    refuse("MSM_FLOW_INVALID", at(path, "connection"), "names no attachment of a signalling worker");
  }
  return {
    kind: "interleaved",
    attachment: Number(attachment),
    connection: Number(value.connection & 0xffff_ffffn),
    rtpChannel: inRange(value.rtpChannel, 0, 255, at(path, "rtp_channel")),
    rtcpChannel:
      value.rtcpChannel === undefined
        ? undefined
        : inRange(value.rtcpChannel, 0, 255, at(path, "rtcp_channel")),
  };
}

function readRewrite(rewrite: Rewrite, path: string): RewritePlan {
  refuseOthers(RewriteSchema, rewrite, path, {
    ssrc: "accepted",
    continuous: "accepted",
    payload_types: "accepted",
  });
  const field = at(path, "payload_types");
  const payloadTypes = Object.entries(rewrite.payloadTypes).map(
    ([from, to]) => [inRange(Number(from), 0, 127, field), inRange(to, 0, 127, field)] as const,
  );
  return { ssrc: rewrite.ssrc, isContinuous: rewrite.continuous, payloadTypes };
}

function readMedia(media: Media | undefined, path: string): Pick<LegPlan, "clockRate" | "payloadTypes"> {
  if (media === undefined) return { clockRate: 0, payloadTypes: [] };
  refuseOthers(MediaSchema, media, path, {
    kind: "accepted",
    clock_rate: "accepted",
    payload_types: "accepted",
  });
  const payloadTypes = media.payloadTypes.map((type) => inRange(type, 0, 127, at(path, "payload_types")));
  return { clockRate: media.clockRate, payloadTypes };
}

function readRemote(address: Address | undefined, path: string): SocketAddress | undefined {
  if (address === undefined) return undefined;
  const ip = readIp(address.ip, at(path, "ip"));
  const port = readPort(address.port, at(path, "port"));
  if (port === 0) return undefined;
  return { address: ip ?? invalid(at(path, "ip"), "is needed beside a port"), port };
}

function readIp(ip: string, path: string): string | undefined {
  if (ip === "") return undefined;
  if (isIP(ip) === 0 || ip.includes("%"))
    invalid(path, `"${ip}" is no IP address; names are not resolved here`);
  return ip;
}

function readPort(port: number, path: string): number {
  return inRange(port, 0, 65_535, path);
}

function inRange(value: number, least: number, most: number, path: string): number {
  if (value < least || value > most) invalid(path, `is ${value}; it must be ${least} to ${most}`);
  return value;
}

function invalid(path: string, problem: string): never {
  return refuse("MSM_FLOW_INVALID", path, problem);
}
