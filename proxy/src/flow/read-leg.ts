// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import {
  type InterleavedTransport,
  InterleavedTransportSchema,
  type Leg,
  LegSchema,
  type Media,
  MediaSchema,
  type Rewrite,
  RewriteSchema,
} from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { at, refuse, refuseOthers } from "../config/refuse.ts";
import { inRange } from "./flow-fields.ts";
import type { InterleavedPlan, LegPlan, RewritePlan, UdpPlan } from "./flow-plan.ts";
import { readUdp } from "./read-udp.ts";

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
    transport: readTransport(leg, role, path),
    rewrite: leg.rewrite && readRewrite(leg.rewrite, at(path, "rewrite")),
    clockRate,
    payloadTypes,
  };
}

function readTransport(leg: Leg, role: LegPlan["role"], path: string): UdpPlan | InterleavedPlan {
  switch (leg.transport.case) {
    case "udp":
      return readUdp(leg.transport.value, role, leg.enabled, at(path, "udp"));
    case "interleaved":
      return readInterleaved(leg.transport.value, at(path, "interleaved"));
    default:
      return refuse("MSM_FLOW_INVALID", path, "has no transport; give it udp or interleaved");
  }
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
