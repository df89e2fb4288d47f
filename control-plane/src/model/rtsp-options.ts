// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { parseDuration } from "./duration.ts";
import { isAddress } from "./field-schemas.ts";
import { type Metadata, meshDomain } from "./metadata.ts";
import type { Refuse } from "./problem.ts";

/** How the RTSP listeners of a Gateway carry media; what is undefined is left to the proxy. */
export interface RtspOptions {
  /** The address that peers are told, in Transport and SDP. */
  readonly advertisedAddress: string | undefined;
  readonly upstreamTransport: UpstreamTransport | undefined;
  /** For how long a source without readers is kept, milliseconds. */
  readonly upstreamLingerMs: number | undefined;
}

/** How a source is asked for its media; `Automatic` is UDP, and interleaved where the source refuses it. */
export type UpstreamTransport = "Automatic" | "UDP" | "Interleaved";

const ADVERTISED_ADDRESS = `${meshDomain}/advertised-address`;
const UPSTREAM_TRANSPORT = `${meshDomain}/upstream-transport`;
const UPSTREAM_LINGER = `${meshDomain}/upstream-linger`;
const TRANSPORTS: readonly UpstreamTransport[] = ["Automatic", "UDP", "Interleaved"];
/** Longer keeps a camera's uplink busy for nobody. */
const MAX_LINGER_MS = 3_600_000;

/** The annotations of a Gateway that set these options. */
export const rtspAnnotations = [ADVERTISED_ADDRESS, UPSTREAM_TRANSPORT, UPSTREAM_LINGER] as const;

/** Reads the options of a Gateway. Where it has no RTSP listener, each of them is refused. */
export function readRtspOptions(from: Metadata, hasRtspListener: boolean, refuse: Refuse): RtspOptions {
  if (!hasRtspListener) {
    for (const name of rtspAnnotations) {
      if (from.annotations?.[name] === undefined) continue;
      refuse("MSM_FIELD_UNSUPPORTED", pathOf(name), "is for RTSP listeners and there is none; remove it");
    }
  }
  return {
    advertisedAddress: readAdvertisedAddress(from, refuse),
    upstreamTransport: readUpstreamTransport(from, refuse),
    upstreamLingerMs: readUpstreamLinger(from, refuse),
  };
}

function readAdvertisedAddress(from: Metadata, refuse: Refuse): string | undefined {
  const text = from.annotations?.[ADVERTISED_ADDRESS];
  if (text === undefined || (isAddress(text) && text !== "0.0.0.0" && !/^[0:]+$/.test(text))) return text;
  const message = `must be the IPv4 or IPv6 address at which clients reach the Gateway, not "${text}"`;
  refuse("MSM_GATEWAY_ADDRESS", pathOf(ADVERTISED_ADDRESS), message);
  return undefined;
}

function readUpstreamTransport(from: Metadata, refuse: Refuse): UpstreamTransport | undefined {
  const text = from.annotations?.[UPSTREAM_TRANSPORT];
  const transport = TRANSPORTS.find((known) => known === text);
  if (text !== undefined && transport === undefined) {
    const message = `must be ${TRANSPORTS.join(", ")}, not "${text}"`;
    refuse("MSM_FIELD_VALUE", pathOf(UPSTREAM_TRANSPORT), message);
  }
  return transport;
}

function readUpstreamLinger(from: Metadata, refuse: Refuse): number | undefined {
  const text = from.annotations?.[UPSTREAM_LINGER];
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds <= MAX_LINGER_MS) return milliseconds;
  const message = `must be a duration from 0s to 1h such as "5s", not "${text}"`;
  refuse("MSM_FIELD_VALUE", pathOf(UPSTREAM_LINGER), message);
  return undefined;
}

function pathOf(annotation: string): readonly string[] {
  return ["metadata", "annotations", annotation];
}
