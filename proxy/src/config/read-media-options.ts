// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import { type Duration, durationMs } from "@msm/xds-protos";
import {
  type MediaOptions,
  MediaOptions_UpstreamTransport,
  MediaOptionsSchema,
} from "@msm/xds-protos/msm/network/v1/signalling_proxy_pb.js";
import type { SignallingOptions } from "../signalling/signalling-options.ts";
import { at, refuse, refuseOthers } from "./refuse.ts";

const DEFAULT_LINGER_MS = 5_000;
const DEFAULT_FLOWS = 64;
/** The longest delay of a timer of this platform: 24 days. */
const MAX_DELAY_MS = 2_147_483_647;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

const TRANSPORTS: Readonly<
  Partial<Record<MediaOptions_UpstreamTransport, SignallingOptions["upstreamTransport"]>>
> = {
  [MediaOptions_UpstreamTransport.AUTOMATIC]: "AUTOMATIC",
  [MediaOptions_UpstreamTransport.UDP]: "UDP",
  [MediaOptions_UpstreamTransport.INTERLEAVED]: "INTERLEAVED",
};

/** Reads how media are carried; all defaults where nothing is said. Throws a `ConfigError`. */
export function readMediaOptions(
  media: MediaOptions | undefined,
  path: string,
): Omit<SignallingOptions, "idleTimeoutMs"> {
  if (media !== undefined) {
    refuseOthers(MediaOptionsSchema, media, path, {
      ...{ advertised_address: "accepted", local_address: "accepted", chain: "accepted" },
      ...{
        max_flows_per_connection: "accepted",
        upstream_transport: "accepted",
        upstream_linger: "accepted",
      },
    });
  }
  const { advertisedAddress = "", localAddress = "", upstreamTransport = 0 } = media ?? {};
  if (advertisedAddress !== "" && isIP(advertisedAddress) === 0 && !HOST_NAME.test(advertisedAddress)) {
    const problem = `"${advertisedAddress}" must be an IP address or a host name`;
    refuse("MSM_CONFIG_ADDRESS", at(path, "advertised_address"), problem);
  }
  if (localAddress !== "" && isIP(localAddress) === 0) {
    refuse("MSM_CONFIG_ADDRESS", at(path, "local_address"), `"${localAddress}" must be an IP address`);
  }
  const transport = TRANSPORTS[upstreamTransport];
  if (transport === undefined) {
    refuse(
      "MSM_CONFIG_UNSUPPORTED_VALUE",
      at(path, "upstream_transport"),
      "must be AUTOMATIC, UDP or INTERLEAVED",
    );
  }
  return {
    advertisedAddress,
    localAddress,
    upstreamTransport: transport,
    upstreamLingerMs: readTime(media?.upstreamLinger, DEFAULT_LINGER_MS, at(path, "upstream_linger")),
    maxFlowsPerConnection: media?.maxFlowsPerConnection ?? DEFAULT_FLOWS,
  };
}

/** A duration in whole milliseconds, of at most 24 days. */
export function readTime(duration: Duration | undefined, fallbackMs: number, path: string): number {
  if (duration === undefined) return fallbackMs;
  const ms = durationMs(duration);
  if (!(ms >= 0 && ms <= MAX_DELAY_MS)) refuse("MSM_CONFIG_INVALID", path, "must be between 0s and 2147483s");
  return Math.round(ms);
}
