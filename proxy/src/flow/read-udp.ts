// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import {
  type UdpTransport,
  UdpTransport_Latch,
  UdpTransport_Rtcp,
  UdpTransportSchema,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { at, refuse, refuseOthers } from "../config/refuse.ts";
import { isMulticast } from "../datapath/is-multicast.ts";
import type { SocketAddress } from "../plan.ts";
import { inRange, invalid, readIp, readPort, readRemote } from "./flow-fields.ts";
import type { LegPlan, UdpPlan } from "./flow-plan.ts";

/** What Linux takes for a socket unless it is told otherwise (net.ipv4.igmp_max_msf). */
const MOST_FILTERED_SOURCES = 10;
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

/** Checks a UDP transport of an enabled or disabled leg. Throws a `ConfigError` that names the field below `path`. */
export function readUdp(udp: UdpTransport, role: LegPlan["role"], isEnabled: boolean, path: string): UdpPlan {
  refuseOthers(UdpTransportSchema, udp, path, {
    local: "accepted",
    remote: "accepted",
    remote_rtcp: "accepted",
    rtcp: "accepted",
    latch: "accepted",
    latch_from: "accepted",
    dscp: "accepted",
    ttl: "accepted",
    interface: "accepted",
    source_filter: "accepted",
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
    ...readMulticast(udp, role, local, remoteIp ?? "", path),
  };
}

/** A source may listen to a group, a receiver may be one. */
function readMulticast(
  { interface: name, sourceFilter, latch }: UdpTransport,
  role: LegPlan["role"],
  local: SocketAddress,
  remoteIp: string,
  path: string,
): Pick<UdpPlan, "interface" | "sourceFilter"> {
  const isToGroup = isMulticast(remoteIp);
  const isFromGroup = isMulticast(local.address);
  if (isFromGroup && role === "receiver")
    invalid(at(path, "local.ip"), "is a multicast group, from which nothing can be sent; name it in remote");
  if (isToGroup && role === "source")
    invalid(at(path, "remote.ip"), "is a multicast group, from which nothing comes; name it in local");
  if (isToGroup && latch !== UdpTransport_Latch.NONE)
    invalid(at(path, "latch"), "cannot be honoured where remote is a multicast group; set LATCH_NONE");
  if (isFromGroup && local.port === 0) invalid(at(path, "local.port"), "is needed beside a multicast group");
  if (name !== "" && !isToGroup && !isFromGroup)
    invalid(at(path, "interface"), "is for multicast groups; remove it");
  if (sourceFilter.length > 0 && !isFromGroup)
    invalid(at(path, "source_filter"), "is for sources whose local address is a multicast group; remove it");
  if (sourceFilter.length > MOST_FILTERED_SOURCES)
    refuse("MSM_FLOW_LIMIT", at(path, "source_filter"), `the most is ${MOST_FILTERED_SOURCES} addresses`);
  for (const [i, ip] of sourceFilter.entries()) {
    const field = at(path, `source_filter[${i}]`);
    if (readIp(ip, field) === undefined || isMulticast(ip) || isIP(ip) !== isIP(local.address))
      invalid(field, "must be the address of a sender, of the group's address family");
  }
  return { interface: name === "" ? undefined : name, sourceFilter };
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
