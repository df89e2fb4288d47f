// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { z } from "zod";
import { defineKind } from "./define-kind.ts";
import { coded, isAddress, port, unsupported } from "./field-schemas.ts";
import { idleTimeoutAnnotation, readIdleTimeout } from "./idle-timeout.ts";
import { gatewayTls, type ListenerTls, listenerTls, readListenerTls, type TlsInput } from "./listener-tls.ts";
import { dnsName, gatewayGroup, meshDomain } from "./metadata.ts";
import type { Refuse } from "./problem.ts";
import { readRtspOptions, rtspAnnotations } from "./rtsp-options.ts";

/** The listener protocol that adds the statistics filter `rtp-stats` to the chain. */
export const rtpProtocol = `${meshDomain}/RTP`;

/** The listener protocol that speaks RTSP 1.0 (RFC 2326) over TCP. */
export const rtspProtocol = `${meshDomain}/RTSP`;

/** How a listener is written that speaks RTSP in TLS (RFC 7826 section 19.2 has its scheme and port). */
export const rtspsProtocol = `${meshDomain}/RTSPS`;

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
  /** Plain text without. */
  readonly tls: ListenerTls | undefined;
  /** Whether routes of any namespace may attach, or only those of the Gateway's own. */
  readonly allowsAllNamespaces: boolean;
  /** The kind of routes for this protocol; undefined where `allowedRoutes.kinds` leaves it out. */
  readonly routeKind: RouteKind | undefined;
}

const protocols = ["UDP", rtpProtocol, rtspProtocol, rtspsProtocol] as const;

const listener = z.strictObject({
  name: dnsName,
  port,
  protocol: z.custom<GatewayProtocol | typeof rtspsProtocol>(
    (value) => protocols.some((known) => value === known),
    coded("MSM_GATEWAY_PROTOCOL", `must be ${protocols.join(", ")}`),
  ),
  hostname: unsupported("datagrams carry no host name, and RTSPRoutes name their own; remove it"),
  tls: listenerTls.optional(),
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
      tls: gatewayTls.optional(),
    }),
  },
  build({ id, metadata, document, refuse }) {
    const { gatewayClassName, listeners, addresses = [], tls } = document.spec;
    checkListeners(listeners, refuse);
    checkFrontend(tls, listeners, refuse);
    checkAddresses(addresses, refuse);
    const hasRtspListener = listeners.some(({ protocol }) => isRtsp(protocol));
    return {
      id,
      className: gatewayClassName,
      addresses: addresses.length === 0 ? ["0.0.0.0"] : addresses.map((item) => item.value),
      idleTimeoutMs: readIdleTimeout(metadata, refuse),
      rtsp: readRtspOptions(metadata, hasRtspListener, refuse),
      listeners: listeners.map((from, index) => ({
        ...toListener(from),
        tls: readTls(from, index, { gateway: tls, namespace: id.namespace }, refuse),
      })),
    };
  },
});

function toListener(from: Listener): Omit<GatewayListener, "tls"> {
  const { name, port, protocol, allowedRoutes } = from;
  const kinds = allowedRoutes?.kinds;
  const kind = isRtsp(protocol) ? "RTSPRoute" : "UDPRoute";
  const group = isRtsp(protocol) ? meshDomain : gatewayGroup;
  const isAllowed = kinds?.some((allowed) => allowed.group === group && allowed.kind === kind) ?? true;
  return {
    name,
    port,
    protocol: protocol === rtspsProtocol ? rtspProtocol : protocol,
    transport: transportOf(protocol),
    allowsAllNamespaces: allowedRoutes?.namespaces?.from === "All",
    routeKind: isAllowed ? kind : undefined,
  };
}

type Listener = z.output<typeof listener>;

function isRtsp(protocol: Listener["protocol"]): boolean {
  return protocol === rtspProtocol || protocol === rtspsProtocol;
}

function transportOf(protocol: Listener["protocol"]): GatewayListener["transport"] {
  return isRtsp(protocol) ? "TCP" : "UDP";
}

function readTls(
  { protocol, port, tls }: Listener,
  index: number,
  gateway: Pick<TlsInput, "gateway" | "namespace">,
  refuse: Refuse,
): ListenerTls | undefined {
  const path = ["spec", "listeners", index];
  if ((protocol === rtspsProtocol) === (tls !== undefined)) {
    return tls && readListenerTls({ ...gateway, listener: tls, port, path }, refuse);
  }
  const message = tls ? `is for protocol ${rtspsProtocol} alone; use that, or remove it` : "is required here";
  refuse("MSM_GATEWAY_TLS", [...path, "tls"], message);
  return undefined;
}

// Who asks for clients' certificates where nobody could show one believes to be safe.
function checkFrontend(tls: TlsInput["gateway"], listeners: readonly Listener[], refuse: Refuse): void {
  const path = ["spec", "tls", "frontend"];
  const ports = new Set(
    listeners.filter(({ protocol }) => protocol === rtspsProtocol).map(({ port }) => port),
  );
  const message = `is for listeners of protocol ${rtspsProtocol}, and there is none; remove it`;
  if (tls?.frontend !== undefined && ports.size === 0) refuse("MSM_GATEWAY_TLS", path, message);
  const perPort = tls?.frontend?.perPort.map(({ port }) => port) ?? [];
  for (const [index, port] of perPort.entries()) {
    if (ports.size > 0 && !ports.has(port)) {
      refuse("MSM_GATEWAY_TLS", [...path, "perPort", index, "port"], `${message} at this port`);
    }
    if (perPort.indexOf(port) === index) continue;
    refuse("MSM_GATEWAY_TLS", [...path, "perPort", index, "port"], `${port} is listed twice; remove one`);
  }
}

function checkListeners(listeners: readonly Listener[], refuse: Refuse): void {
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
