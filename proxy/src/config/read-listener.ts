// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { SocketAddress_Protocol } from "@msm/xds-protos/envoy/config/core/v3/address_pb.js";
import { TrafficDirection } from "@msm/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type ListenerFilter,
  ListenerFilterSchema,
} from "@msm/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "@msm/xds-protos/envoy/config/listener/v3/listener_pb.js";
import {
  type UdpListenerConfig,
  UdpListenerConfigSchema,
} from "@msm/xds-protos/envoy/config/listener/v3/udp_listener_config_pb.js";
import type { ListenerLimits } from "../datapath/listener-limits.ts";
import type { SocketAddress } from "../plan.ts";
import { readAddress } from "./read-address.ts";
import { readFilterUse } from "./read-filter-use.ts";
import { readListenerHash } from "./read-listener-hash.ts";
import { readListenerLimits } from "./read-listener-limits.ts";
import { readSocketConfig, readUdpProxy, type UdpProxy } from "./read-udp-proxy.ts";
import { at, type FieldRule, onlyFalse, onlyTrue, refuse, refuseOthers } from "./refuse.ts";
import { typeNameOf } from "./unpack.ts";

/** A listener as configured: everything checked, the cluster and the filters still to be found by name. */
export interface ListenerConfig extends Omit<UdpProxy, "upstreamMaxRxDatagramBytes"> {
  readonly name: string;
  readonly address: SocketAddress;
  readonly maxRxDatagramBytes: number;
  readonly preferGro: boolean;
  readonly limits?: ListenerLimits;
  readonly isInbound?: boolean;
}

/** Envoy's default for `max_rx_datagram_size`: an Ethernet frame's worth. */
const DEFAULT_MAX_RX_DATAGRAM_BYTES = 1500;

/** The ways of sending that Envoy has; the I/O backend chooses between them here by what the kernel can do. */
const PACKET_WRITERS = [
  "envoy.extensions.udp_packet_writer.v3.UdpDefaultWriterFactory",
  "envoy.extensions.udp_packet_writer.v3.UdpGsoBatchWriterFactory",
];

const LISTENER_RULES: Readonly<Record<string, FieldRule>> = {
  name: "accepted",
  address: "accepted",
  listener_filters: "accepted",
  udp_listener_config: "accepted",
  enable_reuse_port: onlyTrue,
  reuse_port: onlyTrue,
  bind_to_port: onlyTrue,
  transparent: onlyFalse,
  freebind: onlyFalse,
  // These name or describe a listener, or concern connections, which UDP does not have.
  stat_prefix: "accepted",
  metadata: "accepted",
  traffic_direction: "accepted",
  drain_type: "accepted",
  per_connection_buffer_limit_bytes: "accepted",
  listener_filters_timeout: "accepted",
  continue_on_listener_filters_timeout: "accepted",
  ignore_global_conn_limit: "accepted",
  bypass_overload_manager: "accepted",
};

/** Reads a UDP listener with its udp_proxy. Pure. Throws a `ConfigError` on whatever would not be honoured. */
export function readListener(listener: Listener, path: string): ListenerConfig {
  if (listener.filterChains.length > 0 || listener.defaultFilterChain !== undefined) {
    const problem = "is for TCP; UDP listeners have their udp_proxy in listener_filters";
    refuse("MSM_LISTENER_NOT_UDP", at(path, "filter_chains"), problem);
  }
  refuseOthers(ListenerSchema, listener, path, LISTENER_RULES);
  if (listener.name === "") refuse("MSM_CONFIG_MISSING", at(path, "name"), "is needed");
  const { protocol, ...address } = readAddress(listener.address, at(path, "address"));
  if (protocol !== SocketAddress_Protocol.UDP) {
    refuse("MSM_LISTENER_NOT_UDP", at(path, "address.socket_address.protocol"), "must be UDP");
  }
  const socket = readUdpListener(listener.udpListenerConfig, at(path, "udp_listener_config"));
  const { upstreamMaxRxDatagramBytes, ...udpProxy } = readListenerFilters(listener.listenerFilters, path);
  const maxRxDatagramBytes = socket.maxRxDatagramBytes ?? DEFAULT_MAX_RX_DATAGRAM_BYTES;
  if (upstreamMaxRxDatagramBytes !== undefined && upstreamMaxRxDatagramBytes !== maxRxDatagramBytes) {
    const udpProxyPath = at(path, `listener_filters[${listener.listenerFilters.length - 1}].typed_config`);
    const field = at(udpProxyPath, "upstream_socket_config.max_rx_datagram_size");
    const problem = `must be ${maxRxDatagramBytes}, as downstream; there is one limit for both directions`;
    refuse("MSM_CONFIG_UNSUPPORTED_VALUE", field, problem);
  }
  const preferGro = socket.preferGro ?? false;
  const limits = readListenerLimits(listener.metadata, at(path, "metadata"));
  const isHashed = udpProxy.hashPolicy !== undefined;
  const hashPolicy = readListenerHash(listener.metadata, at(path, "metadata"), isHashed);
  return {
    name: listener.name,
    address,
    ...udpProxy,
    maxRxDatagramBytes,
    preferGro,
    ...(limits === undefined ? {} : { limits }),
    ...(listener.trafficDirection === TrafficDirection.INBOUND ? { isInbound: true } : {}),
    ...(hashPolicy === undefined ? {} : { hashPolicy }),
  };
}

function readUdpListener(config: UdpListenerConfig | undefined, path: string) {
  if (config === undefined) return readSocketConfig(undefined, path);
  refuseOthers(UdpListenerConfigSchema, config, path, {
    downstream_socket_config: "accepted",
    udp_packet_packet_writer_config: "accepted",
  });
  const writer = config.udpPacketPacketWriterConfig?.typedConfig?.typeUrl;
  if (writer !== undefined && !PACKET_WRITERS.includes(typeNameOf(writer))) {
    const problem = `"${writer}" is not here; remove it`;
    refuse("MSM_CONFIG_TYPE", at(path, "udp_packet_packet_writer_config.typed_config"), problem);
  }
  return readSocketConfig(config.downstreamSocketConfig, at(path, "downstream_socket_config"));
}

/** The filters that see datagrams before their sessions are looked for, and the udp_proxy, which is the last. */
function readListenerFilters(filters: readonly ListenerFilter[], listenerPath: string): UdpProxy {
  const path = at(listenerPath, "listener_filters");
  const last = filters.at(-1);
  if (last === undefined)
    refuse("MSM_LISTENER_FILTERS", path, "must end with an envoy.filters.udp_listener.udp_proxy");
  const lastPath = `${path}[${filters.length - 1}]`;
  refuseOthers(ListenerFilterSchema, last, lastPath, { name: "accepted", typed_config: "accepted" });
  const config = last.configType.case === "typedConfig" ? last.configType.value : undefined;
  const udpProxy = readUdpProxy(config, `${lastPath}.typed_config`);
  const names = new Set(udpProxy.filters.map(({ name }) => name));
  const before = filters.slice(0, -1).map((filter, i) => {
    const filterPath = `${path}[${i}]`;
    refuseOthers(ListenerFilterSchema, filter, filterPath, {
      name: "accepted",
      typed_config: "accepted",
      config_discovery: "accepted",
    });
    if (names.has(filter.name)) {
      const problem = `"${filter.name}" is in the listener twice; rename one`;
      refuse("MSM_LISTENER_FILTERS", at(filterPath, "name"), problem);
    }
    names.add(filter.name);
    return readFilterUse(filter, "LISTENER", filterPath);
  });
  return { ...udpProxy, filters: [...before, ...udpProxy.filters] };
}
