// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { coded, isAddress, port, unsupported } from "./field-schemas.ts";
import { idleTimeoutAnnotation, readIdleTimeout } from "./idle-timeout.ts";
import { dnsName, gatewayGroup, meshDomain } from "./metadata.ts";
import type { Refuse } from "./problem.ts";
import { readRtspOptions, rtspAnnotations } from "./rtsp-options.ts";

/** The listener protocol that adds the statistics filter `rtp-stats` to the chain. */
export const rtpProtocol = `${meshDomain}/RTP`;

/** The listener protocol that speaks RTSP 1.0 (RFC 2326) over TCP. */
export const rtspProtocol = `${meshDomain}/RTSP`;

/** What a Gateway listener may speak. */
export type GatewayProtocol = "UDP" | typeof rtpProtocol | typeof rtspProtocol;

/** The kinds of routes that attach to listeners. */
export type RouteKind = "UDPRoute" | "RTSPRoute";

/** One port that a Gateway serves. */
export interface GatewayListener {
  readonly name: string;
  readonly port: number;
  readonly protocol: GatewayProtocol;
  readonly transport: "TCP" | "UDP";
  /** Whether routes of any namespace may attach, or only those of the Gateway's own. */
  readonly allowsAllNamespaces: boolean;
  /** The kind of routes for this protocol; undefined where `allowedRoutes.kinds` leaves it out. */
  readonly routeKind: RouteKind | undefined;
}

const listener = z.strictObject({
  name: dnsName,
  port,
  protocol: z.custom<GatewayProtocol>(
    (value) => value === "UDP" || value === rtpProtocol || value === rtspProtocol,
    coded("MSM_GATEWAY_PROTOCOL", `must be UDP, ${rtpProtocol} or ${rtspProtocol}`),
  ),
  hostname: unsupported("datagrams carry no host name, and RTSPRoutes name their own; remove it"),
  tls: unsupported("TLS is not served on listeners yet; remove it"),
  allowedRoutes: z
    .strictObject({
      namespaces: z
        .strictObject({
          from: z.enum(["Same", "All"]).default("Same"),
          selector: unsupported("namespace selectors are not served; use from: All or from: Same"),
        })
        .optional(),
      kinds: z
        .array(z.strictObject({ group: z.string().default(gatewayGroup), kind: z.string() }))
        .optional(),
    })
    .optional(),
});

const address = z.strictObject({
  type: z
    .custom<"IPAddress">((value) => value === "IPAddress", coded("MSM_GATEWAY_ADDRESS", "must be IPAddress"))
    .default("IPAddress"),
  value: z.custom<string>(
    (value) => typeof value === "string" && isAddress(value),
    coded("MSM_GATEWAY_ADDRESS", "must be an IPv4 or IPv6 address such as 0.0.0.0"),
  ),
});

/** Ports that the proxies open. `spec.addresses` are the addresses to bind; without them every IPv4 address. */
export const gateway = defineKind({
  kind: "Gateway",
  apiVersions: [`${gatewayGroup}/v1`],
  annotations: [idleTimeoutAnnotation, ...rtspAnnotations],
  shape: {
    spec: z.strictObject({
      gatewayClassName: dnsName,
      listeners: z.array(listener).min(1).max(64),
      addresses: z.array(address).max(16).optional(),
      infrastructure: unsupported("infrastructure settings are not served yet; remove them"),
      allowedListeners: unsupported("ListenerSets are not served yet; remove it"),
      tls: unsupported("TLS is not served on listeners yet; remove it"),
    }),
  },
  build({ id, metadata, document, refuse }) {
    const { gatewayClassName, listeners, addresses = [] } = document.spec;
    checkListeners(listeners, refuse);
    checkAddresses(addresses, refuse);
    const hasRtspListener = listeners.some(({ protocol }) => protocol === rtspProtocol);
    return {
      id,
      className: gatewayClassName,
      addresses: addresses.length === 0 ? ["0.0.0.0"] : addresses.map((item) => item.value),
      idleTimeoutMs: readIdleTimeout(metadata, refuse),
      rtsp: readRtspOptions(metadata, hasRtspListener, refuse),
      listeners: listeners.map(toListener),
    };
  },
});

function toListener(from: z.output<typeof listener>): GatewayListener {
  const { name, port, protocol, allowedRoutes } = from;
  const kinds = allowedRoutes?.kinds;
  const isRtsp = protocol === rtspProtocol;
  const kind = isRtsp ? "RTSPRoute" : "UDPRoute";
  const group = isRtsp ? meshDomain : gatewayGroup;
  const isAllowed = kinds?.some((allowed) => allowed.group === group && allowed.kind === kind) ?? true;
  return {
    name,
    port,
    protocol,
    transport: transportOf(protocol),
    allowsAllNamespaces: allowedRoutes?.namespaces?.from === "All",
    routeKind: isAllowed ? kind : undefined,
  };
}

function transportOf(protocol: GatewayProtocol): GatewayListener["transport"] {
  return protocol === rtspProtocol ? "TCP" : "UDP";
}

function checkListeners(listeners: readonly z.output<typeof listener>[], refuse: Refuse): void {
  const seen = { name: new Map<string, number>(), port: new Map<string, number>() };
  for (const [index, { name, port, protocol }] of listeners.entries()) {
    for (const [key, value] of [
      ["name", name],
      ["port", `${port}/${transportOf(protocol)}`],
    ] as const) {
      const first = seen[key].get(value);
      if (first === undefined) seen[key].set(value, index);
      else {
        const message = `${value} is also the ${key} of spec.listeners[${first}]; give each its own`;
        refuse("MSM_GATEWAY_LISTENER_DUPLICATE", ["spec", "listeners", index, key], message);
      }
    }
  }
}

function checkAddresses(addresses: readonly { readonly value: string }[], refuse: Refuse): void {
  const values = addresses.map((item) => item.value);
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) === index) continue;
    refuse(
      "MSM_GATEWAY_ADDRESS",
      ["spec", "addresses", index, "value"],
      `${value} is listed twice; remove one`,
    );
  }
}
