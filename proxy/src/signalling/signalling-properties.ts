// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Address } from "@msm/xds-protos/msm/flow/v1/flow_pb.js";
import { formatSocketAddress } from "../datapath/sockaddr.ts";
import type { OpenFlow, SignallingState } from "./signalling-state.ts";
import type { RouteChoice } from "./signalling-world.ts";

const encoder = new TextEncoder();

/** The properties of the plugin and of its connections, by their path with dots. */
export const signallingProperties: Readonly<
  Record<string, (state: SignallingState) => Uint8Array | undefined>
> = {
  "msm.connection.id": ({ peers, guest }) => {
    const peer = peers.get(guest.context);
    return peer && integer(peer.connection);
  },
  "msm.media.advertised_address": ({ options }) => encoder.encode(options.advertisedAddress),
  "msm.media.local_address": ({ options }) => encoder.encode(options.localAddress),
  "msm.media.upstream_transport": ({ options }) => encoder.encode(options.upstreamTransport),
  "msm.media.upstream_linger_ms": ({ options }) => integer(options.upstreamLingerMs),
  "msm.listener.idle_timeout_ms": ({ options }) => integer(options.idleTimeoutMs),
};

/** The parts of a route that have a property. */
export const routeProperties = ["cluster", "endpoint", "name", "host", "path", "reason", "status"] as const;
/** The parts of a flow's leg that have a property. */
export const legProperties = ["local", "local_rtcp", "remote", "remote_rtcp"] as const;

const ROUTE = /^msm\.route\.(\d{1,16})\.([a-z]+)$/;
const FLOW = /^msm\.flow\.(\d{1,10})\.(?:(.+)\.)?([a-z_]+)$/s;

/** Reads a property that only signalling filters have; undefined where there is none of this name. */
export function readSignallingProperty(state: SignallingState, name: string): Uint8Array | undefined {
  if (!name.startsWith("msm.")) return undefined;
  if (Object.hasOwn(signallingProperties, name)) return signallingProperties[name]?.(state);
  const route = ROUTE.exec(name);
  if (route !== null) return routeText(state.routes.get(Number(route[1])), route[2] ?? "");
  const flow = FLOW.exec(name);
  if (flow === null) return undefined;
  const open = state.flows.get(Number(flow[1]));
  const text = open && flowText(open, flow[2], flow[3] ?? "");
  return text === undefined ? undefined : encoder.encode(text);
}

function routeText(choice: RouteChoice | undefined, part: string): Uint8Array | undefined {
  const known = routeProperties.find((name) => name === part);
  return choice && known && encoder.encode(String(choice[known]));
}

function flowText({ event, legs }: OpenFlow, leg: string | undefined, part: string): string | undefined {
  if (leg === undefined) return part === "code" || part === "message" ? event?.[part] : undefined;
  const state = legs.get(leg);
  switch (part) {
    case "local":
      return addressText(state?.local);
    case "local_rtcp":
      return addressText(state?.localRtcp);
    case "remote":
      return addressText(state?.remote);
    case "remote_rtcp":
      return addressText(state?.remoteRtcp);
    default:
      return undefined;
  }
}

function addressText(address: Address | undefined): string | undefined {
  return address && formatSocketAddress({ address: address.ip, port: address.port });
}

function integer(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
