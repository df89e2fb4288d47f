// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import { create, durationFromMs, type MessageInitShape, packAny, typeUrlOf } from "@msm/xds-protos";
import { type Listener, ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteSchema } from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/route_pb.js";
import {
  type UdpProxyConfig,
  UdpProxyConfig_SessionFilterSchema,
  UdpProxyConfigSchema,
} from "@msm/xds-protos/envoy/extensions/filters/udp/udp_proxy/v3/udp_proxy_pb.js";
import { PluginConfigSchema } from "@msm/xds-protos/envoy/extensions/wasm/v3/wasm_pb.js";
import type { HashOn } from "../model/backend-policy.ts";
import { adsConfigSource } from "./config-source.ts";
import { socketAddress } from "./socket-address.ts";

/** What a UDP listener is made from. */
export interface ListenerInput {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly cluster: string;
  readonly idleTimeoutMs: number;
  /** What sessions are told apart by, where the cluster hashes. */
  readonly hashOn: HashOn | undefined;
  /** ECDS resources of the session filters, in the order in which a datagram from downstream meets them. */
  readonly filters: readonly string[];
}

// A UDP datagram carries no more, so nothing is ever cut.
const MAX_DATAGRAM_BYTES = 65_535n;

/** The namespace of listener metadata that says what of a datagram is hashed. */
const HASH_METADATA = "io.mediastreamingmesh.hash";

/** Makes Envoy's UDP listener: one `udp_proxy` that sends every new session to one cluster. */
export function translateListener(input: ListenerInput): Listener {
  const { name, address, port } = input;
  return create(ListenerSchema, {
    name,
    statPrefix: name,
    address: socketAddress("UDP", address, port),
    enableReusePort: true,
    ...hashMetadata(input.hashOn),
    udpListenerConfig: {
      downstreamSocketConfig: { maxRxDatagramSize: MAX_DATAGRAM_BYTES, preferGro: true },
    },
    listenerFilters: [
      {
        name: "envoy.filters.udp_listener.udp_proxy",
        configType: { case: "typedConfig", value: packAny(UdpProxyConfigSchema, udpProxy(input)) },
      },
    ],
  });
}

/** Envoy has no field to hash bytes of a datagram, and ignores the metadata by which our proxies are told. */
function hashMetadata(hashOn: HashOn | undefined): Pick<MessageInitShape<typeof ListenerSchema>, "metadata"> {
  if (hashOn?.type !== "FirstDatagram") return {};
  const { offset = 0, length = 0 } = hashOn;
  return { metadata: { filterMetadata: { [HASH_METADATA]: { first_datagram: { offset, length } } } } };
}

function udpProxy({ name, cluster, idleTimeoutMs, filters, hashOn }: ListenerInput): UdpProxyConfig {
  const route = packAny(RouteSchema, create(RouteSchema, { cluster }));
  return create(UdpProxyConfigSchema, {
    statPrefix: name,
    idleTimeout: durationFromMs(idleTimeoutMs),
    routeSpecifier: {
      case: "matcher",
      value: {
        onNoMatch: { onMatch: { case: "action", value: { name: "route", typedConfig: route } } },
      },
    },
    hashPolicies:
      hashOn?.type === "SourceAddress" ? [{ policySpecifier: { case: "sourceIp", value: true } }] : [],
    sessionFilters: filters.map((filter) =>
      create(UdpProxyConfig_SessionFilterSchema, {
        name: filter,
        configType: {
          case: "configDiscovery",
          value: { configSource: adsConfigSource(), typeUrls: [typeUrlOf(PluginConfigSchema)] },
        },
      }),
    ),
  });
}
